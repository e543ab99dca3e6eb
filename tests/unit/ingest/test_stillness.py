"""What says nothing new: instruments that stand still, gateways that repeat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.kind import Kind, load_kinds
from devices.quality import Quality
from devices.readings import NO_SEQUENCE, Readings
from ingest.marking import Marking

KINDS = load_kinds()
MINUTE = 60_000_000  # µs
START = 1_795_190_400_000_000
FROZEN_AFTER, GAP = 5, 3  # minutes
# A noise meter that is impatient: the longest gap is three heartbeats.
METER = replace(KINDS["noise"], frozen_after=timedelta(minutes=FROZEN_AFTER), heartbeat=timedelta(minutes=1))
COVER = KINDS["manhole"]
DOUBTS = (Quality.LATE, Quality.REPEATED, Quality.FROZEN)


@dataclass(frozen=True)
class Row:
    """A reading: minutes after the start, the device's counter, its metrics."""

    at: float
    metrics: Mapping[str, float]
    seq: int = NO_SEQUENCE
    device: int = 1

    @property
    def ts(self) -> int:
        return START + round(self.at * MINUTE)


def level(at: float, laeq: float = 50, seq: int = NO_SEQUENCE, device: int = 1) -> Row:
    return Row(at, {"laeq": laeq}, seq, device)


def table(rows: Sequence[Row], kind: Kind = METER) -> Readings:
    """In order of device and time, as the decoder leaves them."""
    rows = sorted(rows, key=lambda row: (row.device, row.ts))
    values = np.full((len(rows), len(kind.metrics)), np.nan)
    for number, row in enumerate(rows):
        for name, value in row.metrics.items():
            values[number, kind.position[name]] = value
    zeros = np.zeros(len(rows), dtype=np.int64)
    return Readings(
        kind=kind,
        device=np.array([row.device for row in rows], dtype=np.int64),
        ts=np.array([row.ts for row in rows], dtype=np.int64),
        received_at=zeros,
        seq=np.array([row.seq for row in rows], dtype=np.int64),
        type=zeros,
        quality=zeros.copy(),
        message=np.arange(len(rows)),
        part=zeros,
        values=values,
        texts={},
    )


def marking(latest: Sequence[Readings] = ()) -> Marking:
    """What a collector knows that has started after these."""
    memory = Marking([METER, COVER])
    for readings in latest:
        memory.recall(memory.strangers(readings), readings)
    return memory


def test_the_past_of_a_device_is_asked_for_once() -> None:
    memory = Marking([METER, COVER])
    batch = table([level(0, device=5000), level(1, device=7), level(2, device=7)])
    assert memory.strangers(batch).tolist() == [7, 5000]
    memory.recall(np.array([7]), table([]))
    assert memory.strangers(batch).tolist() == [5000]
    memory.recall(np.array([5000]), table([level(9, device=5000)]))
    assert memory.strangers(batch).tolist() == []
    assert put(memory, [level(3, device=5000), level(3, device=7)]) == ["", "L"], "by device: of 7 nothing is known"


def put(memory: Marking, rows: Sequence[Row], kind: Kind = METER) -> list[str]:
    """Mark and commit a batch; the doubts about each reading in order of device and time, by their first letters."""
    marked = memory.mark(table(rows, kind))
    memory.advance(marked)
    return letters(marked.quality.tolist())


def letters(qualities: Sequence[int]) -> list[str]:
    return ["".join(str(doubt.name)[0] for doubt in DOUBTS if quality & doubt) for quality in qualities]


def steady(minutes: Sequence[float], laeq: float = 50) -> list[Row]:
    return [level(at, laeq, seq=round(at) + 10) for at in minutes]


def test_an_instrument_that_stands_still_for_longer_than_allowed_is_frozen() -> None:
    found = put(marking(), steady(range(9)))
    assert found == ["", "", "", "", "", "", "F", "F", "F"], "five minutes are allowed, the sixth is not"


