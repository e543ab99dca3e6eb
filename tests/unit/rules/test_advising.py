"""What would have made a noisy device quieter: stories made by hand, and the advice is tried."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from devices.readings import Readings
from devices.registry import Registry
from rules.advising import Advice, Scene, advise
from rules.episodes import Episode, episodes
from rules.hindsight import Hindsight
from rules.local_time import LocalTime
from rules.rule import Hold, Rule

START = 1_795_190_400_000_000  # 2026-11-21 00:00 in the city
MINUTE = 60_000_000
HOURS = 6
Advised = Callable[[Rule, Mapping[float, float | None]], tuple[list[Episode], Advice]]


@pytest.fixture
def advised(registry_of: Callable[..., Registry], local_time: LocalTime, laeq: Callable[..., Readings]) -> Advised:
    """A rule's episodes over levels by minute, and what would have been quieter."""

    def build(rule: Rule, levels: Mapping[float, float | None]) -> tuple[list[Episode], Advice]:
        scene = Scene(laeq(levels), registry_of("noise"), local_time, START, START + HOURS * 60 * MINUTE)
        sight = Hindsight([rule], scene.registry, local_time)
        found = episodes(sight.slice(scene.readings, scene.since, scene.until))
        return found, advise(rule, [], found, scene)

    return build


def calm() -> dict[float, float | None]:
    return dict.fromkeys(range(HOURS * 60), 50.0)


def test_spikes_are_spared_by_a_delay_that_real_trouble_outlasts(
    rule_of: Callable[..., Rule], advised: Advised
) -> None:
    """Six spikes of three readings, two minutes each by what was seen, and one hour of noise; the end is delayed."""
    rule = rule_of("raise: laeq > 60", "clear: laeq < 60", "clear_for: 10m", kind="noise")
    spikes = [minute + more for minute in range(30, 270, 40) for more in range(3)]
    levels = calm() | dict.fromkeys(spikes, 70.0) | dict.fromkeys(range(290, 350), 70.0)
    found, advice = advised(rule, levels)
    assert len(found) == 7
    assert (advice.delay, advice.spared) == (5 * MINUTE, 6)
    delayed = replace(rule, branches=(replace(rule.branches[0], hold=Hold(duration=advice.delay)),))
    (left,) = advised(delayed, levels)[0]
    assert (left.raised - START) // MINUTE == 295


def test_a_value_that_hovers_at_its_limit_is_one_alarm_with_a_deadband(
    rule_of: Callable[..., Rule], advised: Advised
) -> None:
    """For twelve minutes above by 2, then for eight below by 1.5, again and again."""
    rule = rule_of("raise: laeq > 60", kind="noise")
    levels = {float(minute): 62.0 if minute % 20 < 12 else 58.5 for minute in range(200)} | {
        float(minute): 50.0 for minute in range(200, 360)
    }
    found, advice = advised(rule, levels)
    assert len(found) == 10
    assert advice.metric == "laeq"
    assert advice.deadband == pytest.approx(62 - 58.5)
    quieter = rule_of("raise: laeq > 60", f"clear: laeq < 60 - {advice.deadband}", kind="noise")
    assert len(advised(quieter, levels)[0]) == 1


def test_below_a_limit_the_deadband_lies_above(rule_of: Callable[..., Rule], advised: Advised) -> None:
    levels = {float(minute): 40.0 if minute % 20 < 12 else 42.0 for minute in range(200)}
    _, advice = advised(rule_of("raise: laeq < 41", kind="noise"), levels)
    assert (advice.metric, advice.deadband) == ("laeq", 2.0)


def test_the_values_of_windows_are_their_aggregates(rule_of: Callable[..., Rule], advised: Advised) -> None:
    rule = rule_of("input: window", "window: 10m", "raise: mean(laeq) > 60", kind="noise")
    levels = {float(minute): 66.0 if minute // 10 % 2 else 57.0 for minute in range(200)}
    found, advice = advised(rule, levels)
    assert len(found) == 10
    assert (advice.metric, advice.deadband) == ("mean(laeq)", 9.0)


def test_alarms_that_last_and_do_not_come_back_need_no_advice(rule_of: Callable[..., Rule], advised: Advised) -> None:
    levels = calm() | {float(minute): 70.0 for start in (30, 150, 270) for minute in range(start, start + 40)}
    found, advice = advised(rule_of("raise: laeq > 60", kind="noise"), levels)
    assert len(found) == 3
    assert advice == Advice()


def test_a_silence_that_is_seldom_long_is_spared_by_a_longer_one(
    rule_of: Callable[..., Rule], advised: Advised
) -> None:
    """Every hour a quarter without a message; a silence of ten minutes is too short to tell."""
    rule = rule_of("input: silence", "raise: [{ silent: 10m }]", kind="noise")
    levels = {minute: level for minute, level in calm().items() if minute % 60 >= 16}
    found, advice = advised(rule, levels)
    assert len(found) == HOURS - 1
    assert (advice.delay, advice.spared) == (20 * MINUTE, HOURS - 1)
