"""The doubts about readings that follow from what came before them: late, repeated, frozen."""

from collections.abc import Iterable

import numpy as np

from devices.kind import Kind
from devices.readings import Ints, Readings
from ingest.stillness import Stillness
from ingest.watermarks import Watermarks


class Marking:
    """Flags readings by the past of their devices. ``mark`` only looks; ``advance`` follows what has been committed.

    A device's past is asked for when it is heard for the first time, so that a collector of a million devices starts
    as fast as one of ten.

    Args:
        kinds: The installed kinds.
    """

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._stillness = Stillness(kinds)
        self._watermarks = Watermarks()
        self._recalled = np.zeros(1024, dtype=bool)

    def strangers(self, readings: Readings) -> Ints:
        """Devices among these whose past is not known yet: ``recall`` it before they are marked."""
        most = int(readings.device.max(initial=0))
        if most >= len(self._recalled):
            more = max(most + 1, 2 * len(self._recalled)) - len(self._recalled)
            self._recalled = np.concatenate([self._recalled, np.zeros(more, dtype=bool)])
        return np.unique(readings.device[~self._recalled[readings.device]])

    def recall(self, devices: Ints, latest: Readings) -> None:
        """Take over the past of these devices: the latest reading that each has sent itself, where there is one."""
        self._recalled[devices] = True
        if len(latest):
            self._watermarks.advance(latest)
            self._stillness.resume(latest)

    def mark(self, readings: Readings) -> Readings:
        """The same readings, flagged. In this order: what is late is not compared with what came after it."""
        return self._stillness.mark(self._watermarks.mark(readings))

    def late(self, readings: Readings) -> Readings:
        """The same readings, flagged where they are not newer than what was judged of their devices."""
        return self._watermarks.mark(readings)

    def advance(self, readings: Readings) -> None:
        """Remember marked readings that have been committed."""
        self._watermarks.advance(readings)
        self._stillness.advance(readings)
