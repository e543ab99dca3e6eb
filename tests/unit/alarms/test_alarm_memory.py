from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alarms.lifecycle import ALARM_TRANSITIONS, Event, IllegalMoveError, State
from alarms.memory import follow
from alarms.policy import Chatter
from alarms.story import Alarm, AlarmEvent, Story
from rules.rule import Severity
from rules.verdicts import Change, Key, Transition

KEY = ("MH-01", 7)
LATCHING = {("MH-01", "v1")}
FLUTTER = Chatter(times=3, within=10, quiet=20)


def transition(
    change: Change, at: int, severity: Severity = Severity.MAJOR, *, key: Key = KEY, version: str = "v1"
) -> Transition:
    return Transition(change, key[0], version, key[1], severity, at, {"because": change.value})


def story_of(*changes: Change, latching: bool = False) -> Story:
    """What becomes of one alarm by these changes at times 1, 2, 3 and so on."""
    transitions = [transition(change, at) for at, change in enumerate(changes, start=1)]
    (story,) = follow(transitions, {}, latching=LATCHING if latching else ())
    return story


def alarm_of(*changes: Change, latching: bool = False) -> Alarm:
    """The alarm as it is stored after them."""
    return replace(story_of(*changes, latching=latching).alarm, id=42)


def seen(alarm: Alarm, at: int = 3) -> Alarm:
    story = Story(alarm)
    story.acknowledge(at, {})
    return story.alarm


def only(stories: Sequence[Story]) -> Alarm:
    (story,) = stories
    return story.alarm


def events_of(stories: Sequence[Story]) -> list[Event]:
    return [event.event for story in stories for event in story.events]


def test_a_raised_condition_opens_an_alarm_that_nobody_has_seen() -> None:
    (story,) = follow([transition(Change.RAISED, 1, Severity.MAJOR)], {})
    assert story.alarm == Alarm(
        id=None,
        rule_id="MH-01",
        rule_version="v1",
        device=7,
        severity=Severity.MAJOR,
        active=True,
        acknowledged=False,
        raised_at=1,
    )
    assert story.events == [AlarmEvent(KEY, Event.RAISED, Severity.MAJOR, 1, {"because": "raised"})]


def test_an_alarm_that_grows_worse_keeps_its_beginning() -> None:
    stories = follow([transition(Change.ESCALATED, 9, Severity.CRITICAL)], {KEY: alarm_of(Change.RAISED)})
    alarm = only(stories)
    assert (alarm.id, alarm.severity, alarm.raised_at, alarm.occurrences) == (42, Severity.CRITICAL, 1, 1)
    assert events_of(stories) == [Event.ESCALATED]


def test_an_acknowledged_alarm_that_grows_worse_must_be_seen_again() -> None:
    stored = {KEY: seen(alarm_of(Change.RAISED))}
    assert only(follow([transition(Change.ESCALATED, 9, Severity.CRITICAL)], stored)).state is State.UNACKNOWLEDGED


def test_an_alarm_that_clears_unseen_stays_open() -> None:
    alarm = only(follow([transition(Change.CLEARED, 5)], {KEY: alarm_of(Change.RAISED)}))
    assert (alarm.state, alarm.cleared_at, alarm.id) == (State.RETURNED, 5, 42)


