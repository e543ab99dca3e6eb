"""What is late: not newer than what has already been evaluated for its device."""

from collections.abc import Mapping

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.kind import load_kinds
from devices.quality import Quality
from devices.readings import NO_SEQUENCE, Readings
from ingest.watermarks import Watermarks

KIND = load_kinds()["manhole"]


def readings(*rows: tuple[int, int], quality: Quality = Quality.GOOD) -> Readings:
    """Readings of devices at times."""
    count = len(rows)
    zeros = np.zeros(count, dtype=np.int64)
    return Readings(
        kind=KIND,
        device=np.array([number for number, _ in rows], dtype=np.int64),
        ts=np.array([ts for _, ts in rows], dtype=np.int64),
        received_at=zeros,
        seq=np.full(count, NO_SEQUENCE),
        type=zeros,
        quality=np.full(count, int(quality)),
        message=np.arange(count),
        part=zeros,
        values=np.ones((count, len(KIND.metrics))),
        texts={},
    )


def moved_to(newest: Mapping[int, int]) -> Watermarks:
    """Watermarks that stand where these devices have been heard last."""
    watermarks = Watermarks()
    if newest:
        watermarks.advance(readings(*newest.items()))
    return watermarks


def late(watermarks: Watermarks, *rows: tuple[int, int]) -> list[bool]:
    marked = watermarks.mark(readings(*rows))
    return [bool(quality & Quality.LATE) for quality in marked.quality.tolist()]


def test_nothing_is_late_for_a_device_never_heard_of() -> None:
    assert late(Watermarks(), (3, -5), (3, 0), (9, 1)) == [False, False, False]


def test_a_collector_starts_from_what_the_database_has() -> None:
    assert late(moved_to({3: 100, 9: 50}), (3, 99), (3, 100), (3, 101), (9, 99)) == [True, True, False, False]


def test_a_mark_alone_moves_nothing() -> None:
    watermarks = Watermarks()
    assert late(watermarks, (3, 100)) == [False]
    assert late(watermarks, (3, 100)) == [False]


def test_what_is_committed_makes_the_same_time_late() -> None:
    watermarks = Watermarks()
    batch = watermarks.mark(readings((3, 100), (3, 200)))
    watermarks.advance(batch)
    assert late(watermarks, (3, 150), (3, 200), (3, 201), (4, 1)) == [True, True, False, False]


def test_a_late_reading_that_is_committed_moves_nothing_back() -> None:
    watermarks = moved_to({3: 100})
    watermarks.advance(watermarks.mark(readings((3, 40))))
    assert late(watermarks, (3, 99), (3, 101)) == [True, False]


def test_late_is_added_to_what_is_known_of_a_reading_and_its_values_stay() -> None:
    before = readings((3, 100), (3, 101), quality=Quality.IMPLAUSIBLE)
    after = moved_to({3: 100}).mark(before)
    assert after.quality.tolist() == [Quality.IMPLAUSIBLE | Quality.LATE, Quality.IMPLAUSIBLE]
    assert before.quality.tolist() == [Quality.IMPLAUSIBLE] * 2
    np.testing.assert_array_equal(after.values, before.values)
    assert after.ts.tolist() == [100, 101]


def test_room_is_made_for_devices_of_any_number() -> None:
    watermarks = moved_to({2_000: 7})
    assert late(watermarks, (3, 1), (2_000, 7), (1_000_000, 7)) == [False, True, False]
    watermarks.advance(readings((1_000_000, 7)))
    assert late(watermarks, (2_000, 7), (1_000_000, 7), (999_999, 7)) == [True, True, False]


ROWS = st.lists(st.tuples(st.integers(0, 3) | st.sampled_from([1023, 1024, 5000]), st.integers(0, 20)), min_size=1)


@settings(max_examples=200)
@given(start=st.dictionaries(st.integers(0, 3), st.integers(0, 20)), batches=st.lists(ROWS, max_size=6))
def test_a_watermark_is_the_newest_time_committed_and_never_falls(
    start: dict[int, int], batches: list[list[tuple[int, int]]]
) -> None:
    watermarks, newest = moved_to(start), dict(start)
    for rows in batches:
        assert late(watermarks, *rows) == [ts <= newest.get(number, -1) for number, ts in rows]
        watermarks.advance(readings(*rows))
        for number, ts in rows:
            newest[number] = max(ts, newest.get(number, -1))
