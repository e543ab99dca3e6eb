"""The time of day in the pretend city, for whole columns of times in microseconds since 1970 UTC."""

import math
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from devices.readings import Floats, Ints
from simulators.chance import HOUR

LOCAL = ZoneInfo("Asia/Shanghai")
OFFSET = 8 * HOUR  # the zone's since 1991; it has no summer time
DAY = 24 * HOUR
_YEAR_DAYS = 365.25
_MIDSUMMER = 204  # days from 1970-01-01 to the end of July
_THURSDAY = 3  # 1970-01-01


def day_of(at: Ints) -> Ints:
    """The local date as a number that grows by one a day."""
    return (at + OFFSET) // DAY


def midnight(day: Ints) -> Ints:
    """When a local day begins."""
    return day * DAY - OFFSET


def hour_of(at: Ints) -> Floats:
    """Local time of day in hours, 0 up to 24."""
    return (at + OFFSET) % DAY / HOUR


def weekend(at: Ints) -> NDArray[np.bool_]:
    """Whether it is Saturday or Sunday."""
    free: NDArray[np.bool_] = (day_of(at) + _THURSDAY) % 7 >= 5
    return free


def daily_wave(at: Ints, peak: float) -> Floats:
    """Follows the day from -1 to 1, highest at the hour ``peak``."""
    return np.asarray(np.cos((hour_of(at) - peak) / 24 * math.tau))


def yearly_wave(at: Ints) -> Floats:
    """Follows the year from -1 to 1, highest in late July."""
    return np.asarray(np.cos((at / DAY - _MIDSUMMER) / _YEAR_DAYS * math.tau))
