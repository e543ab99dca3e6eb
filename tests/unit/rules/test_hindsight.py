"""Rules over history find what the engine finds live, however the history is cut, and say what would be quieter."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.kind import load_kinds
from devices.readings import NO_SEQUENCE, Readings
from devices.registry import Device, Registry
from rules.durations import MICROS
from rules.episodes import MINUTE, Episode, cases, difference, episodes, load, worst
from rules.hindsight import Hindsight
from rules.local_time import LocalTime
from rules.packs import load_packs
from rules.rule import Severity
from rules.verdicts import Transition

KINDS = load_kinds()
RULES = {rule.id: rule for rule in load_packs(KINDS)}
FUME = KINDS["fume"]
ZONE = ZoneInfo("Asia/Shanghai")
START = round(datetime(2026, 11, 20, 10, tzinfo=ZONE).timestamp() * MICROS)
HOURS = 4
COUNT = HOURS * 60


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
    whole = told(history(fume), [], "FU-01", "FU-03")
    assert {change.rule_id for change in whole} == {"FU-01"}
    assert told(history(fume), edges, "FU-01", "FU-03") == whole


def test_a_silence_is_found_and_ends() -> None:
    """Within business hours, half an hour without a message."""
    changes = told(history(np.full(COUNT, 0.5), slice(60, 150)), [70, 100], "FU-08")
    assert [(change.change.value, change.device) for change in changes] == [("raised", 1), ("cleared", 1)]
    raised, cleared = (round((change.at - START) / MINUTE) for change in changes)
    assert 89 <= raised <= 95
    assert 150 <= cleared <= 160


def episode(raised: int, cleared: int | None, number: int = 1, rule_id: str = "FU-01", **values: float) -> Episode:
    ended = {name: value - 0.2 for name, value in values.items()}
    end = None if cleared is None else cleared * MINUTE
    return Episode(rule_id, number, Severity.MINOR, raised * MINUTE, end, values, ended)


def test_one_open_case_for_each_facility_and_problem() -> None:
    found = [episode(0, 10), episode(5, 30, rule_id="FU-05"), episode(8, 9), episode(40, None), episode(0, 3, number=2)]
    rules = {"FU-01": RULES["FU-01"], "FU-05": RULES["FU-01"]}
    assert cases(found, rules, 100 * MINUTE) == {"FU-01": 3}, "what overlaps is one case, whoever raised it"


def test_alarms_are_counted_by_ten_minutes() -> None:
    assert sorted(load([episode(1, 2), episode(3, 4), episode(11, 12)]).values()) == [1, 2]


def test_difference_is_by_overlap_and_not_by_the_minute() -> None:
    first, second = [episode(0, 10), episode(50, 60)], [episode(2, 12), episode(80, None)]
    changed = difference(first, second, 100 * MINUTE)
    assert (changed.both, changed.only_first, changed.only_second) == (1, (first[1],), (second[1],))


def test_short_episodes_suggest_a_delay_and_quick_returns_a_deadband() -> None:
    noisy = [episode(10 * number, 10 * number + 3, fume=2.3) for number in range(6)]
    (advice,) = worst([*noisy, episode(0, 500, number=2)])
    assert (advice.device, advice.episodes, advice.delay, advice.spared) == (1, 6, 5 * MINUTE, 6)
    assert advice.metric == "fume"
    assert advice.deadband == pytest.approx(0.2)


def test_episodes_keep_the_worst_severity_and_what_lasts() -> None:
    changes = told(history(np.full(COUNT, 4.0)), [], "FU-01")
    (lasting,) = episodes(changes)
    assert lasting.cleared is None
    assert lasting.raised_by
