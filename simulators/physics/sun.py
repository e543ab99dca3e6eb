"""The sun over the pretend city, for whole columns of places and times.

Formulas: the low-precision ones of the Astronomical Almanac, good to 0.01 degrees until 2050.
"""

import numpy as np

from devices.readings import Floats, Ints
from simulators.chance import HOUR
from simulators.physics.daytime import DAY, OFFSET

_J2000 = 10_957.5  # days from 1970-01-01 00:00 to 2000-01-01 12:00 UTC


def elevation(lat: Floats, lon: Floats, at: Ints) -> Floats:
    """Degrees of the sun's centre above the horizon, refraction left out."""
    declination, ascension, sidereal = _position(at)
    angle = np.radians(sidereal + lon) - ascension
    height = np.sin(np.radians(lat)) * np.sin(declination)
    height = height + np.cos(np.radians(lat)) * np.cos(declination) * np.cos(angle)
    return np.asarray(np.degrees(np.arcsin(height)))


def crossings(lat: Floats, lon: Floats, day: Ints, degrees: float) -> tuple[Ints, Ints]:
    """When the sun climbs above that many degrees on a local day, and when it falls below, within a minute."""
    noon = day * DAY - OFFSET + DAY // 2
    rising, falling = noon - 6 * HOUR, noon + 6 * HOUR
    for _ in range(2):  # the declination at the time found, not at noon
        rising, falling = (
            _crossing(lat, lon, noon, guess, degrees, side) for guess, side in ((rising, -1), (falling, 1))
        )
    return rising, falling


def _crossing(lat: Floats, lon: Floats, noon: Ints, guess: Ints, degrees: float, side: int) -> Ints:
    declination, ascension, sidereal = _position(guess)
    behind = (np.degrees(ascension) - sidereal - lon + 180) % 360 - 180  # degrees that the sun has yet to turn
    transit = guess + behind / 15 * HOUR
    transit += np.round((noon - transit) / DAY) * DAY
    reach = np.sin(np.radians(degrees)) - np.sin(np.radians(lat)) * np.sin(declination)
    reach = reach / (np.cos(np.radians(lat)) * np.cos(declination))
    half_day = np.degrees(np.arccos(np.clip(reach, -1, 1))) / 15 * HOUR
    found: Ints = (transit + side * half_day).astype(np.int64)
    return found


def _position(at: Ints) -> tuple[Floats, Floats, Floats]:
    """Declination and right ascension in radians, sidereal time at Greenwich in degrees."""
    days = at / DAY - _J2000
    anomaly = np.radians(357.529 + 0.98560028 * days)
    longitude = np.radians(280.459 + 0.98564736 * days + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    tilt = np.radians(23.439 - 0.00000036 * days)
    ascension = np.arctan2(np.cos(tilt) * np.sin(longitude), np.cos(longitude))
    declination = np.arcsin(np.sin(tilt) * np.sin(longitude))
    return declination, ascension, (18.697374558 + 24.06570982441908 * days) * 15
