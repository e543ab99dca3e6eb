"""What rules make of readings that are frozen, repeated or skewed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from devices.quality import Quality
from devices.readings import Readings
from devices.registry import Registry
from rules.engine import Engine
from rules.expressions import compile_condition
from rules.frame import Frame
from rules.local_time import LocalTime
from rules.rule import Rule
from rules.verdicts import Transition, Verdicts

START = 1_795_190_400_000_000
MINUTE = 60_000_000
RuleOf = Callable[..., Rule]
Told = Callable[..., list[str]]


@pytest.fixture(scope="session")
def told(
    rule_of: RuleOf,
    registry_of: Callable[..., Registry],
    table_of: Callable[..., Readings],
    local_time: LocalTime,
) -> Told:
    """What a rule says of minutes, each a level and a doubt about it."""

    def judge(lines: tuple[str, ...], *minutes: tuple[float, Quality]) -> list[str]:
        engine, found = Engine([rule_of(*lines, kind="noise")], registry_of("noise"), local_time), list[Transition]()
        for minute, (laeq, doubt) in enumerate(minutes):
            verdicts = engine.step([table_of("noise", [(1, START + minute * MINUTE, {"laeq": laeq})], doubt)])
            assert verdicts.crashes == []
            engine.apply(verdicts)
            found += verdicts.transitions
        return [f"{(each.at - START) // MINUTE} {each.change}" for each in found]

    return judge


AT_ONCE = ("raise: laeq > 60",)
GOOD, FROZEN, REPEATED = Quality.GOOD, Quality.FROZEN, Quality.REPEATED


@pytest.mark.parametrize("doubt", [FROZEN, REPEATED, Quality.LATE])
def test_a_doubtful_reading_raises_nothing(told: Told, doubt: Quality) -> None:
    assert told(AT_ONCE, (70, doubt)) == []


@pytest.mark.parametrize("doubt", [FROZEN, REPEATED, Quality.LATE])
def test_a_doubtful_reading_ends_nothing(told: Told, doubt: Quality) -> None:
    assert told(AT_ONCE, (70, GOOD), (50, doubt), (50, GOOD)) == ["0 raised", "2 cleared"]


@pytest.mark.parametrize("doubt", [FROZEN, REPEATED])
def test_a_doubtful_reading_neither_feeds_nor_breaks_a_delay(told: Told, doubt: Quality) -> None:
    delayed = ("raise: laeq > 60", "for: {samples: 3}")
    assert told(delayed, (70, GOOD), (70, GOOD), (70, doubt), (50, doubt)) == []
    assert told(delayed, (70, GOOD), (70, GOOD), (50, doubt), (70, GOOD)) == ["3 raised"]


def test_a_clock_that_is_somewhat_ahead_is_believed(told: Told) -> None:
    assert told(AT_ONCE, (70, Quality.SKEWED), (50, Quality.SKEWED)) == ["0 raised", "1 cleared"]


def test_a_repeated_reading_is_not_looked_at_even_by_a_rule_that_needs_no_metric(
    rule_of: RuleOf, registry_of: Callable[..., Registry], table_of: Callable[..., Readings], local_time: LocalTime
) -> None:
    engine = Engine([rule_of("raise: night or not night", kind="noise")], registry_of("noise"), local_time)
    assert engine.step([table_of("noise", [(1, START, {"laeq": 70})], REPEATED)]) == Verdicts()
    assert len(engine.step([table_of("noise", [(1, START, {"laeq": 70})], FROZEN)]).transitions) == 1


def test_no_metric_of_a_frozen_reading_is_known(
    registry_of: Callable[..., Registry],
    table_of: Callable[..., Readings],
    local_time: LocalTime,
) -> None:
    table = table_of("noise", [(1, START, {"laeq": 70, "rain": 0}), (1, START + 1, {"laeq": 200, "rain": 0})])
    quality = np.array([int(FROZEN), int(Quality.IMPLAUSIBLE)])
    frame = Frame(replace(table, quality=quality), registry_of("noise"), local_time)
    assert np.isnan(frame.metric("laeq")).tolist() == [True, True]
    assert np.isnan(frame.metric("rain")).tolist() == [True, False]
    sent = compile_condition("sent(rain)", registry_of("noise").kinds["noise"]).truth(frame)
    assert sent.true.tolist() == [False, True]
    assert table.metric("laeq").tolist() == [70, 200], "the readings themselves stay as they were sent"
