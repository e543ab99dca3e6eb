"""A new case: what a rule plans, what the city makes of the plan, the case with unit and deadlines."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime

from cases.calendars import WorkCalendar
from cases.city import City, Deadlines
from cases.clocks import Allowance, deadline
from cases.history import SYSTEM, Entry, Occurrence, move
from cases.lifecycle import Event, State
from cases.routing import Assignment, Reason, Role
from cases.words import problem_of_case

_AREA = re.compile(r"\d{6}")
_UNKNOWN_AREA = "000000"
_LAST_SEQUENCE = 99_999


@dataclass(frozen=True, slots=True)
class CasePlan:
    """What a rule wants done about its alarm: the problem, the time to arrive and to fix it, by whom."""

    problem: str
    arrive: Allowance | None
    fix: Allowance
    to: Role = Role.MAINTAINER

    @classmethod
    def parse(cls, *, problem: str, fix: str, arrive: str = "", to: str = Role.MAINTAINER) -> "CasePlan":
        """Read the texts of a rule pack.

        Raises:
            ValueError: saying what would be right.
        """
        if not problem:
            raise ValueError("problem is empty: name what is wrong, such as cover_open")
        if to not in [*Role]:
            raise ValueError(f"to: {to!r} is no role; write {' or '.join(Role)}")
        return cls(
            problem=problem_of_case(problem),
            arrive=Allowance.parse(arrive) if arrive else None,
            fix=Allowance.parse(fix),
            to=Role(to),
        )

    def in_city(self, rule: str, city: City) -> "CasePlan":
        """The plan with the city's own deadlines for the cases of this rule."""
        own = city.deadlines.get(rule, Deadlines())
        return replace(self, arrive=own.arrive or self.arrive, fix=own.fix or self.fix)


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case as it is first stored, with a unit and a deadline because it may not exist without.

    Times are aware and in UTC; ``plan`` keeps the allowances, from which the used share is computed later.
    ``severity`` counts from 1, notice, to 4, critical.
    """

    number: str
    plan: CasePlan
    severity: int
    state: State
    unit: str
    reason: Reason
    opened_at: datetime
    arrive_by: datetime | None
    fix_by: datetime
    history: tuple[Entry, ...]


def open_case(
    *,
    number: str,
    rule: str,
    plan: CasePlan,
    severity: int,
    assignment: Assignment,
    at: datetime,
    calendar: WorkCalendar,
) -> NewCase:
    """The case that an alarm of ``rule`` opens at ``at``; its clocks start there.

    Raises:
        ValueError: where ``at`` has no time zone.
    """
    filed = Entry(at=at, event=Occurrence.FILED, state=State.FILED, actor=SYSTEM, reason=rule)
    dispatched = move(filed.state, Event.DISPATCH, at=at, actor=SYSTEM, reason=assignment.reason)
    return NewCase(
        number=number,
        plan=plan,
        severity=severity,
        state=dispatched.state,
        unit=assignment.unit,
        reason=assignment.reason,
        opened_at=at,
        arrive_by=deadline(at, plan.arrive, calendar) if plan.arrive else None,
        fix_by=deadline(at, plan.fix, calendar),
        history=(filed, dispatched),
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
