"""Readings that come after newer ones: they are stored and not judged. What that means for the state of a rule.

A late reading neither raises nor ends anything. So a rule ends where it would have ended in order as soon as it has
observed, after the late reading's time, one whole delay of its own; before that it may differ by what this one
reading would have counted. These tests say exactly how.
"""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.quality import Quality
from devices.readings import Readings
from devices.registry import Registry
from rules.engine import Engine
from rules.local_time import LocalTime
from rules.rule import Rule
from rules.verdicts import Key, RuleState, Transition

START = 1_795_190_400_000_000
MINUTE = 60_000_000
AT_ONCE = ("raise: laeq > 60",)
FIVE_MINUTES = ("raise: laeq > 60", "for: 5m", "clear_for: 5m")
THREE_IN_A_ROW = ("raise: laeq > 60", "for: {samples: 3}")
THREE_WITHIN = ("raise: laeq > 60", "for: {samples: 3, within: 10m}", "clear_for: 2m")
RULES = [
    AT_ONCE,
    FIVE_MINUTES,
    THREE_IN_A_ROW,
    THREE_WITHIN,
    ("raise: laeq > 60", "for: {samples: 3, or: 4m}", "clear: laeq < 55", "clear_for: {samples: 2}"),
    ("raise: [{when: laeq > 60, for: 5m}, {when: laeq > 80, severity: critical}]", "clear: laeq < 55", "clear_for: 3m"),
]
Reading = tuple[int, float]  # minute, level
Outcome = tuple[list[str], dict[Key, RuleState]]
Told = Callable[[Sequence[str], Sequence[Reading]], Outcome]


@pytest.fixture(scope="session")
def told(
    rule_of: Callable[..., Rule],
    registry_of: Callable[..., Registry],
    table_of: Callable[..., Readings],
    local_time: LocalTime,
) -> Told:
    """What a rule makes of readings in the order of their arrival, each in a batch of its own."""

    def judge(lines: Sequence[str], arrivals: Sequence[Reading]) -> Outcome:
        engine = Engine([rule_of(*lines, kind="noise")], registry_of("noise"), local_time)
        states, found, newest = dict[Key, RuleState](), list[Transition](), -1
        for minute, laeq in arrivals:
            quality = Quality.LATE if minute <= newest else Quality.GOOD
            newest = max(newest, minute)
            verdicts = engine.step([table_of("noise", [(1, START + minute * MINUTE, {"laeq": laeq})], quality)])
            engine.apply(verdicts)
            found += verdicts.transitions
            states.update({key: state for key, state in verdicts.states.items() if state is not None})
            for key in [key for key, state in verdicts.states.items() if state is None]:
                states.pop(key, None)
        return [f"{(each.at - START) // MINUTE} {each.change} {each.severity.name}" for each in found], states

    return judge


def swapped(*levels: float) -> tuple[list[Reading], list[Reading]]:
    """Minutes from 1 on in order, and with the fourth before the third."""
    in_order = list(enumerate(levels, start=1))
    return in_order, [*in_order[:2], in_order[3], in_order[2], *in_order[4:]]


@pytest.mark.parametrize("levels", [(50, 50, 50, 70), (70, 70, 70, 50), (50, 70, 70, 70), (70, 50, 50, 50)])
def test_without_a_delay_the_newest_reading_decides_in_whatever_order_they_came(
    told: Told, levels: tuple[float, ...]
) -> None:
    in_order, out_of_order = swapped(*levels)
    assert told(AT_ONCE, out_of_order) == told(AT_ONCE, in_order)


def test_what_lasted_for_one_late_reading_only_is_history(told: Told) -> None:
    in_order, out_of_order = swapped(50, 50, 70, 50)
    assert told(AT_ONCE, in_order) == (["3 raised MINOR", "4 cleared MINOR"], {})
    assert told(AT_ONCE, out_of_order) == ([], {})


def test_a_delay_by_time_does_not_miss_a_late_reading_that_agrees_with_its_neighbours(told: Told) -> None:
    in_order, out_of_order = swapped(*[70] * 6)
    assert told(FIVE_MINUTES, in_order)[0] == told(FIVE_MINUTES, out_of_order)[0] == ["6 raised MINOR"]


def test_a_late_quiet_minute_does_not_interrupt_a_delay(told: Told) -> None:
    in_order, out_of_order = swapped(70, 70, 50, 70, 70, 70)
    assert told(FIVE_MINUTES, in_order)[0] == []
    assert told(FIVE_MINUTES, out_of_order)[0] == ["6 raised MINOR"]


def test_a_late_reading_does_not_count_as_a_sample(told: Told) -> None:
    for rule in (THREE_IN_A_ROW, THREE_WITHIN):
        in_order, out_of_order = swapped(50, 70, 70, 70, 70)
        assert told(rule, in_order)[0] == ["4 raised MINOR"]
        assert told(rule, out_of_order)[0] == ["5 raised MINOR"], "one reading later"


MINUTES = st.lists(st.sampled_from([50.0, 58.0, 65.0, 85.0]), min_size=2, max_size=15)


@st.composite
def arrivals(draw: st.DrawFn, tail: float) -> tuple[list[Reading], list[Reading]]:
    """A story in order, and with some of its readings late; then as long a time of one level as any delay takes."""
    story = list(enumerate(draw(MINUTES)))
    order = draw(st.permutations(story))
    after = [(len(story) + minute, tail) for minute in range(15)]
    return [*story, *after], [*order, *after]


@given(lines=st.sampled_from(RULES), stories=arrivals(50))
def test_after_one_delay_of_quiet_no_late_reading_has_left_a_trace(
    told: Told, lines: Sequence[str], stories: tuple[list[Reading], list[Reading]]
) -> None:
    in_order, out_of_order = stories
    assert told(lines, out_of_order)[1] == told(lines, in_order)[1] == {}


@given(lines=st.sampled_from(RULES), stories=arrivals(85))
def test_after_one_delay_of_trouble_the_alarm_stands_whatever_came_late(
    told: Told, lines: Sequence[str], stories: tuple[list[Reading], list[Reading]]
) -> None:
    ends = [told(lines, story)[1]["T-01", 1] for story in stories]
    assert [(end.active, end.clearing) for end in ends] == [(True, None)] * 2
    assert ends[0].severity == ends[1].severity


@given(levels=MINUTES, late=st.sets(st.integers(1, 13)), rule=st.sampled_from([AT_ONCE, FIVE_MINUTES]))
def test_late_readings_that_agree_with_their_neighbours_defer_a_delay_by_time_to_the_next_reading_at_most(
    told: Told, levels: list[float], late: set[int], rule: Sequence[str]
) -> None:
    in_order = list(enumerate(levels))
    loud = [level > 60 for level in levels]
    held = {
        at
        for at in late
        if at + 1 < len(levels) and loud[at - 1] == loud[at] == loud[at + 1] and not late & {at - 1, at + 1}
    }
    on_time = [reading for reading in in_order if reading[0] not in held]
    at_the_end = [*on_time, *(in_order[at] for at in sorted(held))]
    found, expected = ([each.partition(" ") for each in told(rule, arrivals)[0]] for arrivals in (at_the_end, in_order))
    assert [change for _, _, change in found] == [change for _, _, change in expected]
    assert all(0 <= int(a) - int(b) <= 1 for (a, _, _), (b, _, _) in zip(found, expected, strict=True))
