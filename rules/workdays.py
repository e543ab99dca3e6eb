"""Working days and public holidays of China, by the State Council's yearly arrangement."""

from collections.abc import Collection
from datetime import date
from functools import lru_cache

import chinese_calendar

_FRIDAY = 4


def is_working_day(day: date, holidays: Collection[date], make_up_days: Collection[date]) -> bool:
    """Whether offices work on a local date; the city's own lists go before the national calendar."""
    return day in make_up_days or (day not in holidays and _is_national_working_day(day))


def is_arranged(year: int) -> bool:
    """Whether the arrangement of a year has been published, and reached this machine."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


@lru_cache(maxsize=4096)
def is_national_holiday(day: date) -> bool:
    """Whether a date is part of a public holiday; nothing is in years it has not been published for."""
    try:
        off, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return False
    return bool(off and name)


@lru_cache(maxsize=4096)
def _is_national_working_day(day: date) -> bool:
    """Monday to Friday in years that the arrangement has not been published for."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() <= _FRIDAY
