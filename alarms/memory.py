"""Transitions of conditions into alarms: what opens, what changes, what is written down. Pure.

How a series of transitions is cut into batches makes no difference: an alarm that ends within a batch is as much over
as one that ended before, and what comes after it is another.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from alarms.lifecycle import Event
from alarms.policy import Chatter
from alarms.story import Alarm, Held, Story
from devices.moments import MICROS
from rules.verdicts import Change, Key, Transition

Version = tuple[str, str]  # rule id, fingerprint of its text
_EVENTS = {
    Change.RAISED: Event.RAISED,
    Change.ESCALATED: Event.ESCALATED,
    Change.EASED: Event.EASED,
    Change.CLEARED: Event.CLEARED,
}
_NEVER = Chatter(times=0)


def follow(
    transitions: Iterable[Transition],
    stored: Mapping[Key, Alarm],
    *,
    chatter: Chatter = _NEVER,
    latching: Collection[Version] = (),
    recent: Mapping[Key, Sequence[int]] | None = None,
) -> list[Story]:
    """What a batch of transitions does to alarms: each alarm that something happened to, in order.

    Args:
        transitions: In order of event time for each rule and device.
        stored: The open alarms of the keys concerned.
        chatter: What the city takes for chatter.
        latching: The rules whose alarms a person must reset.
        recent: When alarms of these keys were raised lately, as far back as the city looks for chatter.
    """
    stories: list[Story] = []
    current = {key: Story(alarm) for key, alarm in stored.items()}
    activations = {key: [*times] for key, times in (recent or {}).items()}
    for transition in transitions:
        key = (transition.rule_id, transition.device)
        latches = (transition.rule_id, transition.rule_version) in latching
        story = current.get(key)
        if story is not None:
            calm_if_due(story, transition.at, chatter, latches=latches)
        if story is None or not story.alarm.open:
            if transition.change is not Change.RAISED:
                continue  # the rule's memory was behind the alarm's: nothing to say
            # What comes after an alarm that is over is another one, though both be in one batch.
            stories += [story] if story is not None else []
            story = current[key] = Story(_unraised(transition))
        _advance(story, transition, chatter, activations.setdefault(key, []), latches=latches)
    return [story for story in [*stories, *current.values()] if story.touched]


def calm_if_due(story: Story, at: int, chatter: Chatter, *, latches: bool) -> None:
    """End the chatter of an alarm that has not been raised for long enough before ``at``."""
    over = story.alarm.raised_at + chatter.quiet
    if story.alarm.chattering_since is not None and at > over:
        story.calm(over, latches=latches)


def _unraised(transition: Transition) -> Alarm:
    """The alarm of a condition that nothing is known of, a moment before it is raised."""
    return Alarm(
        id=None,
        rule_id=transition.rule_id,
        rule_version=transition.rule_version,
        device=transition.device,
        severity=transition.severity,
        active=False,
        acknowledged=True,
        raised_at=transition.at,
        occurrences=0,
    )


def _advance(story: Story, transition: Transition, chatter: Chatter, recent: list[int], *, latches: bool) -> None:
    alarm, at, event = story.alarm, transition.at, _EVENTS[transition.change]
    if event is Event.RAISED:
        if not alarm.present:
            _raise(story, transition, chatter, recent)
    elif not alarm.present:
        pass  # nothing to say twice
    elif event is not Event.CLEARED:
        story.alarm = replace(alarm, severity=transition.severity)
        story.happens(event, at, transition.detail)
        _unshelve_if_worse(story, alarm, at)
    elif alarm.chattering_since is not None:
        story.alarm = replace(alarm, held=Held.CHATTER)
        story.touched = True
    else:
        story.end(at, transition.detail, latches=latches)


def _raise(story: Story, transition: Transition, chatter: Chatter, recent: list[int]) -> None:
    alarm, at = story.alarm, transition.at
    recent[:] = [*(time for time in recent if time > at - chatter.within), at]
    story.alarm = replace(
        alarm,
        severity=transition.severity,
        rule_version=transition.rule_version,
        raised_at=at,
        cleared_at=None,
        occurrences=alarm.occurrences + 1,
    )
    if alarm.held is Held.CHATTER:
        worst = max(alarm.severity, transition.severity)
        story.alarm = replace(story.alarm, severity=worst, chatter=alarm.chatter + 1, held=None)
        story.happens(Event.REPEATED, at, transition.detail)
        if worst > alarm.severity:
            story.happens(Event.ESCALATED, at, transition.detail)
        _unshelve_if_worse(story, alarm, at)
        return
    story.happens(Event.RAISED, at, transition.detail)
    _unshelve_if_worse(story, alarm, at)
    if chatter.times and len(recent) >= chatter.times:
        story.alarm = replace(story.alarm, chattering_since=at, chatter=len(recent))
        because = f"{len(recent)} activations within {chatter.within // MICROS} s"
        story.happens(Event.CHATTERING, at, {"because": because, "since": recent[0]})


def _unshelve_if_worse(story: Story, before: Alarm, at: int) -> None:
    """What has grown worse than it was on its shelf comes up, whether it has cleared in between or not."""
    if before.shelved_until is not None and story.alarm.severity > before.severity:
        story.unhush(at, {"because": "worse than what was shelved"})
