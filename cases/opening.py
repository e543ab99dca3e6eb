"""A new case: what a rule plans, what the city makes of the plan, the case with unit and deadlines."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from cases.case import Case, Due, Milestone, Step, colours_due
from cases.city import City, Deadlines
from cases.clocks import Allowance, deadline
from cases.history import SYSTEM, Entry, Occurrence, move
from cases.lifecycle import Event, State
from cases.routing import Assignment, Reason, Role
from cases.words import problem_of_case

_AREA = re.compile(r"\d{6}")
_UNKNOWN_AREA = "000000"
_LAST_SEQUENCE = 99_999


class PlanError(ValueError):
    """What a rule wants done about its alarm cannot be; ``field`` says where, ``why`` what would be right."""

    def __init__(self, field: str, why: str) -> None:
        self.field, self.why = field, why
        super().__init__(f"{field}: {why}")


@dataclass(frozen=True, slots=True)
class CasePlan:
    """What a rule wants done about its alarm: the problem, the times to arrive, make safe and fix, by whom.

    How long a unit has to accept a case is the city's to say, by severity.
    """

    problem: str
    arrive: Allowance | None
    fix: Allowance
    to: Role = Role.MAINTAINER
    safe: Allowance | None = None
    accept: Allowance | None = None

    @classmethod
    def parse(cls, *, problem: str, fix: str, arrive: str = "", to: str = Role.MAINTAINER) -> "CasePlan":
        """Read the texts of a rule pack.

        Raises:
            PlanError: naming the field.
        """
        if not problem:
            raise PlanError("problem", "is empty: name what is wrong, such as cover_open")
        if to not in [*Role]:
            raise PlanError("to", f"{to!r} is no role; write {' or '.join(Role)}")
        return cls(
            problem=problem_of_case(problem),
            arrive=_allowance("arrive", arrive) if arrive else None,
            fix=_allowance("fix", fix),
            to=Role(to),
        )

    def in_city(self, rule: str, city: City) -> "CasePlan":
        """The plan with the city's own deadlines for the cases of this rule."""
        own = city.deadlines.get(rule, Deadlines())
        return replace(
            self, arrive=own.arrive or self.arrive, fix=own.fix or self.fix, safe=own.safe, accept=own.accept
        )


def _allowance(field: str, text: str) -> Allowance:
    try:
        return Allowance.parse(text)
    except ValueError as error:
        raise PlanError(field, str(error)) from error


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of a case that start together."""

    dues: Mapping[Milestone, Due]
    white_at: datetime
    red_at: datetime
    attend_at: datetime


def start_clocks(plan: CasePlan, severity: int, city: City, at: datetime) -> Clocks:
    """The clocks of a case of this severity that start at ``at``.

    Raises:
        ValueError: where ``at`` has no time zone.
    """
    accept = plan.accept or city.policy.accept[severity]
    allowed = {
        Milestone.ACCEPT: accept,
        Milestone.ARRIVE: plan.arrive,
        Milestone.SAFE: plan.safe,
        Milestone.FIX: plan.fix,
    }
    dues = {
        milestone: Due(allowance, deadline(at, allowance, city.calendar))
        for milestone, allowance in allowed.items()
        if allowance is not None
    }
    white_at, red_at = colours_due(at, plan.fix, city.calendar)
    return Clocks(dues, white_at, red_at, dues[Milestone.ACCEPT].by)


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case as it is first stored, with its number, its problem, the rule that asked for it, and its history."""

    number: str
    problem: str
    rule: str
    opened_at: datetime
    step: Step


def open_case(
    *,
    number: str,
    rule: str,
    plan: CasePlan,
    severity: int,
    assignment: Assignment,
    at: datetime,
    city: City,
) -> NewCase:
    """The case that an alarm of ``rule`` opens at ``at``; its clocks start there.

    Raises:
        ValueError: where ``at`` has no time zone.
    """
    filed = Entry(at=at, event=Occurrence.FILED, state=State.FILED, actor=SYSTEM, reason=rule)
    dispatched = move(filed.state, Event.DISPATCH, at=at, actor=SYSTEM, reason=assignment.reason)
    case = _case(plan, severity, assignment, city, at, dispatched.state)
    return NewCase(number, plan.problem, rule, at, Step(case, (filed, dispatched)))


def report_case(
    *,
    number: str,
    plan: CasePlan,
    severity: int,
    assignment: Assignment,
    actor: str,
    text: str,
    at: datetime,
    city: City,
) -> NewCase:
    """The case that a citizen, a patrol or the hotline reports; the centre looks at it before it is filed."""
    reported = Entry(at=at, event=Occurrence.REPORTED, state=State.REPORTED, actor=actor, reason=text)
    case = _case(plan, severity, assignment, city, at, State.REPORTED)
    return NewCase(number, plan.problem, "", at, Step(case, (reported,)))


def file_case(case: Case, *, city: City, at: datetime, actor: str, reason: str = "") -> Step:
    """The centre takes a report for true: its clocks start now, and its unit is told."""
    plan = CasePlan(
        problem="",
        arrive=_allowed(case, Milestone.ARRIVE),
        fix=case.dues[Milestone.FIX].allowed,
        safe=_allowed(case, Milestone.SAFE),
        accept=_allowed(case, Milestone.ACCEPT),
    )
    filed = move(case.state, Event.FILE, at=at, actor=actor, reason=reason)
    dispatched = move(filed.state, Event.DISPATCH, at=at, actor=SYSTEM, reason=case.reason)
    clocks = start_clocks(plan, case.severity, city, at)
    running = replace(
        case,
        state=dispatched.state,
        started_at=at,
        dues=clocks.dues,
        white_at=clocks.white_at,
        red_at=clocks.red_at,
        attend_at=clocks.attend_at,
    )
    return Step(running, (filed, dispatched))


def _allowed(case: Case, milestone: Milestone) -> Allowance | None:
    due = case.dues.get(milestone)
    return due.allowed if due else None


def _case(plan: CasePlan, severity: int, assignment: Assignment, city: City, at: datetime, state: State) -> Case:
    clocks = start_clocks(plan, severity, city, at)
    ownerless = assignment.reason is Reason.OWNERLESS
    return Case(
        state=state,
        severity=severity,
        unit=assignment.unit,
        reason=assignment.reason,
        joint=assignment.joint,
        started_at=at,
        dues=clocks.dues,
        white_at=clocks.white_at,
        red_at=clocks.red_at,
        attend_at=clocks.attend_at,
        notice_until=deadline(at, city.policy.public_notice, city.calendar) if ownerless else None,
    )


def area_of(grid: str) -> str:
    """The county code, six digits, that a unit grid's code begins with; zeros where there is none."""
    return grid[:6] if _AREA.fullmatch(grid[:6]) else _UNKNOWN_AREA


def number(area: str, day: date, sequence: int) -> str:
    """A case's number: 19 characters as bureaus' platforms use.

    How the 19 are divided is a project default: 6 of the area, 8 of the local day, 5 of a sequence that
    counts from 1 within area and day.

    Raises:
        ValueError: where a part does not fit.
    """
    if not _AREA.fullmatch(area):
        raise ValueError(f"area {area!r}: a case number needs six digits such as 420102")
    if not 1 <= sequence <= _LAST_SEQUENCE:
        raise ValueError(f"sequence {sequence}: a case number has room for 1 to {_LAST_SEQUENCE} a day")
    return f"{area}{day:%Y%m%d}{sequence:05d}"
