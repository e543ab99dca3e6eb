"""How a case stood at a moment, by its history alone, and what it counts for.

The database keeps the same in columns of the case, as it is now; the history says it for any moment, and says tomorrow
what it says today. Figures that are published, paid by and closed are made from it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from operator import attrgetter

from cases.case import Finding
from cases.history import Because
from cases.indicators import Counts
from cases.lifecycle import OPEN_STATES, State
from cases.policy import Colour

# Nobody's to handle: not filed, should not be, carried by another.
_NOT_COUNTED = frozenset({State.REPORTED, State.CANCELLED, State.MERGED})
_STREET = 9  # digits of a unit grid's code that name county and street (GB/T 30428.1)


class By(StrEnum):
    """What indicators are computed for."""

    UNIT = "unit"
    DISTRICT = "district"
    STREET = "street"
    GRID = "grid"
    ROAD = "road"
    MONTH = "month"
    RULE = "rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A case as it stood at ``at``; times aware, in UTC.

    ``done_at`` is when the work was last reported, None where it was sent back since; ``closed_because`` the reason of
    its last closing, also where it was reopened; ``stopped_at`` when its clocks were last stopped. ``rework``,
    ``delays`` and ``bounces`` count failed checks and reopenings, times granted, and returns. ``colour`` is its gravest
    sheet, ``points`` what all of them cost.
    """

    id: int
    number: str
    district: str
    grid: str
    road: str
    device_id: str
    facility: str
    problem: str
    rule: str
    severity: int
    opened_at: datetime
    at: datetime
    state: State
    unit: str
    fix_by: datetime
    found: Finding | None
    stopped_at: datetime | None
    done_at: datetime | None
    closed_because: str
    rework: int
    delays: int
    bounces: int
    colour: Colour
    points: int

    @property
    def street(self) -> str:
        """The street's code, county and street of the unit grid's; empty where the grid has no such code."""
        code = self.grid[:_STREET]
        return code if len(code) == _STREET and code.isdecimal() else ""

    @property
    def closed(self) -> bool:
        """Whether it was over, and not cancelled."""
        return self.state is State.CLOSED

    @property
    def recovered(self) -> bool:
        """Whether it ended by itself, before anybody came."""
        return self.closed and self.closed_because == Because.STAYED_WELL

    @property
    def counted(self) -> bool:
        """Whether it was somebody's to handle."""
        carried = self.closed and self.closed_because == Because.PARENT_CLOSED
        return self.state not in _NOT_COUNTED and not self.recovered and not carried

    @property
    def should_close(self) -> bool:
        """Whether work was reported at least once: what is reported is to be checked and closed."""
        return self.counted and (self.done_at is not None or self.rework > 0)

    @property
    def on_time(self) -> bool:
        """Whether the work was reported by the deadline."""
        return self.done_at is not None and self.done_at <= self.fix_by

    @property
    def overdue(self) -> bool:
        """Whether the deadline had passed without any work, before its clock was stopped if that stood."""
        stopped = self.stopped_at if self.state is State.SUSPENDED else None
        return self.counted and self.done_at is None and self.fix_by < (stopped or self.at)

    @property
    def open(self) -> bool:
        """Whether it was still to be ended."""
        return self.state in OPEN_STATES


def tally(standings: Iterable[Standing]) -> Counts:
    """Cases by what became of them."""
    every = [*standings]
    counted = [case for case in every if case.counted]
    return Counts(
        should_handle=len(counted),
        handled=sum(case.done_at is not None for case in counted),
        handled_on_time=sum(case.on_time for case in counted),
        should_close=sum(case.should_close for case in counted),
        closed=sum(case.closed for case in counted),
        closed_on_time=sum(case.closed and case.on_time for case in counted),
        rework=sum(case.rework > 0 for case in counted),
        delayed=sum(case.delays > 0 for case in counted),
        overdue=sum(case.overdue for case in counted),
        returned=sum(case.bounces > 0 for case in counted),
        trips=sum(case.found is not None or case.recovered for case in every),
        finds=sum(case.found is Finding.FOUND for case in every),
        points=sum(case.points for case in every),
    )


def counted_for(by: By, zone: tzinfo) -> Callable[[Standing], str]:
    """What a case is counted for; a month is that of the deadline by the city's time."""
    return (lambda case: f"{case.fix_by.astimezone(zone):%Y-%m}") if by is By.MONTH else attrgetter(by)


def grouped(standings: Iterable[Standing], key: Callable[[Standing], str]) -> dict[str, list[Standing]]:
    """Cases by what they have in common."""
    groups: defaultdict[str, list[Standing]] = defaultdict(list)
    for case in standings:
        groups[key(case)].append(case)
    return dict(groups)
