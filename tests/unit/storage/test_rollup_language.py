from collections.abc import Mapping
from dataclasses import replace

import pytest

from devices.errors import DescriptionError
from devices.kind import Kind, load_kinds
from devices.rollup import Measure, Rollup
from storage.rollup_language import RollupExpressionError, believed, translate
from storage.rollup_levels import Grid, Level, plan

KINDS: Mapping[str, Kind] = load_kinds()


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("noise", "lacq > 5", "'lacq': a noise has no such number or flag; known are"),
        ("noise", "laeq >", "invalid syntax"),
        ("noise", "audio_class == 'musik'", "is none of none, music"),
        ("noise", "sent(nothing)", "a noise has no metric 'nothing'"),
        ("bridge", "sent(plate)", "plate is text kept as evidence"),
        ("noise", "laeq ** 2 if rain else 0", "use metrics, attributes"),
        ("noise", "pg_sleep(9)", "use metrics, attributes"),
        ("noise", "noise_zone == 2", "a noise has no such number or flag"),
        ("noise", "laeq > limit.loud", "a noise has no limit 'loud'"),
        ("noise", "laeq > limit.day", "only limits with one value for all devices"),
    ],
)
def test_what_cannot_be_is_refused_with_the_word(kind: str, text: str, said: str) -> None:
    with pytest.raises(RollupExpressionError) as refused:
        translate(KINDS[kind], text)
    assert said in str(refused.value)


def test_a_limit_is_the_kinds_own_value() -> None:
    assert "< 5.0::double precision" in translate(KINDS["noise"], "wind_speed < limit.wind_valid").text


def test_only_what_asks_for_the_device_joins_it() -> None:
    assert not translate(KINDS["fume"], "fan_on and sent(fume)").needs_device
    assert translate(KINDS["streetlight"], "active_power > 0.1 * rated_power").needs_device
    assert translate(KINDS["streetlight"], "dark").needs_device
    assert {name for name, kind in KINDS.items() if plan(kind).joins_device} == {"streetlight"}


def test_a_metric_outside_its_range_is_not_believed_as_its_column_keeps_it() -> None:
    """-0.1 as 32 bits is a little less than -0.1: the end of the range must not be refused."""
    assert "BETWEEN '-0.1'::real AND '10.0'::real" in believed(KINDS["manhole"].metric("water_level"))


def test_a_wrong_measure_names_the_file_and_the_key() -> None:
    kind = KINDS["noise"]
    measures = {**kind.rollup.measures, "readings": Measure(doc="", sum="laeq"), "x": Measure(doc="", sum="loudness")}
    with pytest.raises(DescriptionError) as refused:
        plan(replace(kind, rollup=Rollup(measures=measures)))
    assert "noise/kind.toml" in str(refused.value)
    assert "rollup.measures.x: 'loudness'" in str(refused.value)
    assert "rollup.measures.readings: that column is there already" in str(refused.value)


@pytest.mark.parametrize(
    ("zone", "origin", "even"),
    [
        ("Asia/Shanghai", "2000-01-01T00:00:00+08:00", True),
        ("Asia/Kolkata", "2000-01-01T00:00:00+05:30", True),
        ("Europe/Berlin", "2000-01-01T00:00:00+01:00", False),
    ],
)
def test_hours_and_days_begin_where_the_citys_do(zone: str, origin: str, *, even: bool) -> None:
    grid = Grid(zone)
    assert origin in grid.origin
    assert grid.even is even
    assert (Level.DAY in grid.stored(tuple(Level))) is even
