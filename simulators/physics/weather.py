"""The pretend city's weather: no rain or storm yet, the same everywhere, a pure function of time."""

import math
from datetime import datetime
from functools import lru_cache
from random import Random

from simulators.physics.daytime import daily_wave, yearly_wave


def air_temperature(at: datetime) -> float:
    """In °C: about 17 on average, between -2 and 36."""
    return 17 + 12 * yearly_wave(at) + 4 * daily_wave(at, peak=15) + 3 * wander("air", at, hours=36)


def humidity(at: datetime) -> float:
    """Relative, in per cent."""
    return 70 - 12 * daily_wave(at, peak=15) + 10 * wander("humidity", at, hours=24)


def wind(at: datetime) -> float:
    """Ten-minute mean in m/s at the height of a bridge deck: between 1.5 and 9.5."""
    return 5.5 + 1.5 * daily_wave(at, peak=15) + 2.5 * wander("wind", at, hours=5)


def wander(what: str, at: datetime, hours: float) -> float:
    """Drifts between -1 and 1: a new random value every so many hours, smooth between."""
    step, between = divmod(at.timestamp() / 3600 / hours, 1)
    ease = (1 - math.cos(between * math.pi)) / 2
    return _node(what, int(step)) * (1 - ease) + _node(what, int(step) + 1) * ease


@lru_cache(maxsize=8192)
def _node(what: str, step: int) -> float:
    return Random(f"{what} {step}").uniform(-1, 1)
