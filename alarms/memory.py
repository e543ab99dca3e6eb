"""Transitions of conditions into alarms: what opens, what changes, what is written down. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from alarms.lifecycle import ACTIVE, ALARM_TRANSITIONS, SEEN, Event, State, after, state_of
from rules.rule import Severity
from rules.verdicts import Change, Key, Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm as it is stored. Times in microseconds since 1970 UTC; ``id`` is None until it is stored."""

    id: int | None
    rule_id: str
    rule_version: str
    device: int
    severity: Severity
    active: bool
    acknowledged: bool
    raised_at: int
    cleared_at: int | None = None
    occurrences: int = 1

    @property
    def key(self) -> Key:
        """What an open alarm is unique by."""
        return (self.rule_id, self.device)

    @property
    def state(self) -> State:
        """Derived from the two memories."""
        return state_of(active=self.active, acknowledged=self.acknowledged)


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """A line of an alarm's history. ``at`` is event time, microseconds since 1970 UTC."""

    key: Key
    event: Event
    severity: Severity
    at: int
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Changes:
    """Alarms as they must be stored, by key, and the events that made them so, in order."""

    alarms: dict[Key, Alarm]
    events: list[AlarmEvent]


_EVENTS = {Change.RAISED: Event.RAISED, Change.ESCALATED: Event.ESCALATED, Change.CLEARED: Event.CLEARED}


def follow(transitions: Iterable[Transition], stored: Mapping[Key, Alarm]) -> Changes:
    """What a batch of transitions does to the open alarms.

    Args:
        transitions: In order of event time for each rule and device.
        stored: The open alarms of the keys concerned.
    """
    changes = Changes({}, [])
    for transition in transitions:
        key = (transition.rule_id, transition.device)
        alarm = changes.alarms.get(key) or stored.get(key)
        event = _EVENTS[transition.change]
        state = alarm.state if alarm is not None else State.NORMAL
        if event not in ALARM_TRANSITIONS[state]:
            continue  # the rule's memory was behind the alarm's: nothing to say twice
        moved = ALARM_TRANSITIONS[state][event]
        changes.alarms[key] = _moved(alarm, transition, event, moved)
        changes.events.append(AlarmEvent(key, event, transition.severity, transition.at, transition.detail))
    return changes


def acknowledged(alarm: Alarm) -> Alarm:
    """The alarm after somebody has said "seen".

    Raises:
        IllegalMoveError: if somebody had already.
    """
    state = after(alarm.state, Event.ACKNOWLEDGED)
    return replace(alarm, active=state in ACTIVE, acknowledged=state in SEEN)


def _moved(alarm: Alarm | None, transition: Transition, event: Event, state: State) -> Alarm:
    active, acknowledged = state in ACTIVE, state in SEEN
    if alarm is None:
        return Alarm(
            id=None,
            rule_id=transition.rule_id,
            rule_version=transition.rule_version,
            device=transition.device,
            severity=transition.severity,
            active=active,
            acknowledged=acknowledged,
            raised_at=transition.at,
        )
    alarm = replace(alarm, active=active, acknowledged=acknowledged)
    match event:
        case Event.RAISED:
            return replace(
                alarm,
                severity=transition.severity,
                rule_version=transition.rule_version,
                raised_at=transition.at,
                cleared_at=None,
                occurrences=alarm.occurrences + 1,
            )
        case Event.CLEARED:
            return replace(alarm, cleared_at=transition.at)
        case _:
            return replace(alarm, severity=transition.severity)
