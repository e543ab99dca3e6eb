"""The one place that reads the wall clock. Everybody else is given a Clock."""

import mmap
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from devices.errors import Retryable
from devices.moments import MICROS, micros

# Seconds on the wall. A clock that is corrected by less stands still meanwhile; one that is set back by more had been
# wrong, and to go on by it would be wrong for as long.
_CORRECTED = 60


class SetBackError(Retryable):
    """The machine's clock had been ahead: what was done by it begins anew."""

    def __init__(self) -> None:
        super().__init__("the clock of this machine was set back: starting over by what it shows now")


@dataclass(slots=True)
class Clock:
    """Time that may run faster than the wall, for a pretend city; processes with the same settings agree on it.

    Args:
        factor: Seconds that pass here for each second on the wall.
        start: What it shows at ``anchor``; the anchor itself where None.
        anchor: A moment on the wall (aware); now where None.
    """

    factor: float = 1.0
    start: datetime | None = None
    anchor: datetime | None = None
    _shown: int = 0

    def micros(self) -> int:
        """Microseconds since 1970 UTC; less than before only if the wall clock is set back by a minute or more."""
        wall = time.time_ns() // 1000  # noqa: TID251 - here
        if self.anchor is not None:
            anchor = micros(self.anchor)
            wall = micros(self.start or self.anchor) + round((wall - anchor) * self.factor)
        if self._shown - wall < _CORRECTED * MICROS * self.factor:
            wall = max(self._shown, wall)
        self._shown = wall
        return wall

    def now(self) -> datetime:
        """Aware, in UTC."""
        return datetime.fromtimestamp(self.micros() / MICROS, UTC)


class Driven(Clock):
    """A clock that stands until somebody moves it: for a city whose time must not outrun those who watch it.

    The time is eight bytes of a file that all who go by it have mapped.
    """

    __slots__ = ("_time",)

    def __init__(self, file: Path) -> None:
        super().__init__()
        with file.open("r+b") as opened:
            self._time = memoryview(mmap.mmap(opened.fileno(), 8)).cast("q")

    @classmethod
    def create(cls, file: Path, at: datetime) -> "Driven":
        """A new file that shows an aware time."""
        file.write_bytes(bytes(8))
        made = cls(file)
        made.move(at)
        return made

    def move(self, at: datetime) -> None:
        """Show this aware time from now on, to everybody."""
        self._time[0] = micros(at)

    def micros(self) -> int:
        """Microseconds since 1970 UTC."""
        self._shown = max(self._shown, self._time[0])
        return self._shown
