"""How far each device's event time has been evaluated: what comes after in time is live, the rest is late."""

from dataclasses import replace

import numpy as np

from devices.quality import Quality
from devices.readings import Ints, Readings

_NEVER = np.iinfo(np.int64).min


class Watermarks:
    """The newest evaluated time of every device, microseconds since 1970 UTC."""

    def __init__(self) -> None:
        self._newest: Ints = np.full(1024, _NEVER, dtype=np.int64)

    def mark(self, readings: Readings) -> Readings:
        """The same readings, those not newer than their device's watermark flagged late."""
        self._grow(int(readings.device.max()))
        late = readings.ts <= self._newest[readings.device]
        if not late.any():
            return readings
        return replace(readings, quality=readings.quality | np.where(late, int(Quality.LATE), 0))

    def advance(self, readings: Readings) -> None:
        """Remember what has been committed; what a gateway repeats is not evaluated, and makes nothing late."""
        self._grow(int(readings.device.max()))
        said = (readings.quality & int(Quality.REPEATED)) == 0
        np.maximum.at(self._newest, readings.device[said], readings.ts[said])

    def _grow(self, device: int) -> None:
        if device >= len(self._newest):
            room = np.full(max(device + 1, 2 * len(self._newest)) - len(self._newest), _NEVER, dtype=np.int64)
            self._newest = np.concatenate([self._newest, room])