def test_the_first_reading_that_moves_is_believed_again() -> None:
    memory = marking()
    put(memory, steady(range(9)))
    assert put(memory, [level(9, 50.5), level(10, 50.5)]) == ["", ""]
    assert put(memory, [level(11, 50.5), level(15, 50.5)]) == ["", ""], "the count begins anew"


def test_one_live_metric_that_moves_is_enough() -> None:
    rows = [Row(at, {"laeq": 50, "lmax": 60 + at % 2}) for at in range(9)]
    assert put(marking(), rows) == [""] * 9


def test_other_metrics_may_move_as_they_like() -> None:
    rows = [Row(at, {"laeq": 50, "temperature": 20 + at, "rain": at}) for at in range(8)]
    assert put(marking(), rows) == ["", "", "", "", "", "", "F", "F"]


def test_readings_that_alternate_between_metrics_freeze_together() -> None:
    rows = [Row(at, {"laeq": 50} if at % 2 else {"lmax": 60}) for at in range(9)]
    # The second one said a metric for the first time.
    assert put(marking(), rows) == ["", "", "", "", "", "", "", "F", "F"]


def test_a_reading_without_live_metrics_neither_freezes_nor_thaws() -> None:
    memory = marking()
    put(memory, steady(range(5)))
    assert put(memory, [Row(5, {"rain": 1}), level(6), Row(7, {"rain": 2}), level(8)]) == ["", "F", "", "F"]


def test_only_observed_time_counts() -> None:
    assert put(marking(), [level(0), level(GAP), level(2 * GAP)]) == ["", "", "F"]
    assert put(marking(), [level(0), level(600), level(601), level(605)]) == ["", "", "", ""]


def test_a_metric_that_falls_out_does_not_move() -> None:
    rows = [Row(at, {"laeq": 50, "lmax": 60} if at < 3 else {"laeq": 50}) for at in range(8)]
    assert put(marking(), rows)[5:] == ["", "F", "F"]


def test_values_are_compared_as_the_table_keeps_them() -> None:
    rows = [level(at, 50.1 + (at % 2) * 1e-9) for at in range(7)]
    assert put(marking(), rows)[-1] == "F"


def test_a_kind_that_may_stand_still_never_freezes() -> None:
    assert put(marking(), [Row(at, {"tilt": 1}) for at in range(0, 100_000, 1440)], COVER) == [""] * 70


def test_a_late_reading_cannot_freeze_or_thaw() -> None:
    memory = marking()
    put(memory, steady(range(5)))
    assert put(memory, [level(2.5, 70), level(5), level(6)]) == ["L", "", "F"]


def test_a_reading_said_again_under_a_new_time_is_repeated() -> None:
    memory = marking()
    said = level(0, seq=17)
    assert put(memory, [said]) == [""]
    assert put(memory, [replace(said, at=1), replace(said, at=2)]) == ["R", "R"]
    assert put(memory, [replace(said, at=3)]) == ["R"]
    assert put(memory, [level(4, seq=18)]) == [""], "the device itself is back, with the same value"


def test_a_gateway_that_repeats_makes_no_instrument_frozen() -> None:
    memory = marking()
    assert set(put(memory, [level(at, seq=17) for at in range(30)])[1:]) == {"R"}


def test_what_a_gateway_repeats_makes_nothing_late() -> None:
    memory = marking()
    put(memory, [level(0, seq=17), level(9, seq=17)])
    assert put(memory, [level(4, 51, seq=18), level(5, 52, seq=19)]) == ["", ""], "what the device had kept meanwhile"


def test_a_message_delivered_twice_is_not_repeated() -> None:
    memory = marking()
    twice = [level(0, seq=17), level(0, seq=17)]
    assert put(memory, twice) == ["", ""], "within a batch the table finds it"
    assert put(memory, twice[:1]) == ["L"]