def test_a_condition_that_comes_back_is_another_occurrence_of_its_open_alarm() -> None:
    returned = alarm_of(Change.RAISED, Change.CLEARED)
    stories = follow([transition(Change.RAISED, 9, Severity.MINOR, version="v2")], {KEY: returned})
    assert only(stories) == replace(
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
    alarm = only(follow([transition(Change.CLEARED, 5)], {KEY: seen(alarm_of(Change.RAISED))}))
    assert (alarm.state, alarm.cleared_at) == (State.NORMAL, 5)


def test_a_condition_that_comes_back_after_its_alarm_was_over_opens_a_new_one_even_in_the_same_batch() -> None:
    stored = {KEY: seen(alarm_of(Change.RAISED))}
    first, second = follow([transition(Change.CLEARED, 5), transition(Change.RAISED, 9)], stored)
    assert (first.alarm.id, first.alarm.state, first.alarm.occurrences) == (42, State.NORMAL, 1)
    assert (second.alarm.id, second.alarm.state, second.alarm.occurrences) == (None, State.UNACKNOWLEDGED, 1)
    assert second.alarm.raised_at == 9


def test_acknowledging_a_returned_alarm_ends_it() -> None:
    assert seen(alarm_of(Change.RAISED, Change.CLEARED)).state is State.NORMAL


def test_acknowledging_an_active_alarm_leaves_it_active() -> None:
    before = alarm_of(Change.RAISED)
    assert seen(before) == replace(before, acknowledged=True)


@pytest.mark.parametrize("changes", [(Change.RAISED,), (Change.RAISED, Change.CLEARED)])
def test_nobody_acknowledges_twice(changes: tuple[Change, ...]) -> None:
    with pytest.raises(IllegalMoveError, match="cannot be acknowledged"):
        seen(seen(alarm_of(*changes)))


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
    assert follow([transition(change, 9)], stored) == []


def test_a_whole_life_within_one_batch_is_one_alarm_with_all_its_history() -> None:
    changes = [Change.RAISED, Change.ESCALATED, Change.CLEARED, Change.RAISED, Change.CLEARED]
    story = story_of(*changes)
    alarm = story.alarm
    assert (alarm.id, alarm.occurrences, alarm.raised_at, alarm.cleared_at) == (None, 2, 4, 5)
    assert alarm.state is State.RETURNED
    assert [(event.event.value, event.at) for event in story.events] == [
        (change.value, at) for at, change in enumerate(changes, start=1)
    ]


def test_alarms_of_other_rules_and_devices_are_left_alone() -> None:
    others = [("MH-02", 7), ("MH-01", 8)]
    stored = {key: replace(alarm_of(Change.RAISED), rule_id=key[0], device=key[1]) for key in others}
    assert only(follow([transition(Change.RAISED, 9)], stored)).key == KEY


def test_an_alarm_of_a_latching_rule_stays_active_until_somebody_has_looked() -> None:
    story = Story(alarm_of(Change.RAISED, Change.CLEARED, latching=True))
    assert (story.alarm.state, story.alarm.active) == (State.LATCHED_UNACKNOWLEDGED, True)
    story.reset(9, {"because": "looked at the pier"})
    assert [event.event for event in story.events] == [Event.ACKNOWLEDGED, Event.RESET]
    assert (story.alarm.state, story.alarm.active, story.alarm.cleared_at) == (State.NORMAL, False, 9)


def test_a_latched_alarm_whose_condition_comes_back_must_be_seen_anew() -> None:
    latched = seen(alarm_of(Change.RAISED, Change.CLEARED, latching=True))
    assert latched.state is State.LATCHED_ACKNOWLEDGED
    alarm = only(follow([transition(Change.RAISED, 9)], {KEY: latched}, latching=LATCHING))
    assert (alarm.id, alarm.state, alarm.occurrences) == (42, State.UNACKNOWLEDGED, 2)


@pytest.mark.parametrize("changes", [(Change.RAISED,), (Change.RAISED, Change.CLEARED)])
def test_only_a_latched_alarm_can_be_reset(changes: tuple[Change, ...]) -> None:
    with pytest.raises(IllegalMoveError, match="cannot be reset"):
        Story(alarm_of(*changes)).reset(9, {})


# --- shelved, suppressed, out of service -------------------------------------------------------------------------


def shelved(alarm: Alarm, *, once: bool = False) -> Alarm:
    story = Story(alarm)
    story.shelve(3, {"because": "sensor is being moved"}, until=100, once=once)
    return story.alarm


def test_a_shelved_alarm_that_is_still_active_when_its_time_is_over_is_announced_as_a_new_occurrence() -> None:
    story = Story(shelved(seen(alarm_of(Change.RAISED))))
    assert story.alarm.state is State.SHELVED
    story.unhush(100, {"because": "time is over"})
    assert [(event.event, event.hushed) for event in story.events] == [(Event.UNSHELVED, False), (Event.RAISED, False)]
    alarm = story.alarm
    assert (alarm.state, alarm.occurrences, alarm.raised_at) == (State.UNACKNOWLEDGED, 2, 100)


def test_a_shelved_alarm_that_has_cleared_meanwhile_is_normal_afterwards_and_nobody_is_told() -> None:
    stored = {KEY: shelved(alarm_of(Change.RAISED))}
    (story,) = follow([transition(Change.CLEARED, 9)], stored)
    assert (story.alarm.state, story.alarm.active) == (State.SHELVED, False)
    story.unhush(100, {})
    assert (story.alarm.state, story.alarm.open) == (State.NORMAL, False)
    assert [event.event for event in story.events] == [Event.CLEARED, Event.UNSHELVED]


def test_what_is_raised_while_shelved_is_on_record_and_not_announced() -> None:
    stored = {KEY: shelved(alarm_of(Change.RAISED, Change.CLEARED))}
    (story,) = follow([transition(Change.RAISED, 9)], stored)
    assert [(event.event, event.hushed) for event in story.events] == [(Event.RAISED, True)]
    assert (story.alarm.state, story.alarm.active, story.alarm.occurrences) == (State.SHELVED, True, 2)


def test_a_shelf_for_one_time_ends_when_the_alarm_clears() -> None:
    stored = {KEY: shelved(alarm_of(Change.RAISED), once=True)}
    first, second = follow([transition(Change.CLEARED, 9), transition(Change.RAISED, 10)], stored)
    assert [event.event for event in first.events] == [Event.CLEARED, Event.UNSHELVED]
    assert [(event.event, event.hushed) for event in second.events] == [(Event.RAISED, False)]


def test_a_shelved_alarm_that_grows_worse_comes_up() -> None:
    stored = {KEY: shelved(alarm_of(Change.RAISED))}
    stories = follow([transition(Change.ESCALATED, 9, Severity.CRITICAL)], stored)
    assert events_of(stories) == [Event.ESCALATED, Event.UNSHELVED, Event.RAISED]
    assert (only(stories).state, only(stories).severity) == (State.UNACKNOWLEDGED, Severity.CRITICAL)


def test_an_alarm_has_one_hush_at_a_time() -> None:
    story = Story(shelved(alarm_of(Change.RAISED)))
    with pytest.raises(IllegalMoveError, match="an alarm that is shelved cannot be suppressed"):
        story.suppress(4, {}, by=1)
    with pytest.raises(IllegalMoveError, match="cannot be taken_out"):
        story.take_out(4, {}, permit=1)


def test_what_is_over_cannot_be_shelved() -> None:
    with pytest.raises(IllegalMoveError, match="normal cannot be shelved"):
        shelved(seen(alarm_of(Change.RAISED, Change.CLEARED)))


def test_an_alarm_that_latched_under_a_hush_comes_up_latched() -> None:
    story = Story(alarm_of(Change.RAISED))
    story.suppress(3, {}, by=1)
    (later,) = follow([transition(Change.CLEARED, 5)], {KEY: story.alarm}, latching=LATCHING)
    later.unhush(9, {})
    assert [each.event for each in later.events] == [Event.LATCHED, Event.UNSUPPRESSED, Event.RAISED, Event.LATCHED]
    assert later.alarm.state is State.LATCHED_UNACKNOWLEDGED


# --- chatter -----------------------------------------------------------------------------------------------------


def flapping(times: int, every: int = 4) -> list[Transition]:
    return [
        each
        for number in range(times)
        for each in (transition(Change.RAISED, number * every), transition(Change.CLEARED, number * every + 1))
    ]


def test_flapping_two_hundred_times_is_one_alarm_with_a_counter() -> None:
    (story,) = follow(flapping(200), {}, chatter=FLUTTER)
    alarm = story.alarm
    assert (alarm.active, alarm.chatter, alarm.occurrences) == (True, 200, 200)
    assert [event.event for event in story.events if not event.hushed] == [
        *[Event.RAISED, Event.CLEARED] * 2,
        Event.RAISED,
        Event.CHATTERING,
    ]
    assert sum(event.event is Event.REPEATED for event in story.events) == 197


def test_chatter_that_is_over_clears_the_alarm_that_it_held() -> None:
    (story,) = follow(flapping(5), {}, chatter=FLUTTER)
    story.calm(36, latches=False)
    assert [event.event for event in story.events][-2:] == [Event.CALMED, Event.CLEARED]
    assert story.alarm.state is State.RETURNED
    assert story.events[-2].detail["times"] == 5


def test_an_alarm_that_stays_is_not_held_any_more_after_the_chatter() -> None:
    (story,) = follow([*flapping(3), transition(Change.RAISED, 12)], {}, chatter=FLUTTER)
    story.calm(40, latches=False)
    assert [event.event for event in story.events][-1] is Event.CALMED
    assert (story.alarm.state, story.alarm.present) == (State.UNACKNOWLEDGED, True)


def test_slow_repetition_is_no_chatter() -> None:
    (story,) = follow(flapping(20, every=5), {}, chatter=FLUTTER)
    assert Event.CHATTERING not in [event.event for event in story.events]


def test_chatter_over_alarms_that_were_acknowledged_in_between_is_chatter_all_the_same() -> None:
    stories = follow([transition(Change.RAISED, 8)], {}, chatter=FLUTTER, recent={KEY: [0, 4]})
    assert events_of(stories) == [Event.RAISED, Event.CHATTERING]


def test_a_chattering_alarm_that_grows_worse_is_announced() -> None:
    (story,) = follow([*flapping(4), transition(Change.RAISED, 17, Severity.CRITICAL)], {}, chatter=FLUTTER)
    assert [event.event for event in story.events][-2:] == [Event.REPEATED, Event.ESCALATED]
    assert not story.events[-1].hushed


# --- whatever happens --------------------------------------------------------------------------------------------

_keys = st.sampled_from([("A", 1), ("A", 2), ("B", 1)])
_step = st.tuples(_keys, st.sampled_from(Change), st.sampled_from(Severity), st.integers(1, 12))
_stories = st.lists(_step, max_size=30)
_cuts = st.sets(st.integers(0, 30))
_latching = st.sampled_from([frozenset[tuple[str, str]](), frozenset({("A", "v1")})])


def _transitions(story: list[tuple[Key, Change, Severity, int]]) -> list[Transition]:
    at, made = 0, []
    for key, change, severity, step in story:
        at += step
        made.append(transition(change, at, severity, key=key))
    return made


class Rows:
    """A table of alarms and their histories that keeps everything, as storage does."""

    def __init__(self) -> None:
        self.alarms: dict[int, Alarm] = {}
        self.history: dict[int, list[AlarmEvent]] = {}

    @property
    def open(self) -> dict[Key, Alarm]:
        return {alarm.key: alarm for alarm in self.alarms.values() if alarm.open}

    def store(self, stories: Sequence[Story]) -> None:
        for story in stories:
            number = story.alarm.id if story.alarm.id is not None else len(self.alarms)
            self.alarms[number] = replace(story.alarm, id=number)
            self.history.setdefault(number, []).extend(story.events)

    def recent(self) -> dict[Key, list[int]]:
        return {
            alarm.key: [
                event.at
                for number, other in self.alarms.items()
                if other.key == alarm.key
                for event in self.history[number]
                if event.event is Event.RAISED and "after" not in event.detail
            ]
            for alarm in self.alarms.values()
        }

    def by_key(self) -> dict[Key, list[tuple[Alarm, list[AlarmEvent]]]]:
        """Everything about each key, without the numbers."""
        found: dict[Key, list[tuple[Alarm, list[AlarmEvent]]]] = {}
        for number, alarm in self.alarms.items():
            found.setdefault(alarm.key, []).append((replace(alarm, id=None), self.history[number]))
        return found


@given(story=_stories, cuts=_cuts, acknowledged=st.booleans(), latching=_latching)
def test_how_a_story_is_cut_into_batches_makes_no_difference(
    story: list[tuple[Key, Change, Severity, int]],
    cuts: set[int],
    acknowledged: bool,  # noqa: FBT001 - drawn
    latching: frozenset[tuple[str, str]],
) -> None:
    transitions = _transitions(story)
    outcomes = []
    for borders in (set[int](), cuts):
        rows = Rows()
        if acknowledged:  # so that an alarm can end and another begin within a batch
            for key in (("A", 1), ("B", 1)):
                (opened,) = follow([transition(Change.RAISED, 0, key=key)], {})
                opened.acknowledge(0, {})
                rows.store([opened])
        edges = sorted({0, *(cut for cut in borders if cut < len(transitions)), len(transitions)})
        for first, last in pairwise(edges):
            batch = transitions[first:last]
            rows.store(follow(batch, rows.open, chatter=FLUTTER, latching=latching, recent=rows.recent()))
        outcomes.append(rows.by_key())
    assert outcomes[0] == outcomes[1]


@given(story=_stories, latching=_latching)
def test_an_alarm_is_what_its_history_says(
    story: list[tuple[Key, Change, Severity, int]], latching: frozenset[tuple[str, str]]
) -> None:
    for each in follow(_transitions(story), {}, chatter=FLUTTER, latching=latching):
        alarm, history = each.alarm, [event.event for event in each.events]
        state = State.NORMAL
        for event in history:
            state = ALARM_TRANSITIONS[state][event]
        assert alarm.state is state
        assert alarm.occurrences == sum(event in {Event.RAISED, Event.REPEATED} for event in history)
        activations = [event.at for event in each.events if event.event in {Event.RAISED, Event.REPEATED}]
        assert alarm.raised_at == max(activations)
        assert (alarm.cleared_at is None) is alarm.active


class OpenAlarms(RuleBasedStateMachine):
    """What people, rules and time do to alarms."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = Rows()
        self.at = 0

    @rule(key=_keys, change=st.sampled_from(Change), severity=st.sampled_from(Severity), step=st.integers(1, 30))
    def happens(self, key: Key, change: Change, severity: Severity, step: int) -> None:
        self.at += step
        stories = follow(
            [transition(change, self.at, severity, key=key)],
            self.rows.open,
            chatter=FLUTTER,
            latching={("A", "v1")},
            recent=self.rows.recent(),
        )
        self.rows.store(stories)

    @precondition(lambda self: self.rows.open)
    @rule(data=st.data(), what=st.sampled_from(["acknowledge", "reset", "shelve", "once", "suppress", "take_out"]))
    def somebody_acts(self, data: st.DataObject, what: str) -> None:
        story = Story(self.rows.open[data.draw(st.sampled_from(sorted(self.rows.open)))])
        before = story.alarm
        try:
            match what:
                case "shelve" | "once":
                    story.shelve(self.at, {}, until=self.at + 10, once=what == "once")
                case "suppress":
                    story.suppress(self.at, {}, by=99)
                case "take_out":
                    story.take_out(self.at, {}, permit=1)
                case _:
                    getattr(story, what)(self.at, {})
        except IllegalMoveError:
            assert story.alarm == before
            return
        self.rows.store([story])

    @precondition(lambda self: any(alarm.hush for alarm in self.rows.open.values()))
    @rule(data=st.data())
    def a_hush_ends(self, data: st.DataObject) -> None:
        hushed = sorted(key for key, alarm in self.rows.open.items() if alarm.hush)
        story = Story(self.rows.open[data.draw(st.sampled_from(hushed))])
        story.unhush(self.at, {})
        assert story.alarm.hush is None
        self.rows.store([story])

    @precondition(lambda self: any(alarm.chattering_since is not None for alarm in self.rows.open.values()))
    @rule(data=st.data())
    def it_grows_quiet(self, data: st.DataObject) -> None:
        noisy = sorted(key for key, alarm in self.rows.open.items() if alarm.chattering_since is not None)
        story = Story(self.rows.open[data.draw(st.sampled_from(noisy))])
        story.calm(self.at, latches=story.alarm.rule_id == "A")
        self.rows.store([story])

    @invariant()
    def at_most_one_alarm_is_open_for_a_rule_and_device(self) -> None:
        keys = [alarm.key for alarm in self.rows.alarms.values() if alarm.open]
        assert len(keys) == len(set(keys))

    @invariant()
    def the_table_leads_from_normal_through_the_history_to_the_state(self) -> None:
        for number, alarm in self.rows.alarms.items():
            state = State.NORMAL
            for event in self.rows.history[number]:
                state = ALARM_TRANSITIONS[state][event.event]
            assert alarm.state is state

    @invariant()
    def what_is_held_or_chattering_is_open(self) -> None:
        for alarm in self.rows.alarms.values():
            assert alarm.held is None or alarm.active
            assert alarm.chattering_since is None or alarm.open


TestOpenAlarms = OpenAlarms.TestCase
