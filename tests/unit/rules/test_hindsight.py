"""Rules over history find what the engine finds live, however the history is cut, and say what would be quieter."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.device import Device
from devices.kind import load_kinds
from devices.moments import MICROS
from devices.quality import Quality
from devices.readings import NO_SEQUENCE, Readings
from devices.registry import Registry
from rules.episodes import (
    MINUTE,
    Borne,
    Episode,
    Visit,
    borne_out,
    cases,
    coming_back,
    difference,
    episodes,
    fleeting,
    load,
    returns,
    worst,
)
from rules.frame import Frame
from rules.hindsight import Hindsight, HindsightError
from rules.local_time import LocalTime
from rules.packs import load_packs
from rules.rule import Rule, Severity
from rules.truth import Truth
from rules.verdicts import Transition

KINDS = load_kinds()
RULES = {rule.id: rule for rule in load_packs(KINDS)}
FUME = KINDS["fume"]
ZONE = ZoneInfo("Asia/Shanghai")
START = round(datetime(2026, 11, 20, 10, tzinfo=ZONE).timestamp() * MICROS)
HOURS = 4
COUNT = HOURS * 60
HOUR = 60 * MINUTE


def device(number: int) -> Device:
    return Device(id=number, device_id=f"fume-{number}", kind="fume", name="", district="east", lon=114.3, lat=30.6)


REGISTRY = Registry(KINDS, [device(1), device(2)])


def history(fume: np.ndarray, silent: slice | None = None) -> Readings:
    """Two restaurants minute by minute: one with these values while its fan runs, one that is clean."""
    ts = START + np.arange(COUNT) * MINUTE
    values = np.full((2 * COUNT, len(FUME.metrics)), np.nan)
    for metric, value in {"fan_on": 1.0, "purifier_on": 1.0, "fume": 0.5}.items():
        values[:, FUME.position[metric]] = value
    values[:COUNT, FUME.position["fume"]] = fume
    nothing = np.zeros(2 * COUNT, dtype=np.int64)
    whole = Readings(
        kind=FUME,
        device=np.repeat([1, 2], COUNT),
        ts=np.tile(ts, 2),
        received_at=np.tile(ts, 2),
        seq=nothing + NO_SEQUENCE,
        type=nothing,
        quality=nothing,
        message=nothing,
        part=nothing,
        values=values,
        texts={},
    )
    if silent is None:
        return whole
    kept = np.ones(2 * COUNT, dtype=bool)
    kept[silent] = False
    return whole.take(kept)


def told(readings: Readings, edges: list[int], *rule_ids: str) -> list[Transition]:
    """The history in slices that end at these minutes."""
    sight = Hindsight([RULES[rule_id] for rule_id in rule_ids], REGISTRY, LocalTime(ZONE))
    changes, since = [], START
    for edge in [*edges, COUNT]:
        until = START + edge * MINUTE
        piece = readings.where((readings.ts >= since - sight.reach) & (readings.ts < until))
        changes += sight.slice(piece, since, until)
        since = until
    return changes


@settings(max_examples=30)
@given(edges=st.lists(st.integers(1, COUNT - 1), max_size=6, unique=True).map(sorted))
def test_how_history_is_cut_changes_nothing(edges: list[int]) -> None:
    fume = np.full(COUNT, 0.5)
    fume[60:130] = 4.0
    readings, rules = history(fume, slice(140, 200)), ("FU-01", "FU-03", "FU-08")
    whole = told(readings, [], *rules)
    assert {change.rule_id for change in whole} == {"FU-01", "FU-08"}
    assert told(readings, edges, *rules) == whole


def test_a_silence_is_found_and_ends() -> None:
    """Within business hours, half an hour without a message."""
    changes = told(history(np.full(COUNT, 0.5), slice(60, 150)), [70, 100], "FU-08")
    assert [(change.change.value, change.device) for change in changes] == [("raised", 1), ("cleared", 1)]
    raised, cleared = (round((change.at - START) / MINUTE) for change in changes)
    assert 89 <= raised <= 95
    assert 150 <= cleared <= 160


def test_who_was_silent_before_the_beginning_is_found_at_its_first_look_and_who_was_never_heard_is_not() -> None:
    heard = {1: START - 24 * HOUR}
    sight = Hindsight([RULES["FU-08"]], REGISTRY, LocalTime(ZONE), heard=heard)
    nothing = history(np.full(COUNT, 0.5), slice(0, 2 * COUNT))
    changes = [sight.slice(nothing, START + hour * HOUR, START + (hour + 1) * HOUR) for hour in range(HOURS)]
    assert [(each.change.value, each.device, each.at) for each in changes[0]] == [("raised", 1, START)]
    assert changes[0][0].detail["since"] == START - 24 * HOUR
    assert changes[1:] == [[], [], []], "once"


def while_(evaluate: Callable[[Frame], Truth]) -> Rule:
    """FU-08, which minds silence while this holds."""
    rule = RULES["FU-08"]
    branch = rule.branches[0]
    assert branch.when is not None
    return replace(rule, branches=(replace(branch, when=replace(branch.when, _evaluate=evaluate)),))


def test_whether_a_silence_would_be_minded_is_asked_once_for_all_looks() -> None:
    asked: list[int] = []

    def never(frame: Frame) -> Truth:
        asked.append(len(frame.readings))
        none = np.zeros(len(frame.readings), dtype=bool)
        return Truth(none, none)

    sight = Hindsight([while_(never)], REGISTRY, LocalTime(ZONE), heard={1: START - 24 * HOUR})
    silent = history(np.full(COUNT, 0.5), slice(0, COUNT))
    assert sight.slice(silent, START, START + HOURS * HOUR) == []
    assert asked == [HOURS * 12]


def test_a_rule_about_silence_that_crashes_over_history_is_named() -> None:
    def crashing(_frame: Frame) -> Truth:
        raise ZeroDivisionError("by none")

    sight = Hindsight([while_(crashing)], REGISTRY, LocalTime(ZONE), heard={1: START - 24 * HOUR})
    with pytest.raises(HindsightError, match="FU-08 crashed: ZeroDivisionError: by none"):
        sight.slice(history(np.full(COUNT, 0.5)), START, START + HOUR)


def test_what_a_gateway_repeats_is_no_sign_of_life() -> None:
    readings = history(np.full(COUNT, 0.5))
    readings.quality[60:COUNT] = int(Quality.REPEATED)
    assert [(change.change.value, change.device) for change in told(readings, [70, 100], "FU-08")] == [("raised", 1)]


def test_trouble_and_then_silence_for_longer_than_its_delay_is_no_alarm_but_that_of_silence() -> None:
    readings = history(np.full(COUNT, 0.5))
    readings.values[57:60, FUME.position["purifier_on"]] = 0  # three of the five minutes that FU-03 wants
    spoken = np.ones(2 * COUNT, dtype=bool)
    spoken[60:150] = False
    changes = told(readings.take(spoken), [], "FU-03", "FU-08")
    assert [(change.rule_id, change.change.value) for change in changes] == [("FU-08", "raised"), ("FU-08", "cleared")]


def episode(raised: int, cleared: int | None, number: int = 1, rule_id: str = "FU-01") -> Episode:
    end = None if cleared is None else cleared * MINUTE
    return Episode(rule_id, number, Severity.MINOR, raised * MINUTE, end, "mean(fume) > limit.fume", {})


def test_one_open_case_for_each_facility_and_problem_which_stays_open_for_a_while() -> None:
    found = [episode(0, 10), episode(5, 30, rule_id="FU-05"), episode(8, 9), episode(40, None), episode(0, 3, number=2)]
    rules = {"FU-01": RULES["FU-01"], "FU-05": RULES["FU-01"]}
    assert cases(found, rules, 100 * MINUTE, 0) == {"FU-01": 3}, "what overlaps is one case, whoever raised it"
    assert cases(found, rules, 100 * MINUTE, 10 * MINUTE) == {"FU-01": 2}, "what comes back joins the open case"


def test_alarms_are_counted_by_ten_minutes() -> None:
    assert sorted(load([episode(1, 2), episode(3, 4), episode(11, 12)]).values()) == [1, 2]


def test_difference_is_by_overlap_and_not_by_the_minute() -> None:
    first, second = [episode(0, 10), episode(50, 60)], [episode(2, 12), episode(80, None)]
    changed = difference(first, second, 100 * MINUTE)
    assert (changed.both, changed.only_first, changed.only_second) == (1, (first[1],), (second[1],))


def test_whoever_has_most_is_named_first_and_what_comes_back_within_an_hour_is_counted() -> None:
    noisy = [episode(20 * number, 20 * number + 3) for number in range(6)]
    seldom = [episode(0, 500, number=2), episode(700, 800, number=2)]
    assert worst([*seldom, *noisy]) == [(("FU-01", 1), noisy)]
    assert coming_back([*noisy, *seldom]) == 5
    assert returns(noisy)[0] == (noisy[0], noisy[1])


def test_an_alarm_is_fleeting_by_what_lasted_and_not_by_how_its_end_is_delayed() -> None:
    """Twice ten minutes below the limit end it."""
    found = [episode(0, 25), episode(0, 26), episode(0, None)]
    assert fleeting(found, RULES["FU-01"]) == 1


def test_what_crews_found_speaks_for_or_against_a_rule() -> None:
    found = [episode(10, 20), episode(100, None, number=2)]
    visits = [
        Visit("FU-01", 1, 21 * MINUTE, 60 * MINUTE, right=True),
        Visit("FU-01", 2, 101 * MINUTE, 160 * MINUTE, right=False),
        Visit("FU-01", 1, 70 * MINUTE, 90 * MINUTE, right=True),
        Visit("FU-01", 1, 70 * MINUTE, 90 * MINUTE, right=False),
        Visit("FU-03", 1, 10 * MINUTE, 20 * MINUTE, right=True),
    ]
    assert borne_out(found, visits, 200 * MINUTE) == {"FU-01": Borne(1, 1, 1), "FU-03": Borne(0, 0, 1)}


def test_episodes_keep_the_worst_severity_and_what_lasts() -> None:
    changes = told(history(np.full(COUNT, 4.0)), [], "FU-01")
    (lasting,) = episodes(changes)
    assert lasting.cleared is None
    assert lasting.raised_by
