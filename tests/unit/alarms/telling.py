"""One alarm's story, told in changes."""

from collections.abc import Sequence
from dataclasses import replace

from alarms.lifecycle import Event
from alarms.memory import follow
from alarms.policy import Chatter
from alarms.story import Alarm, Story
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
