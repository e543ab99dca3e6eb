"""What an expression sees: readings beside the attributes and limits of their devices."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from devices.quality import Quality
from devices.readings import Floats, Readings
from devices.registry import Registry
from rules.local_time import LocalTime


@dataclass(frozen=True, slots=True)
class Frame:
    """Readings of one kind with everything a condition may ask about them."""

    readings: Readings
    registry: Registry
    local_time: LocalTime

    def __len__(self) -> int:
        return len(self.readings)

    def metric(self, name: str) -> Floats:
        """A metric; NaN where not sent, and where the value is beyond what the instrument can deliver."""
        column = self.readings.metric(name)
        bounds = self.readings.kind.metric(name).range
        implausible = (self.readings.quality & int(Quality.IMPLAUSIBLE)) != 0
        if bounds is None or not implausible.any():
            return column
        with np.errstate(invalid="ignore"):
            outside = implausible & ((column < bounds[0]) | (column > bounds[1]))
        return np.where(outside, np.nan, column)

    def limit(self, name: str) -> Floats:
        """A limit in force for each reading's device."""
        return self.registry.limit_column(self.readings.kind.name, name)[self.readings.device]

    def number(self, name: str) -> Floats:
        """A numeric attribute of each reading's device."""
        return self.registry.number_column(self.readings.kind.name, name)[self.readings.device]

    def words(self, name: str) -> NDArray[np.object_]:
        """A textual attribute of each reading's device."""
        return self.registry.word_column(self.readings.kind.name, name)[self.readings.device]

    def row(self, position: int) -> "Frame":
        """The frame of a single reading."""
        return replace(self, readings=self.readings.take(np.array([position])))
