"""What an expression sees: readings beside the attributes and limits of their devices."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from devices.quality import Quality
from devices.readings import Floats, Readings
from devices.registry import Registry
from rules.local_time import LocalTime

_DOUBTS = int(Quality.FROZEN | Quality.IMPLAUSIBLE)


@dataclass(frozen=True, slots=True)
class Frame:
    """Readings of one kind with everything a condition may ask about them."""

    readings: Readings
    registry: Registry
    local_time: LocalTime

    def __len__(self) -> int:
        return len(self.readings)

    def metric(self, name: str) -> Floats:
        """A metric as far as it is believed.

        NaN where not sent, where the instrument is frozen, and where the value is beyond what it can deliver.
        """
        column, quality = self.readings.metric(name), self.readings.quality
        bounds = self.readings.kind.metric(name).range
        if not (quality & _DOUBTS).any():
            return column
        doubtful = (quality & int(Quality.FROZEN)) != 0
        if bounds is not None:
            with np.errstate(invalid="ignore"):
                outside = (column < bounds[0]) | (column > bounds[1])
            doubtful |= outside & ((quality & int(Quality.IMPLAUSIBLE)) != 0)
        return np.where(doubtful, np.nan, column)

    def limit(self, name: str) -> Floats:
        """A limit in force for each reading's device."""
        return self.registry.limits_of(self.readings.kind.name, name, self.readings.device)

    def number(self, name: str) -> Floats:
        """A numeric attribute of each reading's device."""
        return self.registry.numbers_of(self.readings.kind.name, name, self.readings.device)

    def words(self, name: str) -> NDArray[np.object_]:
        """A textual attribute of each reading's device."""
        return self.registry.words_of(self.readings.kind.name, name, self.readings.device)

    def row(self, position: int) -> "Frame":
        """The frame of a single reading."""
        return replace(self, readings=self.readings.take(np.array([position])))
