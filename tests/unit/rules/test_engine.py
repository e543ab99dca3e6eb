from collections.abc import Callable, Mapping

from alarms.memory import follow
from devices.kind import Kind
from devices.readings import Readings
from rules.engine import Engine
from rules.rule import Rule, Severity
from rules.verdicts import Change, RuleState, Verdicts
from tests.unit.rules.engines import MINUTE, SECOND, START, feed, steady, stored, told

RuleOf = Callable[..., Rule]
EngineOf = Callable[..., Engine]
Laeq = Callable[..., Readings]


LOUD = ("raise: laeq > 60", "for: 10m", "clear_for: 5m")


def test_a_delay_counts_event_time(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    found = feed(engine_of(rule_of(*LOUD, kind="noise")), laeq(steady(70, range(30))))
    assert told(found) == [(10, Change.RAISED, Severity.MINOR)]
    assert found[0].detail == {
        "because": "laeq > 60",
        "values": {"laeq": 70.0},
        "since": START,
        "samples": 11,
    }


def test_a_rule_at_rest_says_and_writes_nothing(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    verdicts = engine_of(rule_of(*LOUD, kind="noise")).step([laeq(steady(50, range(30)))])
    assert verdicts == Verdicts()


def test_only_what_changes_is_written(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    engine = engine_of(rule_of(*LOUD, kind="noise"))
    feed(engine, laeq(steady(70, range(15))))
    assert engine.step([laeq(steady(70, range(15, 20)))]).states == {}


def test_a_rule_that_comes_to_rest_leaves_nothing_behind(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    engine = engine_of(rule_of(*LOUD, kind="noise"))
    feed(engine, laeq({0: 70}))
    assert engine.step([laeq({1: 50})]).states == {("T-01", 1): None}
    feed(engine, laeq(steady(70, range(2, 20))))
    assert engine.step([laeq(steady(50, range(20, 26)))]).states == {("T-01", 1): None}


def test_a_value_above_the_limit_and_then_silence_is_no_alarm(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    engine = engine_of(rule_of(*LOUD, kind="noise"))
    assert feed(engine, laeq({0: 70, 1: 70})) == []
    assert feed(engine, laeq({60: 70, 61: 70})) == []


def test_a_reading_without_the_metric_neither_starts_nor_ends_anything(
    engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq
) -> None:
    engine = engine_of(rule_of(*LOUD, kind="noise"))
    found = feed(engine, laeq({minute: 70 if minute % 2 == 0 else None for minute in range(11)}))
    assert told(found) == [(10, Change.RAISED, Severity.MINOR)]
    assert feed(engine, laeq(steady(None, range(11, 60)))) == []


def test_an_active_alarm_stays_active_through_silence(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    engine = engine_of(rule_of(*LOUD, kind="noise"))
    assert told(feed(engine, laeq(steady(70, range(11))))) == [(10, Change.RAISED, Severity.MINOR)]
    # Two good readings a day apart are not five minutes of observed quiet.
    assert feed(engine, laeq({1440: 50}), laeq({2880: 50})) == []
    assert told(feed(engine, laeq(steady(50, range(2881, 2890))))) == [(2885, Change.CLEARED, Severity.MINOR)]


def test_one_loud_minute_begins_the_wait_for_quiet_anew(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    engine = engine_of(rule_of(*LOUD, kind="noise"))
    levels = steady(70, range(11)) | steady(50, range(11, 15)) | {15: 70} | steady(50, range(16, 30))
    assert told(feed(engine, laeq(levels)))[1:] == [(21, Change.CLEARED, Severity.MINOR)]


def test_between_raise_and_clear_condition_an_alarm_stays(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    engine = engine_of(rule_of("raise: laeq > 60", "clear: laeq < 55", kind="noise"))
    levels = {0: 61, 1: 58, 2: 61, 3: 55, 4: 54}
    assert told(feed(engine, laeq(levels))) == [(0, Change.RAISED, Severity.MINOR), (4, Change.CLEARED, Severity.MINOR)]


def test_the_end_of_an_alarm_says_what_ended_it(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    with_clear = engine_of(rule_of("raise: laeq > 60", "clear: laeq < 55", kind="noise"))
    without = engine_of(rule_of("raise: laeq > 60", kind="noise"))
    assert feed(with_clear, laeq({0: 70, 1: 50}))[1].detail == {"because": "laeq < 55", "values": {"laeq": 50.0}}
    assert feed(without, laeq({0: 70, 1: 50}))[1].detail == {"because": "no raise condition holds any more"}


def test_while_a_raise_condition_holds_nothing_is_cleared(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    engine = engine_of(rule_of("raise: laeq > 60", "clear: laeq < 80", kind="noise"))
    assert told(feed(engine, laeq(steady(70, range(5))))) == [(0, Change.RAISED, Severity.MINOR)]


def test_the_memory_of_a_rule_that_left_the_packs_is_left_alone(
    engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq
) -> None:
    engine = engine_of(rule_of(*LOUD, kind="noise"), states={("GONE", 1): RuleState(active=True, severity=2)})
    assert feed(engine, laeq(steady(50, range(5)))) == []


def test_a_rule_that_gained_a_branch_observes_afresh_and_keeps_its_alarm(
    engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq
) -> None:
    one = engine_of(rule_of("raise: laeq > 60", kind="noise"))
    verdicts = one.step([laeq({0: 70})])
    states = {key: state for key, state in verdicts.states.items() if state is not None}
    both = rule_of("raise: [{when: laeq > 60}, {when: rain > 5}]", kind="noise")
    verdicts = engine_of(both, states=stored(states)).step([laeq({1: 50})])
    assert verdicts.transitions == []  # whether it rains is not known, hence not whether the alarm is over
    assert verdicts.states["T-01", 1] == RuleState(active=True, severity=2, raising=(None, None))


def test_the_worst_severity_whose_condition_holds_is_given(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    rule = rule_of(
        "raise: laeq > 60", "severity: {default: minor, major: laeq > 70, critical: laeq > 80}", kind="noise"
    )
    for level, severity in [(65, Severity.MINOR), (75, Severity.MAJOR), (85, Severity.CRITICAL)]:
        assert told(feed(engine_of(rule), laeq({0: level}))) == [(0, Change.RAISED, severity)]


def test_severity_rises_while_the_alarm_stands_and_never_falls(
    engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq
) -> None:
    rule = rule_of("raise: laeq > 60", "severity: {default: minor, critical: laeq > 80}", kind="noise")
    found = feed(engine_of(rule), laeq({0: 65, 1: 85, 2: 65, 3: 85, 4: 50, 5: 65}))
    assert told(found) == [
        (0, Change.RAISED, Severity.MINOR),
        (1, Change.ESCALATED, Severity.CRITICAL),
        (4, Change.CLEARED, Severity.CRITICAL),
        (5, Change.RAISED, Severity.MINOR),
    ]


def test_an_unknown_severity_condition_leaves_the_default(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    rule = rule_of("raise: laeq > 60", "severity: {default: minor, critical: rain > 5}", kind="noise")
    assert told(feed(engine_of(rule), laeq({0: 70}))) == [(0, Change.RAISED, Severity.MINOR)]


def test_a_reading_that_does_not_show_the_condition_does_not_make_it_worse(
    engine_of: EngineOf, rule_of: RuleOf, table_of: Callable[..., Readings]
) -> None:
    rule = rule_of("raise: laeq > 60", "severity: {default: minor, critical: rain > 5}", kind="noise")
    rows = [
        (1, START, {"laeq": 70}),
        (1, START + MINUTE, {"rain": 6}),
        (1, START + 2 * MINUTE, {"laeq": 70, "rain": 6}),
    ]
    assert told(feed(engine_of(rule), table_of("noise", rows))) == [
        (0, Change.RAISED, Severity.MINOR),
        (2, Change.ESCALATED, Severity.CRITICAL),
    ]


BRANCHES = (
    "raise: [{when: laeq > 80, for: {samples: 2}, severity: critical}, {when: laeq > 60, severity: minor}]",
    "clear: laeq < 55",
)


def test_a_branch_with_its_own_delay_escalates_when_that_has_passed(
    engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq
) -> None:
    found = feed(engine_of(rule_of(*BRANCHES, kind="noise")), laeq({0: 85, 1: 65, 2: 85, 3: 85, 4: 50}))
    assert told(found) == [
        (0, Change.RAISED, Severity.MINOR),
        (3, Change.ESCALATED, Severity.CRITICAL),
        (4, Change.CLEARED, Severity.CRITICAL),
    ]
    assert found[1].detail["because"] == "laeq > 80"
    assert found[1].detail["since"] == START + 2 * MINUTE


def test_what_raised_an_alarm_must_be_seen_anew_after_it_cleared(
    engine_of: EngineOf, rule_of: RuleOf, table_of: Callable[..., Readings]
) -> None:
    # The clear condition looks at another metric: no reading says that the tilt has ended.
    rule = rule_of("raise: tilt > 15", "for: {samples: 2}", 'clear: open_state == "closed"')
    story: list[dict[str, float | str]] = [
        {"tilt": 20}, {"tilt": 20}, {"open_state": "closed"}, {"tilt": 20}, {"tilt": 20},
    ]  # fmt: skip
    rows = [(1, START + minute * MINUTE, metrics) for minute, metrics in enumerate(story)]
    assert told(feed(engine_of(rule, kind="manhole"), table_of("manhole", rows))) == [
        (1, Change.RAISED, Severity.MINOR),
        (2, Change.CLEARED, Severity.MINOR),
        (4, Change.RAISED, Severity.MINOR),
    ]


def test_devices_are_judged_each_for_itself(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    engine = engine_of(rule_of("raise: laeq > 60", "for: {samples: 2}", kind="noise"))
    feed(engine, laeq({0: 70}), laeq({0: 70}, device=2))
    found = feed(engine, laeq({1: 50}), laeq({1: 70}, device=2))
    assert [(each.device, each.change) for each in found] == [(2, Change.RAISED)]


def test_a_rule_looks_at_its_own_kind_only(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    engine = engine_of(rule_of("raise: temperature > 60", kind="manhole"))
    assert engine.step([laeq({0: 70})]) == Verdicts()


def test_flapping_two_hundred_times_an_hour_stays_one_alarm(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    engine = engine_of(rule_of("raise: laeq > 60", kind="noise"))
    found = feed(engine, laeq({step * 0.15: 70 if step % 2 == 0 else 50 for step in range(400)}))
    assert [each.change for each in found] == [Change.RAISED, Change.CLEARED] * 200
    (story,) = follow(found, {})
    assert (story.alarm.occurrences, story.alarm.active) == (200, False)


def test_kinds_know_their_usual_gap(rule_of: RuleOf, kinds: Mapping[str, Kind]) -> None:
    for name, kind in kinds.items():
        assert rule_of("raise: night", kind=name).max_gap == round(kind.interval.total_seconds() * 3 * SECOND)
    assert rule_of("raise: night", "max_gap: 30m", kind="noise").max_gap == 30 * MINUTE
