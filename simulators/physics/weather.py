"""The pretend city's weather, one for all its devices: what is wet in one street is wet in the next.

Fronts pass on about one day in four and stay light; whatever is worse comes from a scenario.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from devices.readings import Floats, Ints
from simulators.chance import HOUR, Chance, Keys, keys_of
from simulators.physics.daytime import daily_wave, day_of, midnight, yearly_wave

_SKY = keys_of(["sky"])  # one for the whole city
_RAINY_DAYS = 0.26
_LIGHTEST, _HEAVIEST = 0.4, 6.0  # mm/h of a front
_REMEMBERED_D = 2  # days after which the ground has forgotten a front


@dataclass(frozen=True, slots=True)
class Rain:
    """Rain from ``start`` until ``end`` (µs), in mm/h at its centre; half of it falls ``radius`` degrees away."""

    start: int
    end: int
    mm_per_h: float
    lon: float = 0.0
    lat: float = 0.0
    radius: float = inf

    def share(self, lon: Floats, lat: Floats) -> Floats:
        """How much of it falls at a place."""
        if self.radius == inf:
            return np.ones_like(lon)
        distance = np.hypot((lon - self.lon) * 0.86, lat - self.lat)  # a degree of longitude is shorter at 30° north
        return np.asarray(0.5 ** (distance / self.radius) ** 2)


@dataclass(frozen=True, slots=True)
class Gale:
    """So many m/s more wind from ``start`` until ``end`` (µs), over the whole city."""

    start: int
    end: int
    m_per_s: float


class Weather:
    """Air, wind and rain; places in degrees, times in µs."""

    def __init__(self, chance: Chance, rains: Sequence[Rain] = (), gales: Sequence[Gale] = ()) -> None:
        self._chance = chance
        self._rains = rains
        self._gales = gales
        self._fronts: dict[int, Rain | None] = {}

    def air_temperature(self, at: Ints) -> Floats:
        """In °C: about 17 on average, between -2 and 37."""
        slow = 17 + 12 * yearly_wave(at) + 4 * daily_wave(at, peak=15) + 3 * self._wander("air", at, hours=36)
        return slow + 0.4 * self._wander("clouds", at, hours=1.2)

    def humidity(self, at: Ints, rain: Floats) -> Floats:
        """Relative, in per cent."""
        dry = 68 - 12 * daily_wave(at, peak=15) + 10 * self._wander("humidity", at, hours=24)
        return np.minimum(99.0, dry + np.minimum(25.0, 12 * rain))

    def wind(self, at: Ints) -> Floats:
        """Ten-minute mean in m/s at the height of a bridge deck: between 1 and 10 while there is no gale."""
        calm = 5.0 + 1.5 * daily_wave(at, peak=15) + 2.2 * self._wander("wind", at, hours=7)
        calm = calm + 0.5 * self._wander("squalls", at, hours=0.4)
        for gale in self._gales:
            calm = calm + gale.m_per_s * _rises_and_falls(at, gale.start, gale.end)
        return calm

    def rain(self, lon: Floats, lat: Floats, at: Ints) -> Floats:
        """Intensity in mm/h."""
        fallen = np.zeros(len(at))
        for rain in self._over(at):
            now = (rain.start <= at) & (at < rain.end)
            if now.any():
                fallen[now] += rain.mm_per_h * rain.share(lon[now], lat[now])
        if fallen.any():
            fallen *= 1 + 0.6 * self._wander("showers", at, hours=0.2)
        return fallen

    def standing(self, lon: Floats, lat: Floats, at: Ints, hours: float) -> Floats:
        """Millimetres of rain that are still there where water runs off within so many hours (time constant)."""
        stands = np.zeros(len(at))
        for rain in self._over(at):
            since, lasted = (at - rain.start) / HOUR, (rain.end - rain.start) / HOUR
            wet = since > 0
            if wet.any():
                during = np.minimum(since[wet], lasted)
                left = 1 - np.exp(-during / hours)
                left = left * np.exp(-np.maximum(0, since[wet] - lasted) / hours)
                stands[wet] += rain.mm_per_h * hours * left * rain.share(lon[wet], lat[wet])
        return stands

    def _over(self, at: Ints) -> Iterator[Rain]:
        """Every rain that may matter at these times."""
        if len(at):
            first, last = (int(day_of(edge)) for edge in (at.min(), at.max()))
            for day in range(first - _REMEMBERED_D, last + 1):
                front = self._front(day)
                if front is not None:
                    yield front
            horizon = int(at.min()) - _REMEMBERED_D * 24 * HOUR
            yield from (rain for rain in self._rains if rain.start <= at.max() and rain.end > horizon)

    def _front(self, day: int) -> Rain | None:
        if day not in self._fronts:
            step = np.array([day])
            comes, begins, strength, length = (
                float(self._chance.uniform(f"front {what}", _SKY, step)[0]) for what in ("comes", "begins", "mm", "h")
            )
            start = int(midnight(step)[0]) + round(begins * 24 * HOUR)
            span = round((0.7 + 7 * length**2) * HOUR)
            mm_per_h = _LIGHTEST + (_HEAVIEST - _LIGHTEST) * strength**3
            self._fronts[day] = Rain(start, start + span, mm_per_h) if comes < _RAINY_DAYS else None
        return self._fronts[day]

    def _wander(self, what: str, at: Ints, hours: float) -> Floats:
        who: Keys = np.broadcast_to(_SKY, at.shape)
        return self._chance.wander(what, who, at, hours)


def _rises_and_falls(at: Ints, start: int, end: int) -> Floats:
    """0 outside, 1 in the middle half, in between a slope."""
    slope = max(1, (end - start) // 4)
    return np.clip(np.minimum(at - start, end - at) / slope, 0, 1)
