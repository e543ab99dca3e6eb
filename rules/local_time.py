"""The city's clock and its sun, for conditions such as ``night`` and ``should_on``.

Pure: every time comes in as event time, microseconds since 1970 UTC.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from astral import Observer
from astral.sun import sunrise, sunset

from devices.moments import MICROS, micros, moment
from devices.readings import Floats, Ints
from rules.truth import Bools
from rules.workdays import is_national_holiday, is_working_day

_QUARTER = 15 * 60 * MICROS  # every zone's offset changes on a quarter of an hour
_MINUTE = 60 * MICROS
_DAY_MINUTES = 24 * 60
_DAY = _DAY_MINUTES * _MINUTE
_EPOCH = date(1970, 1, 1)
# Sunrise long before everything and sunset long after: neither sum of them with a margin overflows.
_NO_NIGHT = -(2**62), 2**62


@dataclass(frozen=True)
class LocalTime:
    """Time as the city counts it.

    ``night_start`` and ``night_end`` bound the night of GB 3096 (22:00 to 06:00), which a county may shift. The city's
    own ``holidays`` and ``make_up_days`` go before the national calendar.
    """

    zone: ZoneInfo
    night_start: time = time(22)
    night_end: time = time(6)
    holidays: frozenset[date] = frozenset()
    make_up_days: frozenset[date] = frozenset()

    @cached_property
    def _offsets(self) -> dict[int, int]:
        return {}

    def minute_of_day(self, ts: Ints) -> Ints:
        """Local minutes since midnight."""
        return self._local(ts) // _MINUTE % _DAY_MINUTES

    def day(self, ts: int) -> date:
        """The local date."""
        return moment(ts).astimezone(self.zone).date()

    def midnight(self, day: date) -> int:
        """The instant at which a local date begins."""
        return self.instant(day, time())

    def instant(self, day: date, clock: time) -> int:
        """A local time of a local date, microseconds since 1970 UTC."""
        return round(datetime.combine(day, clock, self.zone).timestamp()) * MICROS

    def days(self, ts: Ints) -> Ints:
        """Local days since 1970."""
        return self._local(ts) // _DAY

    def by_day(self, ts: Ints, of_day: Callable[[date], int]) -> Ints:
        """What a function makes of each row's local date; it is asked once a date."""
        days = self.days(ts)
        each, where = np.unique(days, return_inverse=True)
        return np.array([of_day(_EPOCH + timedelta(days=int(day))) for day in each], dtype=np.int64)[where]

    def is_workday(self, day: date) -> bool:
        """Whether offices work on a local date."""
        return is_working_day(day, self.holidays, self.make_up_days)

    def is_holiday(self, day: date) -> bool:
        """Whether a local date is a public holiday, or one of the city's own."""
        return day not in self.make_up_days and (day in self.holidays or is_national_holiday(day))

    def _local(self, ts: Ints) -> Ints:
        """What the clocks show, as microseconds since 1970 if they showed UTC."""
        quarters, where = np.unique(ts // _QUARTER, return_inverse=True)
        offsets = np.array([self._offset(int(quarter)) for quarter in quarters], dtype=np.int64)
        return ts + offsets[where]

    def _offset(self, quarter: int) -> int:
        if quarter not in self._offsets:
            offset = moment(quarter * _QUARTER).astimezone(self.zone).utcoffset() or timedelta(0)
            self._offsets[quarter] = round(offset.total_seconds()) * MICROS
        return self._offsets[quarter]

    def night(self, ts: Ints) -> Bools:
        """Whether it is night for the noise limits."""
        return between(self.minute_of_day(ts), minutes(self.night_start), minutes(self.night_end))

    def dark(self, ts: Ints, *, lat: Floats, lon: Floats, margin: int) -> Bools:
        """Whether the sun has been down for ``margin`` µs and stays down as long; degrees, at each lamp's position."""
        # A tenth of a degree is within half a minute, so the lamps of a city share a few suns.
        day, north, east = self._local(ts) // _DAY, np.rint(10 * lat).astype(int), np.rint(10 * lon).astype(int)
        _, some, where = np.unique((day * 2000 + north) * 4000 + east, return_index=True, return_inverse=True)
        places = zip(north[some].tolist(), east[some].tolist(), day[some].tolist(), strict=True)
        suns = [_sun(*place, self.zone) for place in places]
        up, down = np.array(suns, dtype=np.int64).reshape(-1, 2)[where].T
        after, before = ts >= down + margin, ts < up - margin
        # Where the sun of early summer sets after midnight, the night lies within the day.
        dark: Bools = np.where(down < up, after & before, after | before)
        return dark


def minutes(clock: time) -> int:
    """Minutes since midnight."""
    return clock.hour * 60 + clock.minute


def between(minute: Ints, start: float | Floats, end: float | Floats) -> Bools:
    """Whether a minute of the day lies in ``[start, end)``, which may run over midnight."""
    after_start, before_end = minute >= start, minute < end
    return np.where(np.less_equal(start, end), after_start & before_end, after_start | before_end)


@lru_cache(maxsize=4096)
def _sun(north: int, east: int, day: int, zone: ZoneInfo) -> tuple[int, int]:
    """Sunrise and sunset of a local day, counted from 1970; tenths of a degree.

    On a polar day or night no lamp switches by the sun.
    """
    observer, of_day = Observer(latitude=north / 10, longitude=east / 10), _EPOCH + timedelta(days=day)
    try:
        up, down = sunrise(observer, of_day, tzinfo=zone), sunset(observer, of_day, tzinfo=zone)
    except ValueError:
        return _NO_NIGHT
    return micros(up), micros(down)
