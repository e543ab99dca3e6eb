"""Deadlines: how much time is allowed, on which of four clocks, and when it has run out.

The clocks are those of the bureaus' filing and closing standards: urgent hours and natural days run without
pause, nights and holidays included; office hours run while the offices work; a working day is the office
hours of one day.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from cases.calendars import WorkCalendar

_FORM = re.compile(r"\s*(\d{1,4}(?:\.\d{1,2})?)\s*([a-z]+)\s+([a-z]+)\s*")
_EXAMPLES = "'30m urgent', '2h office', '5d work' or '24h natural'"
_DAY = timedelta(days=1)
_LONGEST = timedelta(days=366)


class ClockType(StrEnum):
    """Which time counts."""

    URGENT = "urgent"
    OFFICE = "office"
    WORK = "work"
    NATURAL = "natural"


# These never pause.
_CONTINUOUS = frozenset({ClockType.URGENT, ClockType.NATURAL})


class Unit(StrEnum):
    """In what an allowance is counted."""

    MINUTE = "m"
    HOUR = "h"
    DAY = "d"


_LENGTH = {Unit.MINUTE: timedelta(minutes=1), Unit.HOUR: timedelta(hours=1), Unit.DAY: _DAY}


@dataclass(frozen=True, slots=True)
class Allowance:
    """The time that a unit has for something; its text form is that of rule packs and city.toml.

    Raises:
        ValueError: where the amount is not positive or the unit does not fit the clock.
    """

    value: float
    unit: Unit
    clock: ClockType

    def __post_init__(self) -> None:
        if self.value <= 0 or self.value * _LENGTH[self.unit] > _LONGEST:
            raise ValueError(f"'{self}': an allowance is more than nothing and at most {_LONGEST.days} days")
        if self.clock is ClockType.WORK and self.unit is not Unit.DAY:
            raise ValueError(
                f"'{self}': the work clock counts working days; write for example '1d work' or '2h office'"
            )
        if self.clock is ClockType.OFFICE and self.unit is Unit.DAY:
            raise ValueError(f"'{self}': the office clock counts m and h; a day of office hours is '1d work'")

    def __str__(self) -> str:
        return f"{self.value:g}{self.unit} {self.clock}"

    @classmethod
    def parse(cls, text: str) -> "Allowance":
        """Read "30m urgent", "2h office", "5d work", "24h natural".

        Raises:
            ValueError: saying what would be right.
        """
        found = _FORM.fullmatch(text)
        if not found:
            raise ValueError(f"{text!r} is no allowance: write a number with its unit and a clock, as in {_EXAMPLES}")
        value, unit, clock = found.groups()
        if unit not in [*Unit]:
            raise ValueError(f"{text!r}: the unit {unit!r} is unknown; use m, h or d, as in {_EXAMPLES}")
        if clock not in [*ClockType]:
            raise ValueError(f"{text!r}: the clock {clock!r} is unknown; use {', '.join(ClockType)}, as in {_EXAMPLES}")
        return cls(float(value), Unit(unit), ClockType(clock))

    def total(self, calendar: WorkCalendar) -> timedelta:
        """How much time of its own clock is allowed."""
        if self.clock is ClockType.WORK:
            return self.value * calendar.office_day
        return self.value * _LENGTH[self.unit]


def deadline(start: datetime, allowance: Allowance, calendar: WorkCalendar) -> datetime:
    """When an allowance that starts now has run out, in UTC.

    An office clock that runs out with the office hours ends there, not with the next opening.

    Raises:
        ValueError: where ``start`` has no time zone.
    """
    return after(start, allowance.total(calendar), allowance.clock, calendar)


def after(start: datetime, span: timedelta, clock: ClockType, calendar: WorkCalendar) -> datetime:
    """The instant at which a span of a clock's time has passed since ``start``, in UTC.

    Raises:
        ValueError: where ``start`` has no time zone.
    """
    start = _utc(start)
    if clock in _CONTINUOUS:
        return start + span
    remaining, day = span, calendar.local_day(start)
    while True:
        for opens, closes in calendar.spans(day):
            begins = max(opens, start)
            if begins + remaining <= closes:
                return begins + remaining
            remaining -= max(closes - begins, timedelta())
        day += _DAY


def elapsed(start: datetime, end: datetime, clock: ClockType, calendar: WorkCalendar) -> timedelta:
    """How much of a clock's time lies between two instants; none where the end is not later.

    Raises:
        ValueError: where a time has no time zone.
    """
    start, end = _utc(start), _utc(end)
    if end <= start:
        return timedelta()
    return end - start if clock in _CONTINUOUS else _office_time(start, end, calendar)


def _office_time(start: datetime, end: datetime, calendar: WorkCalendar) -> timedelta:
    used = timedelta()
    day, last = calendar.local_day(start), calendar.local_day(end)
    while day <= last:
        for opens, closes in calendar.spans(day):
            used += max(min(closes, end) - max(opens, start), timedelta())
        day += _DAY
    return used


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone: a deadline needs an aware time, in UTC")
    return at.astimezone(UTC)
