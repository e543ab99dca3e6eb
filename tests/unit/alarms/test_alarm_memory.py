from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alarms.lifecycle import Event, IllegalMoveError, State, state_of
from alarms.memory import Alarm, Changes, acknowledged, follow
from rules.rule import Severity
from rules.verdicts import Change, Key, Transition

KEY = ("MH-01", 7)


def transition(
    change: Change, at: int, severity: Severity = Severity.MAJOR, *, key: Key = KEY, version: str = "v1"
) -> Transition:
    return Transition(change, key[0], version, key[1], severity, at, {"because": change.value})


def alarm_of(*changes: Change) -> Alarm:
    """The alarm as it is stored after these changes at times 1, 2, 3 and so on."""
    alarms = follow([transition(change, at) for at, change in enumerate(changes, start=1)], {}).alarms
    return replace(alarms[KEY], id=42)


def only(changes: Changes) -> Alarm:
    (alarm,) = changes.alarms.values()
    return alarm


def test_a_raised_condition_opens_an_alarm_that_nobody_has_seen() -> None:
    changes = follow([transition(Change.RAISED, 1, Severity.MAJOR)], {})
    assert changes.alarms == {
        KEY: Alarm(
            id=None,
            rule_id="MH-01",
            rule_version="v1",
            device=7,
            severity=Severity.MAJOR,
            active=True,
            acknowledged=False,
            raised_at=1,
        )
    }
    (event,) = changes.events
    assert (event.key, event.event, event.severity, event.at) == (KEY, Event.RAISED, Severity.MAJOR, 1)
    assert event.detail == {"because": "raised"}


def test_an_alarm_that_grows_worse_keeps_its_beginning() -> None:
    changes = follow([transition(Change.ESCALATED, 9, Severity.CRITICAL)], {KEY: alarm_of(Change.RAISED)})
    alarm = only(changes)
    assert (alarm.id, alarm.severity, alarm.raised_at, alarm.occurrences) == (42, Severity.CRITICAL, 1, 1)
    assert [event.event for event in changes.events] == [Event.ESCALATED]


def test_an_acknowledged_alarm_that_grows_worse_must_be_seen_again() -> None:
    seen = acknowledged(alarm_of(Change.RAISED))
    alarm = only(follow([transition(Change.ESCALATED, 9, Severity.CRITICAL)], {KEY: seen}))
    assert alarm.state is State.UNACKNOWLEDGED


def test_an_alarm_that_clears_unseen_stays_open() -> None:
    alarm = only(follow([transition(Change.CLEARED, 5)], {KEY: alarm_of(Change.RAISED)}))
    assert (alarm.state, alarm.cleared_at, alarm.id) == (State.RETURNED, 5, 42)


def test_a_condition_that_comes_back_is_another_occurrence_of_its_open_alarm() -> None:
    returned = alarm_of(Change.RAISED, Change.CLEARED)
    changes = follow([transition(Change.RAISED, 9, Severity.MINOR, version="v2")], {KEY: returned})
    assert only(changes) == replace(
        returned,
        active=True,
        acknowledged=False,
        severity=Severity.MINOR,
        rule_version="v2",
        raised_at=9,
        cleared_at=None,
        occurrences=2,
    )


def test_an_acknowledged_alarm_that_clears_is_over() -> None:
    alarm = only(follow([transition(Change.CLEARED, 5)], {KEY: acknowledged(alarm_of(Change.RAISED))}))
    assert (alarm.state, alarm.cleared_at) == (State.NORMAL, 5)


def test_a_condition_that_comes_back_after_its_alarm_was_over_opens_a_new_one() -> None:
    # An alarm that is over is not among the open ones.
    alarm = only(follow([transition(Change.RAISED, 9)], {}))
    assert (alarm.id, alarm.occurrences, alarm.acknowledged, alarm.raised_at) == (None, 1, False, 9)


def test_acknowledging_a_returned_alarm_ends_it() -> None:
    assert acknowledged(alarm_of(Change.RAISED, Change.CLEARED)).state is State.NORMAL


def test_acknowledging_an_active_alarm_leaves_it_active() -> None:
    before = alarm_of(Change.RAISED)
    assert acknowledged(before) == replace(before, acknowledged=True)


@pytest.mark.parametrize("changes", [(Change.RAISED,), (Change.RAISED, Change.CLEARED)])
def test_nobody_acknowledges_twice(changes: tuple[Change, ...]) -> None:
    with pytest.raises(IllegalMoveError, match="cannot be acknowledged"):
        acknowledged(acknowledged(alarm_of(*changes)))


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ((), Change.CLEARED),
        ((), Change.ESCALATED),
        ((Change.RAISED,), Change.RAISED),
        ((Change.RAISED, Change.CLEARED), Change.CLEARED),
        ((Change.RAISED, Change.CLEARED), Change.ESCALATED),
    ],
)
def test_what_the_alarm_knows_already_is_not_said_twice(before: tuple[Change, ...], change: Change) -> None:
    stored = {KEY: alarm_of(*before)} if before else {}
    changes = follow([transition(change, 9)], stored)
    assert changes == Changes({}, [])


