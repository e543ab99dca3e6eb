"""How much moves in the streets: one pulse for covers, meters, scales and decks alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devices.readings import Floats, Ints
from simulators.chance import Chance, Keys
from simulators.physics.daytime import hour_of, weekend

_HOURS = np.arange(25.0)
# Share of the busiest hour, by the hour of day: two rush hours on working days, one long afternoon on the others.
_WORKDAY = np.array(
    [0.09, 0.06, 0.04, 0.04, 0.06, 0.14, 0.36, 0.80, 1.00, 0.86, 0.74, 0.72, 0.68,
     0.69, 0.73, 0.77, 0.86, 0.98, 0.97, 0.74, 0.56, 0.40, 0.26, 0.15, 0.09]
)  # fmt: skip
_FREE_DAY = np.array(
    [0.13, 0.08, 0.05, 0.04, 0.05, 0.09, 0.18, 0.34, 0.50, 0.62, 0.72, 0.76, 0.74,
     0.72, 0.74, 0.78, 0.80, 0.82, 0.80, 0.70, 0.60, 0.46, 0.30, 0.20, 0.13]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many times the usual traffic from ``start`` until ``end`` (µs), in the whole city."""

    start: int
    end: int
    times: float


class Traffic:
    """The flow on every road as a share of the busiest hour's, about 0.03 to 1.2."""

    def __init__(self, chance: Chance, crowds: Sequence[Crowd] = ()) -> None:
        self._chance = chance
        self._crowds = crowds

    def flow(self, road: Keys, at: Ints) -> Floats:
        """On a road at a time."""
        hour = hour_of(at)
        usual = np.where(weekend(at), np.interp(hour, _HOURS, _FREE_DAY), np.interp(hour, _HOURS, _WORKDAY))
        usual = usual * (1 + 0.1 * self._chance.wander("jams", road, at, hours=0.35))
        for crowd in self._crowds:
            usual = np.where((crowd.start <= at) & (at < crowd.end), usual * crowd.times, usual)
        return np.asarray(usual)
