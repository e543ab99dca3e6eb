"""A case as decisions see it, and the step that a decision takes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from cases.calendars import WorkCalendar
from cases.clocks import Allowance, after, elapsed
from cases.history import Entry, Occurrence, move
from cases.lifecycle import Event, State
from cases.policy import Colour

# Of the time to fix: white sheet at 80 %; red one when as much again has passed, at least four hours (project default).
AT_RISK = 0.8
LEAST_OVERDUE = timedelta(hours=4)


class Milestone(StrEnum):
    """What a unit has a time for."""

    ACCEPT = "accept"
    ARRIVE = "arrive"
    SAFE = "safe"
    FIX = "fix"


class Finding(StrEnum):
    """What the crew found: the trouble that the alarm spoke of, nothing, or something else."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    OTHER = "other"


class Outcome(StrEnum):
    """How a case ended."""

    EVIDENCE = "evidence"  # telemetry shows the repair
    SUPERVISOR = "supervisor"  # telemetry was silent, a person decided by a photo
    SELF_RECOVERED = "self_recovered"
    WITH_PARENT = "with_parent"


@dataclass(frozen=True, slots=True)
class Due:
    """A time to keep: what is allowed and until when."""

    allowed: Allowance
    by: datetime


@dataclass(frozen=True, slots=True)
class Check:
    """Telemetry is asked: readings count from ``since``; from ``earliest`` on they may close the case.

    At ``until`` silence is taken for silence.
    """

    since: datetime
    earliest: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case; all times aware and in UTC.

    ``severity`` counts from 1, notice, to 4, critical. ``reason`` says why the unit has it. ``reached`` is when
    milestones were, ``missed`` which have been noted as late. ``white_at`` and ``red_at`` are when the first and the
    last sheet fall due by time alone; ``colour`` is the gravest issued so far. ``attention`` is how many steps up the
    chain have been told that nobody takes the case on, and ``attend_at`` when the next one is. ``delay`` is what was
    asked for and is not decided. ``rework`` counts failed checks and reopenings, ``failed_checks`` the former alone
    since the clocks started.
    """

    state: State
    severity: int
    unit: str
    reason: str
    started_at: datetime
    dues: Mapping[Milestone, Due]
    reached: Mapping[Milestone, datetime] = field(default_factory=dict)
    white_at: datetime
    red_at: datetime
    joint: tuple[str, ...] = ()
    colour: Colour = Colour.NONE
    missed: frozenset[Milestone] = frozenset()
    attention: int = 0
    attend_at: datetime | None = None
    rework: int = 0
    failed_checks: int = 0
    bounces: int = 0
    arbitrated: bool = False
    paused_at: datetime | None = None
    pause: str = ""
    pause_until: datetime | None = None
    delay: Allowance | None = None
    delays: int = 0
    check: Check | None = None
    notice_until: datetime | None = None
    parent: int | None = None
    found: Finding | None = None
    photo: str = ""
    outcome: Outcome | None = None
    closed_at: datetime | None = None

    @property
    def fix_by(self) -> datetime:
        """The deadline that no case is without."""
        return self.dues[Milestone.FIX].by

    @property
    def done_at(self) -> datetime | None:
        """When the work was last reported."""
        return self.reached.get(Milestone.FIX)

    def at(self, milestone: Milestone, at: datetime) -> "Case":
        """The case with a milestone reached; the first time counts, but for the work, which can be done again."""
        if milestone in self.reached and milestone is not Milestone.FIX:
            return self
        return replace(self, reached={**self.reached, milestone: at})


@dataclass(frozen=True, slots=True)
class Sheet:
    """A supervision sheet to be issued: its colour, why, until when it is to be answered, what it costs."""

    colour: Colour
    because: str
    at: datetime
    reply_by: datetime
    points: int


@dataclass(frozen=True, slots=True)
class Step:
    """A case after a decision, with the lines for its history and the sheets to issue."""

    case: Case
    entries: tuple[Entry, ...] = ()
    sheets: tuple[Sheet, ...] = field(default=())

    def then(self, further: "Step") -> "Step":
        """Both steps as one; the second was taken from the case as the first left it."""
        return Step(further.case, self.entries + further.entries, self.sheets + further.sheets)


def step(case: Case, event: Event, *, at: datetime, actor: str, reason: str = "", **changes: Any) -> Step:
    """Move a case, and change what else the move changes.

    Raises:
        IllegalMove: where the table of the life cycle has no such move.
    """
    entry = move(case.state, event, at=at, actor=actor, reason=reason)
    return Step(replace(case, state=entry.state, **changes), (entry,))


def note(case: Case, event: Occurrence, *, at: datetime, actor: str, reason: str = "", **changes: Any) -> Step:
    """Write something down that moves nothing."""
    return Step(replace(case, **changes), (Entry(at=at, event=event, state=case.state, actor=actor, reason=reason),))


def colours_due(start: datetime, allowed: Allowance, calendar: WorkCalendar) -> tuple[datetime, datetime]:
    """When the white and the red sheet fall due for a time to fix that starts now."""
    total = allowed.total(calendar)
    overdue = total + max(total, LEAST_OVERDUE)
    return after(start, total * AT_RISK, allowed.clock, calendar), after(start, overdue, allowed.clock, calendar)


def shifted(case: Case, since: datetime, at: datetime, calendar: WorkCalendar) -> Case:
    """The case with all that was still to come moved by the pause from ``since`` to ``at``, each on its own clock."""

    def later(instant: datetime, allowed: Allowance) -> datetime:
        left = elapsed(since, instant, allowed.clock, calendar)
        return after(at, left, allowed.clock, calendar) if left else instant

    dues = {
        milestone: due if milestone in case.reached else replace(due, by=later(due.by, due.allowed))
        for milestone, due in case.dues.items()
    }
    fix = case.dues[Milestone.FIX].allowed
    return replace(case, dues=dues, white_at=later(case.white_at, fix), red_at=later(case.red_at, fix))


def unattended(case: Case, at: datetime, calendar: WorkCalendar) -> dict[str, Any]:
    """What changes when somebody is to take the case on from now: there is time to accept anew, all else runs on."""
    due = case.dues.get(Milestone.ACCEPT)
    if due is None:
        return {"attention": 0, "attend_at": None}
    by = after(at, due.allowed.total(calendar), due.allowed.clock, calendar)
    return {
        "attention": 0,
        "attend_at": by,
        "dues": {**case.dues, Milestone.ACCEPT: replace(due, by=by)},
        "reached": {each: reached for each, reached in case.reached.items() if each is not Milestone.ACCEPT},
        "missed": case.missed - {Milestone.ACCEPT},
    }
