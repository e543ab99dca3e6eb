"""What a unit and its crew do with a case, and what a dispatcher does about units."""

from dataclasses import replace
from datetime import datetime, timedelta

from cases.calendars import WorkCalendar
from cases.case import AT_RISK, LEAST_OVERDUE, Case, Check, Finding, Milestone, Step, note, shifted, step, unattended
from cases.city import City
from cases.clocks import Allowance, deadline
from cases.history import SYSTEM, Because, Occurrence
from cases.lifecycle import UNATTENDED, Event, Refusal
from cases.routing import Reason

_BOUNCES = 2  # returns after which the arbiter decides


def accept(case: Case, *, at: datetime, actor: str, reason: str = "") -> Step:
    """The unit takes the case on; nobody up the chain has to hear of it any more."""
    taken = step(case, Event.ACCEPT, at=at, actor=actor, reason=reason, attention=0, attend_at=None)
    return replace(taken, case=taken.case.at(Milestone.ACCEPT, at))


def arrive(case: Case, *, at: datetime, actor: str, reason: str = "") -> Step:
    """The crew is on site."""
    there = step(case, Event.ARRIVE, at=at, actor=actor, reason=reason, check=None)
    return replace(there, case=there.case.at(Milestone.ARRIVE, at))


def make_safe(case: Case, *, at: datetime, actor: str, reason: str = "") -> Step:
    """Nobody can come to harm any more; the repair is still to come, and its clock runs on."""
    safe = step(case, Event.MAKE_SAFE, at=at, actor=actor, reason=reason)
    return replace(safe, case=safe.case.at(Milestone.SAFE, at))


def finish(case: Case, *, at: datetime, actor: str, result: str, found: Finding, until: datetime) -> Step:
    """The crew reports the work done; telemetry is asked at once, and until ``until``."""
    done = step(case, Event.FINISH, at=at, actor=actor, reason=result, found=found, delay=None)
    done = replace(done, case=done.case.at(Milestone.FIX, at))
    asked = Check(since=at, earliest=at, until=until)
    return done.then(step(done.case, Event.VERIFY, at=at, actor=SYSTEM, reason=Because.WORK_REPORTED, check=asked))


def give_back(case: Case, *, district: str, city: City, at: datetime, actor: str, reason: str) -> Step | Refusal:
    """The unit says that the case is not its own. Its clock runs on.

    The district decides whose it is; the second time, or where the district itself gave it back, the arbiter does, and
    whoever gets it from the arbiter keeps it.
    """
    if not reason.strip():
        return Refusal.NO_REASON
    if case.arbitrated:
        return Refusal.ARBITRATED
    fallback = city.districts[district].fallback
    arbiter = city.policy.arbiter or fallback
    bounces = case.bounces + 1
    decides = arbiter if bounces >= _BOUNCES or case.unit == fallback else fallback
    return step(
        case,
        Event.RETURN,
        at=at,
        actor=actor,
        reason=reason.strip(),
        unit=decides,
        bounces=bounces,
        **unattended(case, at, city.calendar),
    )


def assign(
    case: Case, unit: str, *, joint: tuple[str, ...] = (), city: City, at: datetime, actor: str, reason: str
) -> Step | Refusal:
    """A dispatcher, or the arbiter, gives the case to a unit; others answer for it jointly, with this one as lead."""
    if not {unit, *joint} <= city.units.keys():
        return Refusal.UNKNOWN_UNIT
    if not reason.strip():
        return Refusal.NO_REASON
    changes = {
        "unit": unit,
        "joint": tuple(other for other in joint if other != unit),
        "arbitrated": case.arbitrated or (case.bounces >= _BOUNCES and case.state in UNATTENDED),
        "notice_until": None,
        **unattended(case, at, city.calendar),
    }
    given = step(case, Event.ASSIGN, at=at, actor=actor, reason=reason.strip(), **changes)
    return replace(given, case=replace(given.case, reason=Reason.ASSIGNED))


def suspend(case: Case, pause: str, *, city: City, at: datetime, actor: str, reason: str = "") -> Step | Refusal:
    """Stop the clocks for one of the reasons that the city lists."""
    listed = city.policy.pauses.get(pause)
    if listed is None:
        return Refusal.NOT_LISTED
    until = deadline(at, listed.at_most, city.calendar) if listed.at_most else None
    said = f"{pause}: {reason.strip()}" if reason.strip() else pause
    return step(
        case, Event.SUSPEND, at=at, actor=actor, reason=said, paused_at=at, pause=pause, pause_until=until, delay=None
    )


