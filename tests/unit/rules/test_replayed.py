from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cityward.explanation import compared
from devices.readings import Readings
from devices.registry import Registry
from rules import explaining
from rules.frame import Frame
from rules.local_time import LocalTime
from rules.packs import PackError, rule_as_written
from rules.rule import Rule
from rules.verdicts import Change, Transition

START = 1_795_190_400_000_000  # 2026-11-21 00:00 in the city
MINUTE = 60_000_000
MINUTES = 240
RULES = (
    ("raise: laeq > 60",),
    ("raise: laeq > 60", "for: 5m", "clear: laeq < 55", "clear_for: 3m"),
    ("raise: laeq > 60", "for: { samples: 3, within: 10m }"),
    ("input: window", "window: 10m", "raise: mean(laeq) > 60", "for: { samples: 2 }", "clear: mean(laeq) < 55"),
    ("input: window", "window: { length: 20m, every: 5m }", "raise: max(laeq) > 60", "clear: max(laeq) < 60"),
)
Levels = Callable[..., Readings]


def replayed(rule: Rule, surroundings: Frame, since: int, until: int) -> list[Transition]:
    """What comes of the stored readings from ``since`` on."""
    whole = surroundings.readings
    start = explaining.read_since(rule, since)
    piece = whole.where((whole.ts >= start) & (whole.ts <= until))
    return explaining.replay(rule, piece, surroundings, since, until)


@pytest.mark.parametrize("lines", RULES, ids=[" ".join(lines) for lines in RULES])
@settings(max_examples=40)
@given(loud=st.lists(st.tuples(st.integers(0, MINUTES), st.integers(1, 40)), max_size=6))
def test_what_was_raised_is_raised_again_by_the_readings_around_it_alone(
    lines: tuple[str, ...],
    loud: list[tuple[int, int]],
    rule_of: Callable[..., Rule],
    registry_of: Callable[..., Registry],
    local_time: LocalTime,
    laeq: Levels,
) -> None:
    rule = rule_of(*lines, kind="noise")
    levels = dict.fromkeys(range(MINUTES), 50.0)
    for start, minutes in loud:
        levels |= dict.fromkeys(range(start, min(start + minutes, MINUTES)), 70.0)
    surroundings = Frame(laeq(levels), registry_of("noise"), local_time)
    history = replayed(rule, surroundings, START - 60 * MINUTE, START + MINUTES * MINUTE)
    ends = [each.at for each in history if each.change is Change.CLEARED]
    for each in history:
        if each.change is Change.RAISED:
            since = explaining.judged_since(rule, each.detail, each.at, ends)
            again = replayed(rule, surroundings, since, each.at)
            assert list(compared(again, each.at, int(each.severity))) == []


def test_what_is_different_is_said(
    rule_of: Callable[..., Rule], registry_of: Callable[..., Registry], local_time: LocalTime, laeq: Levels
) -> None:
    rule = rule_of("raise: laeq > 60", kind="noise")
    surroundings = Frame(laeq({0: 50, 1: 70}), registry_of("noise"), local_time)
    found = replayed(rule, surroundings, START, START + MINUTE)
    assert list(compared(found, START, 2)) == ["it would be raised 60 s later"]
    assert list(compared(found, START + 2 * MINUTE, 2)) == ["it would be raised 60 s earlier"]
    assert list(compared(found, START + MINUTE, 4)) == ["the severity would be minor"]
    assert list(compared([], START, 2)) == ["nothing would be raised"]


def test_a_rule_is_read_again_from_its_text(rule_of: Callable[..., Rule], registry_of: Callable[..., Registry]) -> None:
    kinds, rule = registry_of("noise").kinds, rule_of("raise: laeq > 60", kind="noise")
    again = rule_as_written(rule.text, kinds)
    assert (again.id, again.version, again.text) == (rule.id, rule.version, rule.text)
    with pytest.raises(PackError, match="loudness"):
        rule_as_written(rule.text.replace("laeq", "loudness"), kinds)
    with pytest.raises(PackError, match="not one rule"):
        rule_as_written("[]", kinds)


@pytest.mark.parametrize(("quality", "words"), [(0, "good"), (1, "late"), (9, "late, frozen")])
def test_doubts_are_words(quality: int, words: str) -> None:
    assert explaining.doubts(quality) == words
