"""People: whom to reach and how, who is on duty when, how they want to be told.

In city.toml: ``[contacts]``, ``shifts`` and ``lead`` of units, ``contacts`` of districts, ``leadership``, ``[notify]``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import msgspec

from cases.calendars import WorkCalendar
from cases.words import Language

_CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORKING, FREE = "working", "free"
_DAY = timedelta(days=1)


class Contact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody to reach; ``url`` is one that apprise knows, ``${NAME}`` in it is taken from the environment."""

    name: dict[str, str]
    url: str
    language: Language = Language.ZH


class Shift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is on duty on which days from when to when, local time; past midnight where it ends before it starts.

    ``days`` are weekdays (mon to sun), ``working`` and ``free`` days of the city's calendar; empty: every day.
    """

    start: str
    end: str
    contacts: list[str]
    days: list[str] = []

    def problems(self) -> Iterable[str]:
        """What is wrong with it."""
        for text in (self.start, self.end):
            if not _CLOCK_TIME.fullmatch(text):
                yield f'{text!r} is no time of day; write for example "08:00"'
        known = {*_WEEKDAYS, WORKING, FREE}
        yield from (
            f"{day!r} is no day; write {', '.join((*_WEEKDAYS, WORKING, FREE))}"
            for day in self.days
            if day not in known
        )

    def covers(self, at: datetime, calendar: WorkCalendar) -> bool:
        """Whether it is this shift's time."""
        local = at.astimezone(calendar.timezone)
        now, start, end = local.time(), _time(self.start), _time(self.end)
        if start < end:
            return start <= now < end and self._falls_on(local.date(), calendar)
        if now >= start:
            return self._falls_on(local.date(), calendar)
        return now < end and self._falls_on(local.date() - _DAY, calendar)

    def spans(self, since: datetime, until: datetime, calendar: WorkCalendar) -> Iterator[tuple[datetime, datetime]]:
        """Its times between two instants, in order, in UTC; cut off where they reach beyond."""
        day = calendar.local_day(since) - _DAY  # what began the day before may go on past midnight
        over_midnight = _DAY if _time(self.end) <= _time(self.start) else timedelta()
        while day <= calendar.local_day(until):
            if self._falls_on(day, calendar):
                begin = max(_instant(day, self.start, calendar.timezone), since.astimezone(UTC))
                end = min(_instant(day + over_midnight, self.end, calendar.timezone), until.astimezone(UTC))
                if begin < end:
                    yield begin, end
            day += _DAY

    def _falls_on(self, day: date, calendar: WorkCalendar) -> bool:
        kind = WORKING if calendar.is_working_day(day) else FREE
        return not self.days or _WEEKDAYS[day.weekday()] in self.days or kind in self.days


@dataclass(frozen=True, slots=True)
class Manners:
    """How people are told: project defaults, a city may set its own.

    What is not critical waits for ``settle`` so that more of its kind goes with it. One target gets at most
    ``per_minute`` messages that are not critical; the same is not said twice within ``repeat_after``.
    """

    settle: timedelta = timedelta(seconds=10)
    per_minute: int = 10
    repeat_after: timedelta = timedelta(minutes=10)


def on_duty(shifts: Iterable[Shift], at: datetime, calendar: WorkCalendar) -> list[str]:
    """The contacts whose shift it is, each once."""
    return [*dict.fromkeys(contact for shift in shifts if shift.covers(at, calendar) for contact in shift.contacts)]


def unknown_contacts(named: Mapping[str, Iterable[str]], contacts: Mapping[str, Contact]) -> Iterable[str]:
    """A problem for each contact that is named somewhere and not described."""
    for where, names in named.items():
        yield from (f"{where}: the contact {name!r} is not among [contacts]" for name in names if name not in contacts)


def _time(text: str) -> time:
    return time.max if text == "24:00" else time.fromisoformat(text)


def _instant(day: date, text: str, zone: tzinfo) -> datetime:
    if text == "24:00":
        return datetime.combine(day + _DAY, time.min, zone).astimezone(UTC)
    return datetime.combine(day, time.fromisoformat(text), zone).astimezone(UTC)
