"""What an expression sees: readings beside the attributes and limits of their devices."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from devices.quality import Quality
from devices.readings import Floats, Readings
from devices.registry import Registry
from rules.local_time import LocalTime

_Found = TypeVar("_Found")
_DOUBTS = int(Quality.FROZEN | Quality.IMPLAUSIBLE)


@dataclass(frozen=True, slots=True)
class Frame:
    """Readings of one kind with everything a condition may ask about them."""

    readings: Readings
    registry: Registry
    local_time: LocalTime
    _found: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.readings)

    def metric(self, name: str) -> Floats:
        """A metric as far as it is believed.

        NaN where not sent, where the instrument is frozen, and where the value is beyond what it can deliver.
        """
        return self.once(f"metric {name}", lambda: self._believed(name))

    def _believed(self, name: str) -> Floats:
        column, quality = self.readings.metric(name), self.readings.quality
        bounds = self.readings.kind.metric(name).range
        if not self.once("doubts", (quality & _DOUBTS).any):
            return column
        doubtful = (quality & int(Quality.FROZEN)) != 0
        if bounds is not None:
            with np.errstate(invalid="ignore"):
                outside = (column < bounds[0]) | (column > bounds[1])
            doubtful |= outside & ((quality & int(Quality.IMPLAUSIBLE)) != 0)
        return np.where(doubtful, np.nan, column)

    def limit(self, name: str) -> Floats:
        """A limit in force for each reading's device."""
        readings = self.readings
        return self.once(f"limit {name}", lambda: self.registry.limits_of(readings.kind.name, name, readings.device))

    def number(self, name: str) -> Floats:
        """A numeric attribute of each reading's device."""
        readings = self.readings
        return self.once(f"number {name}", lambda: self.registry.numbers_of(readings.kind.name, name, readings.device))

    def position(self) -> tuple[Floats, Floats]:
        """Latitude and longitude of each reading's device, degrees."""
        return self.registry.positions_of(self.readings.device)

    def words(self, name: str) -> NDArray[np.object_]:
        """A textual attribute of each reading's device."""
        readings = self.readings
        return self.once(f"words {name}", lambda: self.registry.words_of(readings.kind.name, name, readings.device))

    def once(self, what: str, find: Callable[[], _Found]) -> _Found:
        """What ``find`` finds, looked for once a frame: the rules of a kind ask for the same again and again."""
        if what not in self._found:
            self._found[what] = find()
        found: _Found = self._found[what]
        return found

    def row(self, position: int) -> "Frame":
        """The frame of a single reading."""
        return replace(self, readings=self.readings.take(np.array([position])))
