"""How a case ends: by what telemetry shows after the work, or by a supervisor where telemetry is silent.

After the crew's "done" the case's facility must be heard ``needed`` times, by event time, with none of the case's
alarms active and no delay of their rules running. What is wrong again sends the case back as rework
(``joining``). Silence proves nothing: after a while the case is unverifiable, and a person decides with a photo.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cases.case import Case, Check, Milestone, Outcome, Step, step, unattended
from cases.city import City
from cases.clocks import deadline
from cases.history import SYSTEM, Because
from cases.lifecycle import IN_CHECK, Event, Refusal, State

# Project defaults: three readings of what reports by the minute; one of what is heard once a day or so. Patience covers
# a whole day, for a lamp shows its repair at night and a kitchen while it cooks.
_NEEDED, _NEEDED_OF_SLOW = 3, 1
_SLOW = timedelta(hours=1)
_DAY_AND_MORE = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class Standard:
    """What telemetry must show: how many good readings, and how long they are waited for."""

    needed: int
    patience: timedelta

    @classmethod
    def of(cls, heartbeat: timedelta) -> "Standard":
        """For devices that are heard at least so often."""
        needed = _NEEDED_OF_SLOW if heartbeat >= _SLOW else _NEEDED
        return cls(needed, max(2 * heartbeat + _SLOW, _DAY_AND_MORE))


# A group has no readings of its own: its alarm speaks for it.
GROUP = Standard(0, _DAY_AND_MORE)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What telemetry shows since the check began.

    ``readings`` of good quality by event time; how many of the case's alarms are ``active``; whether a delay is
    ``running`` towards another one.
    """

    readings: int
    active: int
    running: bool


def judge(case: Case, evidence: Evidence, standard: Standard, *, city: City, at: datetime) -> Step | None:
    """What the evidence decides by now; None where it has to be waited for."""
    check = case.check
    if check is None or case.state not in IN_CHECK:
        return None
    heard = evidence.readings >= standard.needed
    if heard and not evidence.active and not evidence.running:
        return _well(case, at) if at >= check.earliest else None
    if at < check.until or case.state is State.UNVERIFIABLE:
        return None
    if evidence.active and evidence.readings:
        return fail(case, city=city, at=at, actor=SYSTEM, reason=Because.STILL_WRONG)
    return step(case, Event.GIVE_UP, at=at, actor=SYSTEM, reason=Because.NO_READINGS)


def _well(case: Case, at: datetime) -> Step:
    recovered = case.done_at is None
    because = Because.STAYED_WELL if recovered else Because.CLOSED_BY_EVIDENCE
    outcome = Outcome.SELF_RECOVERED if recovered else Outcome.EVIDENCE
    return step(case, Event.CLOSE, at=at, actor=SYSTEM, reason=because, outcome=outcome, closed_at=at, check=None)


def fail(case: Case, *, city: City, at: datetime, actor: str, reason: str) -> Step:
    """The check has failed: the unit has the case again, and it counts as rework.

    Where no work was reported there is none to do again: what had recovered by itself has relapsed.
    """
    if case.done_at is None:
        changes = unattended(case, at, city.calendar)
        return step(case, Event.RELAPSE, at=at, actor=actor, reason=reason, check=None, **changes)
    return step(
        case,
        Event.FAIL_CHECK,
        at=at,
        actor=actor,
        reason=reason,
        check=None,
        reached={each: reached for each, reached in case.reached.items() if each is not Milestone.FIX},
        rework=case.rework + 1,
        failed_checks=case.failed_checks + 1,
    )


def confirm(
    case: Case, *, photo: str, active: int, city: City, at: datetime, actor: str, reason: str = ""
) -> Step | Refusal:
    """A supervisor confirms the work by a photo, where telemetry could not.

    An alarm that is still active is no obstacle here: silence has not ended it, and only silence leads here. But it is
    watched for a while after the case is closed (``joining.doubt``).
    """
    if case.state is not State.UNVERIFIABLE:
        return Refusal.ALARM_ACTIVE if active else Refusal.TELEMETRY_DECIDES
    if not photo.strip():
        return Refusal.NO_PHOTO
    said = f"{photo.strip()}: {reason.strip()}" if reason.strip() else photo.strip()
    watch = Check(at, at, deadline(at, city.policy.photo_holds, city.calendar)) if active else None
    return step(
        case,
        Event.CLOSE,
        at=at,
        actor=actor,
        reason=said,
        outcome=Outcome.SUPERVISOR,
        photo=photo.strip(),
        closed_at=at,
        check=watch,
    )


def reject(case: Case, *, city: City, at: datetime, actor: str, reason: str) -> Step | Refusal:
    """A supervisor sends unverifiable work back."""
    if case.state is not State.UNVERIFIABLE:
        return Refusal.TELEMETRY_DECIDES
    return fail(case, city=city, at=at, actor=actor, reason=reason.strip()) if reason.strip() else Refusal.NO_REASON


def recover(case: Case, standard: Standard, *, city: City, at: datetime) -> Step:
    """The alarms are over before anybody came: that is watched, for recovered is not repaired."""
    earliest = deadline(at, city.policy.observe, city.calendar)
    watch = Check(since=at, earliest=earliest, until=max(earliest, at + standard.patience))
    return step(case, Event.RECOVER, at=at, actor=SYSTEM, reason=Because.ALARMS_OVER, check=watch, attend_at=None)


def with_parent(member: Case, *, at: datetime) -> Step:
    """A member whose own alarms are over ends with its parent."""
    return step(
        member,
        Event.CLOSE,
        at=at,
        actor=SYSTEM,
        reason=Because.PARENT_CLOSED,
        outcome=Outcome.WITH_PARENT,
        closed_at=at,
    )
