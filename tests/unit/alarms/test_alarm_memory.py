"""What becomes of an alarm by what happens to it, step by step."""

from dataclasses import replace

import pytest

from alarms.lifecycle import Event, IllegalMoveError, State
from alarms.memory import follow
from alarms.story import Alarm, AlarmEvent, Story
from rules.rule import Severity
from rules.verdicts import Change, Transition
from tests.unit.alarms.telling import FLUTTER, KEY, LATCHING, alarm_of, events_of, only, seen, story_of, transition


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


def test_a_shelved_alarm_that_clears_and_comes_back_worse_comes_up() -> None:
    worse = transition(Change.RAISED, 9, Severity.CRITICAL)
    stories = follow([worse], {KEY: shelved(alarm_of(Change.RAISED, Change.CLEARED))})
    assert events_of(stories) == [Event.RAISED, Event.UNSHELVED, Event.RAISED]
    assert (only(stories).state, only(stories).severity) == (State.UNACKNOWLEDGED, Severity.CRITICAL)


def test_a_shelved_alarm_that_chatters_and_comes_back_worse_comes_up() -> None:
    (fluttering,) = follow(flapping(4), {}, chatter=FLUTTER)
    worse = transition(Change.RAISED, 17, Severity.CRITICAL)
    stories = follow([worse], {KEY: shelved(fluttering.alarm)}, chatter=FLUTTER)
    assert events_of(stories) == [Event.REPEATED, Event.ESCALATED, Event.UNSHELVED, Event.RAISED]
    assert only(stories).severity is Severity.CRITICAL


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