def test_a_repetition_delivered_twice_stays_repeated() -> None:
    memory = marking()
    put(memory, [level(0, seq=17), level(1, seq=17)])
    assert put(memory, [level(1, seq=17)]) == ["R"]


def test_repetitions_out_of_order_are_repeated() -> None:
    memory = marking()
    put(memory, [level(5, seq=17), level(8, seq=17)])
    assert put(memory, [level(7, seq=17), level(4, seq=17)]) == ["LR", "R"]


@pytest.mark.parametrize("seq", [NO_SEQUENCE, 0, 1])
def test_a_device_that_does_not_count_is_never_repeated(seq: int) -> None:
    assert put(marking(), [Row(at, {"tilt": 1}, seq) for at in range(5)], COVER) == [""] * 5


def test_the_same_number_with_other_values_is_another_reading() -> None:
    rows = [Row(0, {"tilt": 1}, 7), Row(1, {"tilt": 2}, 7), Row(2, {"tilt": 2, "battery_v": 3.6}, 7)]
    assert put(marking(), rows, COVER) == ["", "", ""]


def test_values_that_differ_in_their_places_only_are_different() -> None:
    rows = [Row(0, {"accel_x": 1, "accel_y": 0}, 7), Row(1, {"accel_x": 0, "accel_y": 1}, 7)]
    assert put(marking(), rows, COVER) == ["", ""]


def test_devices_side_by_side_in_a_batch_are_told_apart() -> None:
    memory = marking()
    put(memory, [level(at, 50, seq=at + 2, device=device) for at in range(5) for device in (1, 2)])
    assert put(memory, [level(5, 70), level(5, device=2), level(6, device=2)]) == ["", "", "F"]
    # What a reading does not carry is as it was, and not as the neighbour measures it.
    put(memory, [level(7, 70), Row(7, {"lmax": 60}, device=2)])
    quiet = [Row(at, {"laeq": 50, "lmax": 60}, device=2) for at in range(8, 14)]
    assert put(memory, quiet) == ["", "", "", "", "", "F"]


def test_a_mark_alone_remembers_nothing() -> None:
    memory = marking()
    rows = [level(0, seq=17), level(1, seq=17)]
    once = memory.mark(table(rows))
    assert letters(once.quality.tolist()) == ["", "R"]
    assert memory.mark(table(rows[1:])).quality.tolist() == [0]


def test_doubts_are_added_to_what_is_known_and_the_readings_given_stay_as_they_are() -> None:
    given_ = table([level(0, seq=17), level(1, seq=17)])
    given_.quality[:] = int(Quality.IMPLAUSIBLE)
    marked = marking().mark(given_)
    assert marked.quality.tolist() == [Quality.IMPLAUSIBLE, Quality.IMPLAUSIBLE | Quality.REPEATED]
    assert given_.quality.tolist() == [Quality.IMPLAUSIBLE] * 2


def test_devices_of_any_number_are_remembered() -> None:
    memory = marking()
    far = [level(0, seq=17, device=device) for device in (3, 1023, 1024, 1_000_000)]
    put(memory, far)
    assert put(memory, [replace(row, at=1) for row in far] + [level(1, seq=17, device=999_999)]) == [
        "R", "R", "R", "", "R",
    ]  # fmt: skip


def test_a_restart_forgets_neither_a_frozen_instrument_nor_a_repeating_gateway() -> None:
    latest = table([level(0, seq=17, device=1), level(0, seq=30, device=2)])
    latest.quality[0] = int(Quality.FROZEN)
    memory = marking([latest])
    again = [level(1, seq=18, device=1), level(1, seq=30, device=2), level(1, seq=1, device=3)]
    assert put(memory, again) == ["F", "R", ""]
    assert put(memory, [level(0, 70, seq=16, device=1), level(2, 51, seq=19, device=1)]) == ["L", ""]


