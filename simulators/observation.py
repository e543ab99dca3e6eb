"""What physics is asked: these devices, at these times, in this city."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.readings import Floats, Ints
from simulators.chance import Chance, Keys
from simulators.faults import FaultKind
from simulators.harm import Harm, Struck
from simulators.physics.daytime import hour_of
from simulators.physics.traffic import Traffic
from simulators.physics.weather import Weather
from simulators.population import Population

# A metric a column, NaN where a reading does not carry it; booleans are 0 and 1, enumerations the word's position.
Columns = dict[str, Floats]


@dataclass(frozen=True, slots=True)
class World:
    """What all devices of a city have in common."""

    chance: Chance
    weather: Weather
    traffic: Traffic


@dataclass(frozen=True, slots=True)
class Observation:
    """Readings to be made, one a row: the device's row in its population, the time in µs, whether out of turn."""

    world: World
    population: Population
    harm: Harm
    rows: Ints
    at: Ints
    is_event: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def key(self) -> Keys:
        """Who reads."""
        return self.population.key[self.rows]

    @property
    def trait(self) -> Floats:
        """The device's own character, 0 to 1."""
        return self.population.trait[self.rows]

    @property
    def place(self) -> tuple[Floats, Floats]:
        """Longitude and latitude in degrees."""
        return self.population.lon[self.rows], self.population.lat[self.rows]

    @property
    def hour(self) -> Floats:
        """Local time of day."""
        return hour_of(self.at)

    def flow(self) -> Floats:
        """The traffic on the device's road."""
        return self.world.traffic.flow(self.population.road[self.rows], self.at)

    def rain(self) -> Floats:
        """Rain there and then in mm/h."""
        return self.world.weather.rain(*self.place, self.at)

    def standing(self, hours: float) -> Floats:
        """Millimetres of rain that have not yet run off."""
        return self.world.weather.standing(*self.place, self.at, hours)

    def number(self, attribute: str, default: float) -> Floats:
        """A numeric attribute."""
        return self.population.number(attribute, default)[self.rows]

    def word(self, attribute: str) -> NDArray[np.str_]:
        """A textual attribute."""
        return self.population.word(attribute)[self.rows]

    def limit(self, name: str) -> Floats:
        """What the device is held against, for faults that are to go beyond it."""
        return self.population.limit(name)[self.rows]

    def uniform(self, quantity: str, low: float = 0, high: float = 1) -> Floats:
        """Evenly between two values, anew for every reading."""
        return self.world.chance.between(quantity, self.key, self.at, low, high)

    def normal(self, quantity: str) -> Floats:
        """Mean 0 and deviation 1, anew for every reading."""
        return self.world.chance.normal(quantity, self.key, self.at)

    def wander(self, quantity: str, hours: float) -> Floats:
        """Drifts between -1 and 1, each device for itself."""
        return self.world.chance.wander(quantity, self.key, self.at, hours)

    def struck(self, kind: FaultKind) -> Struck | None:
        """Where a fault shows; None where it shows nowhere."""
        return self.harm.find(kind, self.rows, self.at)

    def ill(self, *kinds: FaultKind) -> NDArray[np.bool_]:
        """Where one of these faults shows."""
        found = np.zeros(len(self), dtype=bool)
        for kind in kinds:
            struck = self.struck(kind)
            if struck is not None:
                found |= struck.active
        return found

    def codes(self, metric: str, words: Mapping[str, NDArray[np.bool_]], default: str) -> Floats:
        """Positions of words of an enumeration: the last one that holds, else the default."""
        values = self.population.kind.metric(metric).values
        codes = np.full(len(self), float(values.index(default)))
        for word, where in words.items():
            codes[where] = values.index(word)
        return codes


def rounded(values: NDArray[np.floating | np.bool_], digits: int = 0) -> Floats:
    """As many digits as the instrument shows."""
    return np.asarray(np.round(values.astype(np.float64), digits))
