"""What alarms do to a case that is already there: one open case per facility and problem, and one that reopens."""

from dataclasses import dataclass, replace
from datetime import datetime

from cases.case import Case, Milestone, Step, note, step
from cases.checking import Evidence, Standard, fail, recover
from cases.city import City
from cases.errors import IllegalMove
from cases.history import SYSTEM, Because, Occurrence
from cases.lifecycle import AT_WORK, IN_CHECK, OPEN_STATES, Event, State
from cases.opening import Clocks
from cases.policy import Colour


@dataclass(frozen=True, slots=True)
class RaisedAlarm:
    """An alarm of the case's facility and problem; ``raised_at`` is the time of the reading (aware, UTC)."""

    rule: str
    severity: int
    raised_at: datetime


def join(case: Case, alarm: RaisedAlarm, *, city: City, at: datetime) -> Step:
    """Let an alarm join an open case.

    A higher severity raises the case's; a lower one never lowers it. An alarm raised after the work was
    reported is a failed check: the case goes back as rework. A late reading from before the report proves
    nothing. A case that had recovered by itself has relapsed.

    Raises:
        IllegalMove: where the case is over.
    """
    if case.state not in OPEN_STATES:
        raise IllegalMove(case.state, Occurrence.JOINED, [])
    joined = note(case, Occurrence.JOINED, at=at, actor=SYSTEM, reason=alarm.rule).then(escalate(case, alarm, at=at))
    now = joined.case
    if now.state not in IN_CHECK or now.check is None or alarm.raised_at <= now.check.since:
        return joined
    return joined.then(fail(now, city=city, at=at, actor=SYSTEM, reason=Because.ALARM_AGAIN))


def escalate(case: Case, alarm: RaisedAlarm, *, at: datetime) -> Step:
    """Note that an alarm which had joined before grew more severe; nothing where the case is as severe."""
    if alarm.severity <= case.severity:
        return Step(case)
    said = f"{case.severity} > {alarm.severity}"
    return note(case, Occurrence.ESCALATED, at=at, actor=SYSTEM, reason=said, severity=alarm.severity)


def alarm_cleared(case: Case, rule: str, *, active: int, standard: Standard, city: City, at: datetime) -> Step:
    """Note that an alarm of the case is over; with the last of them a case to which nobody has come is watched."""
    cleared = note(case, Occurrence.ALARM_CLEARED, at=at, actor=SYSTEM, reason=rule)
    if active or case.state not in AT_WORK or Milestone.ARRIVE in case.reached:
        return cleared
    return cleared.then(recover(case, standard, city=city, at=at))


def alarm_unanswered(case: Case, rule: str, *, at: datetime) -> Step:
    """Note that an alarm of the case is still active and that nobody has acknowledged it."""
    return note(case, Occurrence.UNANSWERED, at=at, actor=SYSTEM, reason=rule)


def reopen(case: Case, alarm: RaisedAlarm, clocks: Clocks, *, at: datetime) -> Step:
    """The repair did not hold: the closed case is rework, on fresh clocks.

    Sheets of the first time stay on record; the colours begin anew.
    """
    again = _again(replace(case, severity=max(case.severity, alarm.severity)), clocks, Because.REPAIR_DID_NOT_HOLD, at)
    return note(case, Occurrence.JOINED, at=at, actor=SYSTEM, reason=alarm.rule).then(again)


def doubt(case: Case, evidence: Evidence, standard: Standard, clocks: Clocks, *, at: datetime) -> Step | None:
    """What becomes of a case that was closed by a photo while an alarm of it was active; None as long as that is open.

    With the alarm over the photo was right. It was wrong where the facility is heard again and the alarm stays, with no
    delay running towards its end; and somebody must look again where silence keeps the alarm for too long.
    """
    if case.check is None or case.state is not State.CLOSED:
        return None
    if not evidence.active:
        return Step(replace(case, check=None))
    if evidence.readings >= max(standard.needed, 1) and not evidence.running:
        return _again(case, clocks, Because.STILL_WRONG, at)
    return _again(case, clocks, Because.STILL_ACTIVE, at) if at >= case.check.until else None


def _again(case: Case, clocks: Clocks, because: Because, at: datetime) -> Step:
    """A closed case is open once more, as rework."""
    return step(
        case,
        Event.REOPEN,
        at=at,
        actor=SYSTEM,
        reason=because,
        rework=case.rework + 1,
        failed_checks=0,
        colour=Colour.NONE,
        missed=frozenset(),
        started_at=at,
        outcome=None,
        closed_at=None,
        reached={},
        attention=0,
        attend_at=clocks.attend_at,
        dues=clocks.dues,
        white_at=clocks.white_at,
        red_at=clocks.red_at,
        check=None,
    )
