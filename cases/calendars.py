"""When a city's offices work: office hours, national holidays and make-up days, the city's own lists."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rules.workdays import is_arranged, is_working_day

_ANY_DAY = date(2000, 1, 1)
_AHEAD = timedelta(days=45)  # a month of deadlines, and time to do something; the arrangement comes in November


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """A city's working time.

    ``office_hours`` are local times of one working day, in order; ``holidays`` and ``make_up_days`` are local
    dates that go before the national calendar. Usual office hours: 08-12 and 14-18 (practice of the bureaus).

    Raises:
        ValueError: saying everything that is wrong with the hours and days.
    """

    timezone: ZoneInfo
    office_hours: tuple[tuple[time, time], ...]
    holidays: frozenset[date] = frozenset()
    make_up_days: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        problems = []
        if not self.office_hours:
            problems.append('office_hours are empty: give at least one span such as ["08:00", "12:00"]')
        last = time.min
        for start, end in self.office_hours:
            if start >= end:
                problems.append(f"office hours {start:%H:%M}-{end:%H:%M} end before they start")
            elif start < last:
                problems.append(f"office hours {start:%H:%M}-{end:%H:%M} start before {last:%H:%M}, where others end")
            last = max(last, end)
        problems += [
            f"{day} is listed as holiday and as make-up day: keep one"
            for day in sorted(self.holidays & self.make_up_days)
        ]
        if problems:
            raise ValueError("; ".join(problems))

    @property
    def office_day(self) -> timedelta:
        """The office hours of one working day."""
        return sum((_between(start, end) for start, end in self.office_hours), timedelta())

    def local_day(self, at: datetime) -> date:
        """The city's date at an instant."""
        return at.astimezone(self.timezone).date()

    def is_working_day(self, day: date) -> bool:
        """Whether the offices work on a local date."""
        return is_working_day(day, self.holidays, self.make_up_days)

    def missing(self, at: datetime) -> str:
        """What is wrong, and to be done, where nobody knows the holidays of this year or of the one that is near."""
        for year in sorted({self.local_day(at).year, self.local_day(at + _AHEAD).year}):
            if not is_arranged(year) and all(day.year != year for day in self.holidays):
                return (
                    f"the holidays of {year} are not known, and deadlines and shifts take Monday to Friday for working "
                    f"days: update the package chinesecalendar, or list them in city.toml and import it"
                )
        return ""

    def spans(self, day: date) -> list[tuple[datetime, datetime]]:
        """The office hours of a local date as instants in UTC, in order; empty on a day off."""
        if not self.is_working_day(day):
            return []
        spans = [(self._instant(day, start), self._instant(day, end)) for start, end in self.office_hours]
        # Where clocks are put forward, a span can shrink to nothing.
        return [(start, end) for start, end in spans if start < end]

    def end_of(self, day: date) -> datetime:
        """When the offices close on a local date, in UTC; midnight at its end where they do not work."""
        spans = self.spans(day)
        return spans[-1][1] if spans else self._instant(day + timedelta(days=1), time.min)

    def _instant(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self.timezone).astimezone(UTC)


def _between(start: time, end: time) -> timedelta:
    return datetime.combine(_ANY_DAY, end) - datetime.combine(_ANY_DAY, start)