def test_after_a_restart_a_standstill_is_counted_from_the_last_reading_stored() -> None:
    memory = marking([table([level(0, seq=10)])])
    assert put(memory, steady(range(1, 8))) == ["", "", "", "", "", "F", "F"]


@dataclass
class Naive:
    """The same in the plainest words: one device, one reading after the other."""

    newest: int = -1
    said: tuple[int, dict[str, float]] | None = None
    said_at: int = 0
    known: dict[str, float] = field(default_factory=dict)
    measured_at: int | None = None
    since: int = 0

    def put(self, rows: Sequence[Row]) -> list[str]:
        late = [row.ts <= self.newest for row in rows]
        before = (self.said, self.said_at)
        found = []
        for row, is_late in zip(rows, late, strict=True):
            said, said_at = before if is_late else (self.said, self.said_at)
            repeated = row.seq >= 2 and said == (row.seq, row.metrics) and row.ts != said_at
            frozen = not is_late and not repeated and self.is_frozen(row)
            if not is_late and not repeated:
                self.said, self.said_at, self.newest = (row.seq, dict(row.metrics)), row.ts, max(self.newest, row.ts)
            found.append("L" * is_late + "R" * repeated + "F" * frozen)
        return found

    def is_frozen(self, row: Row) -> bool:
        live = {name: value for name, value in row.metrics.items() if METER.metric(name).live}
        if not live:
            return False
        moved = any(self.known.get(name) != value for name, value in live.items())
        if moved or self.measured_at is None or row.ts - self.measured_at > GAP * MINUTE:
            self.since = row.ts
        self.known |= live
        self.measured_at = row.ts
        return row.ts - self.since > FROZEN_AFTER * MINUTE


METRICS = st.fixed_dictionaries(
    {}, optional={"laeq": st.sampled_from([50.0, 51.5]), "lmax": st.just(60.0), "rain": st.sampled_from([0.0, 1.0])}
)
ANY_ROW = st.builds(
    Row,
    at=st.integers(0, 12),
    metrics=METRICS,
    seq=st.sampled_from([NO_SEQUENCE, 1, 2, 3]),
    device=st.sampled_from([1, 2, 1024]),
)
STEPS = st.tuples(st.sampled_from([1, 1, 1, 3, 4]), METRICS, st.sampled_from([NO_SEQUENCE, 1, 2, 2, 3]), st.booleans())


@settings(max_examples=300)
@given(batches=st.lists(st.lists(ANY_ROW, min_size=1, max_size=25), max_size=5))
def test_whatever_comes_in_whatever_order_the_columns_say_what_the_plain_words_say(batches: list[list[Row]]) -> None:
    memory, plain = marking(), {device: Naive() for device in (1, 2, 1024)}
    for number, batch in enumerate(batches):
        later = [replace(row, at=row.at + 10 * number) for row in batch]  # a little late, mostly not
        rows = sorted(later, key=lambda row: (row.device, row.ts))
        expected = [
            each for device, naive in plain.items() for each in naive.put([row for row in rows if row.device == device])
        ]
        assert put(memory, rows) == expected


@settings(max_examples=200)
@given(steps=st.lists(STEPS, min_size=1, max_size=40), cuts=st.sets(st.integers(1, 39)))
def test_however_a_series_is_cut_into_batches_the_doubts_are_the_same(
    steps: list[tuple[int, dict[str, float], int, bool]], cuts: set[int]
) -> None:
    rows: list[Row] = []
    at = 0
    for minutes, metrics, seq, again in steps:
        at += minutes
        rows.append(replace(rows[-1], at=at) if again and rows else Row(at, metrics, seq))
    edges = [0, *sorted(cut for cut in cuts if cut < len(rows)), len(rows)]
    memory = marking()
    pieces = [put(memory, rows[start:end]) for start, end in pairwise(edges)]
    assert [each for piece in pieces for each in piece] == put(marking(), rows)
