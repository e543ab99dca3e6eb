"""The city's clock and its sun, for conditions such as ``night`` and ``should_on``.

Pure: every time comes in as event time, microseconds since 1970 UTC.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from astral import Observer
from astral.sun import sunrise, sunset

from devices.readings import Floats, Ints
from rules.durations import MICROS
from rules.truth import Bools

_QUARTER = 15 * 60 * MICROS  # every zone's offset changes on a quarter of an hour
_MINUTE = 60 * MICROS
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class LocalTime:
    """Time as the city counts it.

    ``night_start`` and ``night_end`` bound the night of GB 3096 (22:00 to 06:00), which a county may shift.
    """

    zone: ZoneInfo
    night_start: time = time(22)
    night_end: time = time(6)

    @cached_property
    def _offsets(self) -> dict[int, int]:
        return {}

    def minute_of_day(self, ts: Ints) -> Ints:
        """Local minutes since midnight."""
        quarters, where = np.unique(ts // _QUARTER, return_inverse=True)
        offsets = np.array([self._offset(int(quarter)) for quarter in quarters], dtype=np.int64)
        return (ts + offsets[where]) // _MINUTE % _DAY_MINUTES

    def _offset(self, quarter: int) -> int:
        if quarter not in self._offsets:
            offset = moment(quarter * _QUARTER).astimezone(self.zone).utcoffset() or timedelta(0)
            self._offsets[quarter] = round(offset.total_seconds()) * MICROS
        return self._offsets[quarter]

    def night(self, ts: Ints) -> Bools:
        """Whether it is night for the noise limits."""
        return between(self.minute_of_day(ts), minutes(self.night_start), minutes(self.night_end))

    def dark(self, ts: int, *, lat: float, lon: float, margin: int) -> bool:
        """Whether the sun has been down for ``margin`` µs and stays down as long; degrees, at the lamp's position."""
        day = moment(ts).astimezone(self.zone).date()
        up, down = _sun(round(lat, 1), round(lon, 1), day, self.zone)
        if up is None or down is None:  # polar day or night: no lamp switches by the sun there
            return False
        if down < up:  # where the sun of early summer sets after midnight, the night lies within the day
            return down + margin <= ts < up - margin
        return ts >= down + margin or ts < up - margin


def moment(ts: int) -> datetime:
    """Microseconds since 1970 UTC as an aware datetime."""
    return datetime.fromtimestamp(ts / MICROS, UTC)


def minutes(clock: time) -> int:
    """Minutes since midnight."""
    return clock.hour * 60 + clock.minute


def between(minute: Ints, start: float | Floats, end: float | Floats) -> Bools:
    """Whether a minute of the day lies in ``[start, end)``, which may run over midnight."""
    after_start, before_end = minute >= start, minute < end
    return np.where(np.less_equal(start, end), after_start & before_end, after_start | before_end)


@lru_cache(maxsize=4096)
def _sun(lat: float, lon: float, day: date, zone: ZoneInfo) -> tuple[int | None, int | None]:
    """Sunrise and sunset of a local day; a tenth of a degree is within half a minute."""
    observer = Observer(latitude=lat, longitude=lon)
    try:
        up, down = sunrise(observer, day, tzinfo=zone), sunset(observer, day, tzinfo=zone)
    except ValueError:
        return None, None
    return round(up.timestamp() * MICROS), round(down.timestamp() * MICROS)
