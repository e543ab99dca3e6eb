"""The doubts about readings that follow from what came before them: late, repeated, frozen."""

from collections.abc import Iterable

from devices.kind import Kind
from devices.readings import Readings
from ingest.stillness import Stillness
from ingest.watermarks import Watermarks


class Marking:
    """Flags readings by the past of their devices. ``mark`` only looks; ``advance`` follows what has been committed.

    Args:
        kinds: The installed kinds.
        latest: The latest reading that each device itself has sent, a table a kind, as the database has them when a
            collector starts.
    """

    def __init__(self, kinds: Iterable[Kind], latest: Iterable[Readings] = ()) -> None:
        newest: dict[int, int] = {}
        self._stillness = Stillness(kinds)
        for readings in latest:
            newest.update(zip(readings.device.tolist(), readings.ts.tolist(), strict=True))
            self._stillness.resume(readings)
        self._watermarks = Watermarks(newest)

    def mark(self, readings: Readings) -> Readings:
        """The same readings, flagged. In this order: what is late is not compared with what came after it."""
        return self._stillness.mark(self._watermarks.mark(readings))

    def advance(self, readings: Readings) -> None:
        """Remember marked readings that have been committed."""
        self._watermarks.advance(readings)
        self._stillness.advance(readings)
