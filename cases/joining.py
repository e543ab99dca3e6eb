"""What alarms do to a case that is already open: there is one open case per facility and problem."""

from dataclasses import dataclass
from datetime import datetime

from cases.errors import IllegalMove
from cases.history import SYSTEM, Because, Entry, Occurrence, move
from cases.lifecycle import OPEN_STATES, Event, State


@dataclass(frozen=True, slots=True)
class OpenCase:
    """What of an open case matters here; ``reported_at`` is when the work was last reported done, if ever."""

    state: State
    severity: int
    reported_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RaisedAlarm:
    """An alarm of the case's facility and problem; ``raised_at`` is the time of the reading (aware, UTC)."""

    rule: str
    severity: int
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class Joined:
    """The case after an alarm joined it or grew worse, with the lines to append to its history."""

    state: State
    severity: int
    entries: tuple[Entry, ...]


def join(case: OpenCase, alarm: RaisedAlarm, *, at: datetime) -> Joined:
    """Let an alarm join an open case.

    A higher severity raises the case's; a lower one never lowers it. An alarm raised after the work was
    reported is a failed check: the case goes back as rework. A late reading from before the report proves
    nothing.

    Raises:
        IllegalMove: where the case is over.
    """
    if case.state not in OPEN_STATES:
        raise IllegalMove(case.state, Occurrence.JOINED, [])
    entries = [_note(Occurrence.JOINED, case.state, at, alarm.rule), *_rise(case, alarm, at)]
    if case.state is State.VERIFYING and case.reported_at is not None and alarm.raised_at > case.reported_at:
        entries.append(move(case.state, Event.FAIL_CHECK, at=at, actor=SYSTEM, reason=Because.ALARM_AGAIN))
    return Joined(entries[-1].state, max(case.severity, alarm.severity), tuple(entries))


def escalate(case: OpenCase, alarm: RaisedAlarm, *, at: datetime) -> Joined:
    """Note that an alarm which had joined before grew more severe; no entry where the case is as severe."""
    return Joined(case.state, max(case.severity, alarm.severity), _rise(case, alarm, at))


def alarm_cleared(state: State, rule: str, *, at: datetime) -> Entry:
    """Note that an alarm of the case is over. The case stays where it is: recovered is not repaired."""
    return _note(Occurrence.ALARM_CLEARED, state, at, rule)


def alarm_unanswered(state: State, rule: str, *, at: datetime) -> Entry:
    """Note that an alarm of the case is still active and that nobody has acknowledged it."""
    return _note(Occurrence.UNANSWERED, state, at, rule)


def _rise(case: OpenCase, alarm: RaisedAlarm, at: datetime) -> tuple[Entry, ...]:
    if alarm.severity <= case.severity:
        return ()
    return (_note(Occurrence.ESCALATED, case.state, at, f"{case.severity} > {alarm.severity}"),)


def _note(event: Occurrence, state: State, at: datetime, reason: str) -> Entry:
    return Entry(at=at, event=event, state=state, actor=SYSTEM, reason=reason)