def resume(case: Case, *, calendar: WorkCalendar, at: datetime, actor: str, reason: str = "") -> Step:
    """Let the clocks go on with what was left on each; the crew has to come again."""
    gone = step(case, Event.RESUME, at=at, actor=actor, reason=reason)
    return replace(gone, case=_unpaused(gone.case, at, calendar))


def request_delay(case: Case, more: Allowance, *, at: datetime, actor: str, reason: str) -> Step | Refusal:
    """Ask for more time to fix; the work and its clock go on."""
    if not reason.strip():
        return Refusal.NO_REASON
    if case.delay is not None:
        return Refusal.DELAY_PENDING
    return step(case, Event.REQUEST_DELAY, at=at, actor=actor, reason=f"{more}: {reason.strip()}", delay=more)


def grant_delay(case: Case, *, calendar: WorkCalendar, at: datetime, actor: str, reason: str = "") -> Step | Refusal:
    """Give the time that was asked for, on top of the deadline; sheets issued before stay issued."""
    if case.delay is None:
        return Refusal.NO_DELAY_PENDING
    fix = case.dues[Milestone.FIX]
    return step(
        case,
        Event.GRANT_DELAY,
        at=at,
        actor=actor,
        reason=reason,
        dues={**case.dues, Milestone.FIX: replace(fix, by=deadline(fix.by, case.delay, calendar))},
        white_at=deadline(case.white_at, case.delay, calendar),
        red_at=deadline(case.red_at, case.delay, calendar),
        missed=case.missed - {Milestone.FIX},
        delay=None,
        delays=case.delays + 1,
    )


def refuse_delay(case: Case, *, at: datetime, actor: str, reason: str) -> Step | Refusal:
    """Say no to a request for more time, and why."""
    if case.delay is None:
        return Refusal.NO_DELAY_PENDING
    if not reason.strip():
        return Refusal.NO_REASON
    return step(case, Event.REFUSE_DELAY, at=at, actor=actor, reason=reason.strip(), delay=None)


def cancel(case: Case, *, at: datetime, actor: str, reason: str, found: Finding) -> Step | Refusal:
    """End a case that should not be, only with a written reason; what was found counts for or against the rule."""
    if not reason.strip():
        return Refusal.NO_REASON
    return step(case, Event.CANCEL, at=at, actor=actor, reason=reason.strip(), found=found, closed_at=at, delay=None)


def merge(case: Case, parent: int, *, at: datetime, actor: str, reason: str) -> Step:
    """Let a parent carry the case; its own clocks stand still meanwhile."""
    return step(
        case, Event.MERGE, at=at, actor=actor, reason=reason, parent=parent, paused_at=at, check=None, delay=None
    )


def split(case: Case, *, city: City, at: datetime, actor: str, reason: str) -> Step:
    """Let a case go its own way again, with what was left on its clocks."""
    own = step(case, Event.SPLIT, at=at, actor=actor, reason=reason, parent=None, **unattended(case, at, city.calendar))
    return replace(own, case=_unpaused(own.case, at, city.calendar))


def absorbed(case: Case, members: int, *, at: datetime, actor: str) -> Step:
    """Note in the parent how many cases it has taken in."""
    return note(case, Occurrence.ABSORBED, at=at, actor=actor, reason=str(members))


def _unpaused(case: Case, at: datetime, calendar: WorkCalendar) -> Case:
    since = case.paused_at or at
    return replace(shifted(case, since, at, calendar), paused_at=None, pause="", pause_until=None)


def under_due_date(case: Case, due: datetime, *, name: str, at: datetime, actor: str) -> Step:
    """Give a case of a campaign the campaign's due date; its sheets follow from that."""
    fix = case.dues[Milestone.FIX]
    left = max(due - case.started_at, timedelta())
    return note(
        case,
        Occurrence.CAMPAIGN,
        at=at,
        actor=actor,
        reason=name,
        dues={**case.dues, Milestone.FIX: replace(fix, by=due)},
        white_at=case.started_at + left * AT_RISK,
        red_at=due + max(left, LEAST_OVERDUE),
        missed=case.missed - {Milestone.FIX},
    )
