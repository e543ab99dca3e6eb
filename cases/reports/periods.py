"""Weeks, months and quarters of a city: local days, and the moments between which they lie."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_DAY = timedelta(days=1)
_YEARS = range(1970, 2101)  # beyond them a week or a zone leaves what Python counts
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})-?[Qq]([1-4])")


@dataclass(frozen=True, slots=True)
class Period:
    """Local days from ``first`` to ``last``, both included; ``name`` as people write it: 2026-W47, 2026-11, 2026-Q4."""

    name: str
    first: date
    last: date

    def moments(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """When it begins and when it is over, in UTC."""
        begin, end = (datetime.combine(day, time(), zone) for day in (self.first, self.last + _DAY))
        return begin.astimezone(UTC), end.astimezone(UTC)


def week(day: date) -> Period:
    """The week of a day, Monday to Sunday, by its number of ISO 8601."""
    monday = day - day.weekday() * _DAY
    year, number, _ = day.isocalendar()
    return Period(f"{year}-W{number:02}", monday, monday + 6 * _DAY)


def month(day: date) -> Period:
    """The month of a day."""
    first = day.replace(day=1)
    return Period(f"{first:%Y-%m}", first, (first + 31 * _DAY).replace(day=1) - _DAY)


def quarter(day: date) -> Period:
    """The quarter of a day."""
    number = (day.month - 1) // 3
    first = date(day.year, 3 * number + 1, 1)
    return Period(f"{day.year}-Q{number + 1}", first, month(first.replace(month=first.month + 2)).last)


def months(period: Period) -> list[Period]:
    """The months of a quarter, or of whatever else is made of whole months."""
    found = [month(period.first)]
    while found[-1].last < period.last:
        found.append(after(found[-1]))
    return found


def before(period: Period) -> Period:
    """The month before a month."""
    return month(period.first - _DAY)


def after(period: Period) -> Period:
    """The month after a month."""
    return month(period.last + _DAY)


def days(first: date, last: date) -> Period:
    """Any stretch of days.

    Raises:
        ValueError: where it ends before it begins.
    """
    if last < first:
        raise ValueError(f"{first} to {last} ends before it begins")
    return Period(f"{first} - {last}", first, last)


def read_month(text: str) -> Period:
    """``2026-11``.

    Raises:
        ValueError: saying what a month looks like.
    """
    found = _MONTH.fullmatch(text.strip())
    if not found or not 1 <= int(found[2]) <= 12 or int(found[1]) not in _YEARS:
        raise ValueError(f"{text!r} is no month: write for example 2026-11")
    return month(date(int(found[1]), int(found[2]), 1))


def read_quarter(text: str) -> Period:
    """``2026-Q4``.

    Raises:
        ValueError: saying what a quarter looks like.
    """
    found = _QUARTER.fullmatch(text.strip())
    if not found or int(found[1]) not in _YEARS:
        raise ValueError(f"{text!r} is no quarter: write for example 2026-Q4")
    return quarter(date(int(found[1]), 3 * int(found[2]) - 2, 1))


def read_day(text: str) -> date:
    """``2026-11-16``.

    Raises:
        ValueError: saying what a date looks like.
    """
    try:
        found = date.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is no date: write for example 2026-11-16") from error
    if found.year not in _YEARS:
        raise ValueError(f"{text!r} is of no year of ours: write for example 2026-11-16")
    return found
