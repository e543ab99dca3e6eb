"""What is due to happen to a case by the clock alone: sheets, missed milestones, a word up the chain, ends of pauses.

Three colours (白黄红). White: 80 % of the time to fix is used. Yellow: a deadline has passed, or a check has failed.
Red: as much time again as was allowed has passed (at least four hours), a second check has failed, or nobody has
taken on what endangers life. A sheet goes to the unit, to the district from yellow on, to the leadership when red; it
wants an answer in a time of its own. Each is issued once; after a pause of the dispatcher only the gravest that is due.

``next_look`` says when ``look`` will have something to do again, so that nobody has to ask in between.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from cases.case import Case, Milestone, Sheet, Step, note
from cases.city import City
from cases.clocks import deadline
from cases.handling import resume
from cases.history import SYSTEM, Because, Occurrence
from cases.lifecycle import AT_WORK, UNATTENDED, State
from cases.policy import Colour

# Listed among the rules: the one rule that looks at cases.
RULE_ID = "SV-01"
NAMES = {"en": "Supervision sheets: white, yellow, red", "zh": "白黄红三色督办"}
SOURCE = "A street office's plan names three colours and weekly supervision; shares, replies and points are city data"
_CRITICAL = 4
# Who hears, one after the other, that nobody takes a case on.
CHAIN = ("lead", "district", "leadership")


def recipients(colour: Colour, unit: str, district: str) -> list[str]:
    """Who gets a sheet."""
    everybody = [f"unit:{unit}", f"district:{district}", "leadership"]
    return everybody[: int(colour)]


def look(case: Case, city: City, *, at: datetime) -> Step:
    """Everything that has fallen due by now; a step without entries where nothing has."""
    done = Step(case)
    if case.state is State.SUSPENDED and case.pause_until is not None and case.pause_until <= at:
        done = done.then(resume(case, calendar=city.calendar, at=at, actor=SYSTEM, reason=Because.PAUSE_OVER))
    if done.case.state not in AT_WORK:
        return done
    for milestone in _open_milestones(done.case):
        if done.case.dues[milestone].by <= at:
            done = done.then(_miss(done.case, milestone, at))
    if done.case.notice_until is not None and done.case.notice_until <= at:
        done = done.then(_end_notice(done.case, at))
    while (attend_at := _attend_at(done.case)) is not None and attend_at <= at:
        done = done.then(_tell_up(done.case, city, at))
    colour, because = _colour(done.case, at)
    if colour > done.case.colour:
        done = done.then(_issue(done.case, colour, because, city, at))
    return done


def next_look(case: Case) -> datetime | None:
    """The first moment at which ``look`` has something to do, if nobody touches the case before; it may be past."""
    if case.state is State.SUSPENDED:
        return case.pause_until
    return min(_moments(case), default=None) if case.state in AT_WORK else None


def _moments(case: Case) -> Iterator[datetime]:
    yield from (case.dues[milestone].by for milestone in _open_milestones(case))
    yield from (at for at in (case.notice_until, _attend_at(case)) if at is not None)
    if case.colour < Colour.WHITE:
        yield case.white_at
    if case.colour < Colour.RED:
        yield case.red_at
    if case.colour < _standing(case)[0]:
        yield case.started_at


def _open_milestones(case: Case) -> list[Milestone]:
    return [each for each in case.dues if each not in case.reached and each not in case.missed]


def _attend_at(case: Case) -> datetime | None:
    return case.attend_at if case.state in UNATTENDED else None


def _miss(case: Case, milestone: Milestone, at: datetime) -> Step:
    missed = case.missed | {milestone}
    return note(case, Occurrence.MISSED, at=at, actor=SYSTEM, reason=milestone, missed=missed)


def _end_notice(case: Case, at: datetime) -> Step:
    """Nobody has claimed the facility: the district treats it as abandoned."""
    return note(case, Occurrence.NOTICE_ENDED, at=at, actor=SYSTEM, reason=Because.NOBODY_CLAIMED, notice_until=None)


def _tell_up(case: Case, city: City, at: datetime) -> Step:
    told, accept = case.attention + 1, case.dues[Milestone.ACCEPT]
    again = deadline(case.attend_at or at, accept.allowed, city.calendar) if told < len(CHAIN) else None
    changes = {"attention": told, "attend_at": again}
    return note(case, Occurrence.UNATTENDED, at=at, actor=SYSTEM, reason=CHAIN[case.attention], **changes)


def _colour(case: Case, at: datetime) -> tuple[Colour, Because]:
    standing, because = _standing(case)
    if at >= case.red_at and standing < Colour.RED:
        return Colour.RED, Because.FAR_OVERDUE
    if at >= case.white_at and standing < Colour.WHITE:
        return Colour.WHITE, Because.TIME_USED
    return standing, because


def _standing(case: Case) -> tuple[Colour, Because]:
    """The colour that is due whatever the hour, by what the case's history has."""
    if case.failed_checks > 1:
        return Colour.RED, Because.CHECK_FAILED_AGAIN
    if case.severity >= _CRITICAL and case.state in UNATTENDED and Milestone.ACCEPT in case.missed:
        return Colour.RED, Because.NOBODY_TOOK_IT
    if case.missed - {Milestone.ACCEPT}:
        return Colour.YELLOW, Because.OVERDUE
    if case.failed_checks:
        return Colour.YELLOW, Because.CHECK_FAILED
    return Colour.NONE, Because.TIME_USED


def _issue(case: Case, colour: Colour, because: Because, city: City, at: datetime) -> Step:
    sheet = Sheet(
        colour=colour,
        because=because,
        at=at,
        reply_by=deadline(at, city.policy.reply[colour], city.calendar),
        points=city.policy.points[colour],
    )
    noted = note(case, Occurrence.SHEET, at=at, actor=SYSTEM, reason=colour.name.lower(), colour=colour)
    return replace(noted, sheets=(sheet,))
