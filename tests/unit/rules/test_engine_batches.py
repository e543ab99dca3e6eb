from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from devices.quality import Quality
from devices.readings import Readings
from devices.registry import Registry
from devices.topics import device_topic
from ingest.decoding import Decoder
from ingest.messages import Batch, Message
from rules.engine import Engine
from rules.expressions import Expression
from rules.frame import Frame
from rules.rule import Rule, Severity
from rules.truth import Truth
from rules.verdicts import Change, Key, RuleState, Transition, Verdicts
from tests.unit.rules.engines import MINUTE, SECOND, START, feed, steady, stored, told

Row = tuple[int, int, Mapping[str, Any]]
RuleOf = Callable[..., Rule]
EngineOf = Callable[..., Engine]
Laeq = Callable[..., Readings]


def remember(states: dict[Key, RuleState], verdicts: Verdicts) -> None:
    """What storage does with a commit."""
    for key, state in verdicts.states.items():
        if state is None:
            states.pop(key, None)
        else:
            states[key] = state


LOUD = ("raise: laeq > 60", "for: 10m", "clear_for: 5m")


BRANCHES = (
    "raise: [{when: laeq > 80, for: {samples: 2}, severity: critical}, {when: laeq > 60, severity: minor}]",
    "clear: laeq < 55",
)


