"""The time of day in the pretend city."""

import math
from datetime import datetime
from zoneinfo import ZoneInfo

from astral import Observer
from astral.sun import elevation

LOCAL = ZoneInfo("Asia/Shanghai")


def hour(at: datetime) -> float:
    """Local time of day in hours, 0 up to 24."""
    local = at.astimezone(LOCAL)
    return local.hour + local.minute / 60 + local.second / 3600


def day_number(at: datetime) -> int:
    """The local date as a number that grows by one a day."""
    return at.astimezone(LOCAL).toordinal()


def daily_wave(at: datetime, peak: float) -> float:
    """Follows the day from -1 to 1, highest at the hour ``peak``."""
    return math.cos((hour(at) - peak) / 24 * math.tau)


def yearly_wave(at: datetime) -> float:
    """Follows the year from -1 to 1, highest in late July."""
    days = at.timestamp() / 86_400  # since 1970-01-01; 204 of them lead to the end of July
    return math.cos((days - 204) / 365.25 * math.tau)


def bustle(at: datetime) -> float:
    """How busy the streets are, 0 to 1: grows from 6:00 to 8:00 and dies down from 20:00 to 21:45.

    It is still before the night of GB 3096 begins at 22:00.
    """
    now = hour(at)
    return max(0.0, min(1.0, (now - 6) / 2, (21.75 - now) / 1.75))


def sun_elevation(lat: float, lon: float, at: datetime) -> float:
    """Degrees of the sun above the horizon there."""
    return float(elevation(Observer(lat, lon), at))
