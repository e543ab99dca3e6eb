"""What is heard of devices is summed up between two updates of their status."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.codecs.decoded import Aside
from devices.kind import load_kinds
from devices.quality import Quality
from devices.readings import Readings
from ingest.hearing import Heard, Hearing
from tests.integration.making import everything, readings

KINDS = load_kinds()
COVER, METER = KINDS["manhole"], KINDS["noise"]
SECOND = 1_000_000  # µs


def row(ts: int, device: int = 1, quality: int = 0, received_at: int | None = None, **metrics: float) -> dict[str, Any]:
    arrival = ts + 2 * SECOND if received_at is None else received_at
    return {"device": device, "ts": ts, "received_at": arrival, "quality": quality, **metrics}


def covers(*rows: Mapping[str, Any]) -> Readings:
    return readings(COVER, *sorted(rows, key=lambda each: (each["device"], each["ts"])))


def heard(*batches: Readings, fresh: bool = True) -> dict[int, Heard]:
    """What is left of batches of which all, or nothing, was new."""
    hearing = Hearing()
    for batch in batches:
        hearing.add(batch, np.full(len(batch), fresh))
    return {each.device: each for each in hearing.summary()}


def latest(*batches: Readings) -> dict[str, Any]:
    return dict(json.loads(heard(*batches)[1].latest))


def test_each_device_has_its_last_times_its_count_and_its_lag() -> None:
    found = heard(covers(row(100), row(200), row(50, device=7)), covers(row(300, received_at=3 * SECOND)))
    assert {(each.device, each.last_ts, each.last_received_at, each.readings, each.lag) for each in found.values()} == {
        (1, 300, 3 * SECOND, 3, 3 * SECOND - 300), (7, 50, 2 * SECOND + 50, 1, 2 * SECOND),
    }  # fmt: skip


def test_the_last_value_of_each_metric_is_kept_whatever_reading_brought_it() -> None:
    found = latest(covers(row(100, tilt=1.5, battery_pct=90), row(200, tilt=2.5)), covers(row(300, battery_pct=89)))
    assert found == {"tilt": 2.5, "battery_pct": 89}


def test_values_are_as_people_read_them() -> None:
    kind = everything()
    one = {"a_real": 1.5, "a_double": 1e300, "a_smallint": -7, "a_integer": 3, "a_bool": True, "a_enum": 2}
    [found] = heard(readings(kind, {**row(100), **one, "a_text": "鄂A"}, row(200))).values()
    assert json.loads(found.latest) == {**one, "a_enum": "maybe", "a_text": "鄂A"}
    assert '"a_smallint":-7,' in found.latest.decode()


@pytest.mark.parametrize("doubt", [Quality.LATE, Quality.REPEATED])
def test_what_is_late_or_repeated_is_nobodys_last_value(doubt: Quality) -> None:
    assert latest(covers(row(100, tilt=1)), covers(row(900, quality=doubt, tilt=9))) == {"tilt": 1}


def test_a_late_reading_is_a_sign_of_life_and_a_repeated_one_is_none() -> None:
    assert heard(covers(row(100, quality=Quality.LATE)))[1].readings == 1
    assert heard(covers(row(100, quality=Quality.REPEATED))) == {}


def test_a_replay_has_values_and_a_time_and_is_no_reading_of_now() -> None:
    [found] = heard(covers(row(100, quality=Quality.REPLAYED, tilt=1))).values()
    assert (found.readings, found.lag, found.latest, found.quality) == (0, None, b'{"tilt":1.0}', Quality.REPLAYED)


def test_duplicates_are_signs_of_life_that_say_nothing_new() -> None:
    [found] = heard(covers(row(100, tilt=1)), fresh=False).values()
    assert (found.readings, found.lag, found.quality, found.latest) == (1, None, None, b"{}")


def test_the_doubts_are_those_of_the_newest_reading() -> None:
    assert heard(covers(row(100, quality=Quality.FROZEN), row(200, quality=Quality.SKEWED)))[1].quality is not None
    assert heard(covers(row(100, quality=8), row(200, quality=32)))[1].quality == Quality.SKEWED


def test_what_a_device_says_beside_its_metrics_stands_with_them_the_last_word_counting() -> None:
    hearing = Hearing()
    hearing.add(readings(METER, row(100, laeq=50)), np.array([True]))
    hearing.note({1: {"b", "a"}}, {1: Aside("1.0", csq=17, rsrp=-90), 2: Aside("of a device not heard")})
    hearing.note({1: {"c"}}, {1: Aside("1.1", rsrp=-95)})
    [found] = hearing.summary()
    assert (found.firmware, sorted(found.also_sent)) == ("1.1", ["a", "b", "c"])
    assert json.loads(found.latest) == {"laeq": 50, "csq": 17, "rsrp": -95}


def test_what_is_written_down_is_forgotten() -> None:
    hearing = Hearing()
    hearing.add(covers(row(100)), np.array([True]))
    hearing.note({1: {"a"}}, {1: Aside("1")})
    hearing.clear()
    assert list(hearing.summary()) == []


ROWS = st.lists(
    st.tuples(
        st.integers(1, 3), st.integers(0, 9), st.sampled_from([0, 1, 4, 8, 16]), st.floats(0, 9, width=32) | st.none()
    ),
    min_size=1,
    max_size=12,
)


@given(batches=st.lists(ROWS, min_size=1, max_size=4))
def test_columns_say_what_a_walk_reading_by_reading_says(
    batches: list[list[tuple[int, int, int, float | None]]],
) -> None:
    tables = [
        covers(*(row(ts, device, quality, received_at=99, tilt=tilt) for device, ts, quality, tilt in rows))  # type: ignore[arg-type]
        for rows in batches
    ]
    count: dict[int, int] = {}
    newest: dict[int, int] = {}
    for device, ts, quality, _ in (each for rows in batches for each in rows):
        if quality != Quality.REPEATED:
            count[device] = count.get(device, 0) + (quality != Quality.REPLAYED)
            newest[device] = max(newest.get(device, 0), ts)
    found = heard(*tables)
    assert {each.device: (each.readings, each.last_ts) for each in found.values()} == {
        device: (count[device], newest[device]) for device in count
    }
    for device, each in found.items():
        told = [
            (ts, tilt)
            for rows in batches
            for number, ts, quality, tilt in rows
            if number == device and quality not in {Quality.LATE, Quality.REPEATED} and tilt is not None
        ]
        values = [tilt for ts, tilt in told if ts == max(told)[0]]
        assert json.loads(each.latest).get("tilt") in values or not told