def test_a_whole_life_within_one_batch_is_one_alarm_with_all_its_history() -> None:
    story = [Change.RAISED, Change.ESCALATED, Change.CLEARED, Change.RAISED, Change.CLEARED]
    changes = follow([transition(change, at) for at, change in enumerate(story)], {})
    alarm = only(changes)
    assert (alarm.id, alarm.occurrences, alarm.raised_at, alarm.cleared_at) == (None, 2, 3, 4)
    assert alarm.state is State.RETURNED
    assert [(event.event.value, event.at) for event in changes.events] == [
        (change.value, at) for at, change in enumerate(story)
    ]


def test_alarms_of_other_rules_and_devices_are_left_alone() -> None:
    others = [("MH-02", 7), ("MH-01", 8)]
    stored = {key: replace(alarm_of(Change.RAISED), rule_id=key[0], device=key[1]) for key in others}
    changes = follow([transition(Change.RAISED, 9)], stored)
    assert set(changes.alarms) == {KEY}


def test_what_is_stored_is_not_touched() -> None:
    stored = {KEY: alarm_of(Change.RAISED)}
    follow([transition(Change.CLEARED, 9)], stored)
    assert stored == {KEY: alarm_of(Change.RAISED)}


_keys = st.sampled_from([("A", 1), ("A", 2), ("B", 1)])
_stories = st.lists(st.tuples(_keys, st.sampled_from(Change), st.sampled_from(Severity)), max_size=30)


def _transitions(story: list[tuple[Key, Change, Severity]]) -> list[Transition]:
    return [transition(change, at, severity, key=key) for at, (key, change, severity) in enumerate(story)]


@given(story=_stories, cut=st.integers(0, 30))
def test_two_batches_come_to_the_same_as_one(story: list[tuple[Key, Change, Severity]], cut: int) -> None:
    whole = follow(_transitions(story), {})
    first = follow(_transitions(story)[:cut], {})
    second = follow(_transitions(story)[cut:], first.alarms)
    assert {**first.alarms, **second.alarms} == whole.alarms
    assert first.events + second.events == whole.events


@given(story=_stories)
def test_an_alarm_is_what_its_history_says(story: list[tuple[Key, Change, Severity]]) -> None:
    changes = follow(_transitions(story), {})
    assert set(changes.alarms) == {event.key for event in changes.events}
    for key, alarm in changes.alarms.items():
        history = [event for event in changes.events if event.key == key]
        assert history[0].event is Event.RAISED
        assert alarm.key == key
        assert alarm.active is (history[-1].event is not Event.CLEARED)
        assert alarm.occurrences == sum(event.event is Event.RAISED for event in history)
        assert alarm.raised_at == max(event.at for event in history if event.event is Event.RAISED)
        assert (alarm.cleared_at is None) is alarm.active


class OpenAlarms(RuleBasedStateMachine):
    """A table of alarms that keeps every row, as storage does, and what people and rules do to it."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[int, Alarm] = {}
        self.at = 0

    @property
    def open(self) -> Mapping[Key, Alarm]:
        return {alarm.key: alarm for alarm in self.rows.values() if alarm.state is not State.NORMAL}

    @rule(key=_keys, change=st.sampled_from(Change), severity=st.sampled_from(Severity))
    def happens(self, key: Key, change: Change, severity: Severity) -> None:
        self.at += 1
        changes = follow([transition(change, self.at, severity, key=key)], self.open)
        for alarm in changes.alarms.values():
            number = alarm.id if alarm.id is not None else len(self.rows)
            self.rows[number] = replace(alarm, id=number)

    @precondition(lambda self: any(not alarm.acknowledged for alarm in self.open.values()))
    @rule(data=st.data())
    def is_seen(self, data: st.DataObject) -> None:
        unseen = sorted(key for key, alarm in self.open.items() if not alarm.acknowledged)
        alarm = acknowledged(self.open[data.draw(st.sampled_from(unseen))])
        assert alarm.id is not None
        self.rows[alarm.id] = alarm

    @invariant()
    def at_most_one_alarm_is_open_for_a_rule_and_device(self) -> None:
        keys = [alarm.key for alarm in self.rows.values() if alarm.state is not State.NORMAL]
        assert len(keys) == len(set(keys))

    @invariant()
    def what_is_active_is_open(self) -> None:
        for alarm in self.rows.values():
            assert alarm.state is state_of(active=alarm.active, acknowledged=alarm.acknowledged)
            assert not alarm.active or alarm.key in self.open


TestOpenAlarms = OpenAlarms.TestCase
