"""Whatever happens to alarms, in whatever batches: their histories agree."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alarms.lifecycle import ALARM_TRANSITIONS, Event, IllegalMoveError, State
from alarms.memory import follow
from alarms.story import Alarm, AlarmEvent, Story
from rules.rule import Severity
from rules.verdicts import Change, Key, Transition
from tests.unit.alarms.telling import FLUTTER, transition

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