def test_messages_out_of_order_within_a_batch_are_judged_in_event_order(
    engine_of: EngineOf, rule_of: RuleOf, registry_of: Callable[..., Registry]
) -> None:
    levels = {1: 70, 2: 70, 4: 50, 3: 70}  # in order of arrival; the third loud minute in a row came last
    meter = registry_of("noise").devices[1]
    topic = device_topic(meter.district, meter.kind, meter.device_id)
    messages = [
        Message(topic, msgspec.json.encode({"ts": (START + minute * MINUTE) // 1000, "m": {"laeq": level}}), number, 1)
        for number, (minute, level) in enumerate(levels.items())
    ]
    decoded = Decoder(registry_of("noise")).decode(Batch(messages, START + 5 * MINUTE))
    engine = engine_of(rule_of("raise: laeq > 60", "for: {samples: 3}", kind="noise"))
    assert told(feed(engine, *decoded.readings)) == [
        (3, Change.RAISED, Severity.MINOR),
        (4, Change.CLEARED, Severity.MINOR),
    ]


def test_late_readings_raise_nothing_and_clear_nothing(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    engine = engine_of(rule_of("raise: laeq > 60", kind="noise"))
    assert engine.step([laeq(steady(90, range(60)), quality=Quality.LATE)]) == Verdicts()
    feed(engine, laeq({100: 70}))
    late = Quality.LATE | Quality.IMPLAUSIBLE
    assert engine.step([laeq(steady(50, range(60)), quality=late)]) == Verdicts()


def test_late_readings_do_not_hide_the_live_ones_beside_them(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    readings = laeq({0: 90, 1: 50, 2: 70})
    readings.quality[:2] = int(Quality.LATE)
    engine = engine_of(rule_of("raise: laeq > 60", kind="noise"))
    assert told(feed(engine, readings)) == [(2, Change.RAISED, Severity.MINOR)]


def test_two_hours_uploaded_at_once_are_judged_at_the_times_of_their_readings(
    engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq
) -> None:
    levels = steady(50, range(40)) | steady(70, range(40, 60)) | steady(50, range(60, 120))
    found = feed(engine_of(rule_of(*LOUD, kind="noise")), laeq(levels))
    assert told(found) == [(50, Change.RAISED, Severity.MINOR), (65, Change.CLEARED, Severity.MINOR)]


def test_a_rule_that_crashes_is_benched_and_the_others_go_on(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    def explode(_frame: Frame) -> object:
        raise ZeroDivisionError("a bug")

    sound = rule_of("raise: laeq > 60", kind="noise", rule_id="SOUND")
    broken = replace(sound, id="BROKEN", branches=(replace(sound.branches[0], when=Expression("bug", (), explode)),))
    engine = engine_of(broken, sound)
    verdicts = engine.step([laeq({0: 70})])
    assert [(crash.rule_id, crash.detail) for crash in verdicts.crashes] == [("BROKEN", "ZeroDivisionError: a bug")]
    assert [(each.rule_id, each.change) for each in verdicts.transitions] == [("SOUND", Change.RAISED)]
    engine.apply(verdicts)
    after = engine.step([laeq({1: 50})])
    assert after.crashes == []
    assert [(each.rule_id, each.change) for each in after.transitions] == [("SOUND", Change.CLEARED)]


def test_a_rule_that_crashes_on_one_reading_leaves_no_half_of_its_verdicts(
    engine_of: EngineOf, rule_of: RuleOf, table_of: Callable[..., Readings]
) -> None:
    def choke(frame: Frame) -> Truth:
        if frame.readings.device[0] == 2:
            raise ValueError("a bug")
        return Truth.known(frame.metric("laeq") > 60)

    rule = rule_of("raise: laeq > 60", kind="noise")
    rule = replace(rule, severity_when=((Severity.CRITICAL, Expression("bug", (), choke)),))
    one, two = ((device, START, {"laeq": 70}) for device in (1, 2))
    assert len(engine_of(rule).step([table_of("noise", [one])]).transitions) == 1
    verdicts = engine_of(rule).step([table_of("noise", [one, two])])
    assert verdicts.transitions == []
    assert verdicts.states == {}
    assert [crash.rule_id for crash in verdicts.crashes] == ["T-01"]


def test_step_is_pure_and_only_apply_remembers(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    engine = engine_of(rule_of("raise: laeq > 60", "for: {samples: 2}", kind="noise"))
    feed(engine, laeq({0: 70}))
    first = engine.step([laeq({1: 70})])
    assert engine.step([laeq({1: 70})]) == first
    assert told(first.transitions) == [(1, Change.RAISED, Severity.MINOR)]
    engine.apply(first)
    assert engine.step([laeq({2: 70})]) == Verdicts()


def test_a_batch_that_was_rolled_back_is_judged_the_same_again(
    engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq
) -> None:
    engine = engine_of(rule_of(*LOUD, kind="noise"))
    lost = engine.step([laeq(steady(70, range(11)))])
    assert feed(engine, laeq(steady(70, range(11)))) == lost.transitions


def test_a_restart_in_minute_seven_of_ten_changes_nothing(engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq) -> None:
    rule, states = rule_of(*LOUD, kind="noise"), dict[Key, RuleState]()
    before = engine_of(rule).step([laeq(steady(70, range(8)))])
    remember(states, before)
    assert before.transitions == []
    restarted = engine_of(rule, states=stored(states))
    assert told(feed(restarted, laeq({8: 70, 9: 70, 10: 70}))) == [(10, Change.RAISED, Severity.MINOR)]


RULES = [
    ("raise: laeq > 60",),
    ("raise: laeq > 60", "for: {samples: 2}", "clear_for: 4m"),
    LOUD,
    ("raise: laeq > 60", "for: {samples: 3, or: 5m}", "clear: laeq < 55", "clear_for: {samples: 2}"),
    ("raise: laeq > 60", "for: {samples: 3, within: 12m}", "clear_for: 3m"),
    ("raise: laeq > 60", "for: 4m", "severity: {default: minor, major: laeq > 70, critical: rain > 5}"),
    (*BRANCHES, "clear_for: 2m"),
    (
        "raise: [{when: laeq > 80, severity: critical}, {when: rain > 5, for: {samples: 2}, severity: major}]",
        "clear: laeq < 55",
    ),
]


_readings = st.tuples(
    st.sampled_from([1, 2]),
    st.sampled_from([10, 60, 60, 60, 120, 180, 181, 700]),
    st.fixed_dictionaries(
        {}, optional={"laeq": st.sampled_from([50, 54, 58, 65, 75, 85]), "rain": st.sampled_from([0, 6])}
    ),
)


@given(
    lines=st.sampled_from(RULES),
    story=st.lists(_readings, max_size=40),
    cuts=st.sets(st.integers(0, 40)),
    restarts=st.booleans(),
)
def test_however_a_series_is_cut_into_batches_the_verdicts_are_the_same(
    engine_of: EngineOf,
    rule_of: RuleOf,
    table_of: Callable[..., Readings],
    lines: Sequence[str],
    story: list[tuple[int, int, dict[str, float]]],
    cuts: set[int],
    restarts: bool,  # noqa: FBT001 - drawn
) -> None:
    rule, at, rows = rule_of(*lines, kind="noise"), START, list[Row]()
    for device, gap, metrics in story:
        at += gap * SECOND
        rows.append((device, at, metrics))

    def run(batches: Sequence[Sequence[Row]]) -> tuple[dict[int, list[Transition]], dict[Key, RuleState]]:
        engine, states, found = engine_of(rule), dict[Key, RuleState](), list[Transition]()
        for batch in batches:
            if restarts:
                engine = engine_of(rule, states=stored(states))
            verdicts = engine.step([table_of("noise", batch)])
            assert verdicts.crashes == []
            engine.apply(verdicts)
            remember(states, verdicts)
            found += verdicts.transitions
        return {device: [each for each in found if each.device == device] for device in (1, 2)}, states

    edges = [0, *sorted(cut for cut in cuts if cut < len(rows)), len(rows)]
    pieces = [rows[start:end] for start, end in pairwise(edges)]
    assert run(pieces) == run([rows])


@given(
    minutes=st.lists(st.tuples(st.sampled_from([60, 120, 180, 181, 400]), st.sampled_from([50, 70, None])), max_size=40)
)
def test_a_delayed_alarm_has_been_observed_without_gap_or_quiet_for_all_its_delay(
    engine_of: EngineOf, rule_of: RuleOf, laeq: Laeq, minutes: list[tuple[int, float | None]]
) -> None:
    levels: dict[float, float | None] = {}
    at, run, expected = 0, list[int](), None
    for gap, level in minutes:
        at += gap
        levels[at / 60] = level
        if level == 50:
            run = []
        elif level == 70:
            run = [*run, at] if run and at - run[-1] <= 180 else [at]
            if expected is None and at - run[0] >= 600:
                expected = at / 60
    found = told(feed(engine_of(rule_of(*LOUD, kind="noise")), laeq(levels)))
    assert [at for at, change, _ in found if change is Change.RAISED][:1] == ([] if expected is None else [expected])
