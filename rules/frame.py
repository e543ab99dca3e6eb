"""What an expression sees: readings beside the attributes and limits of their devices, or windows of readings."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from devices.quality import Quality
from devices.readings import Floats, Ints, Readings
from devices.registry import GROUP_KIND, Registry
from rules.local_time import LocalTime
from rules.spells import NONE, Spells
from rules.truth import Bools

_Found = TypeVar("_Found")
_DOUBTS = int(Quality.FROZEN | Quality.IMPLAUSIBLE)


@dataclass(frozen=True, slots=True)
class Frame:
    """Rows of one kind with everything a condition may ask about them.

    A row is a reading, or a window of readings: then ``readings`` carries no metric, its time is the window's middle,
    ``ends`` are the windows' ends, and ``contents`` is what lies in each. ``permits`` are the work permits in force, by
    kind of permit; ``alarms``, for moments of silent devices, the spells of alarms by rule.
    """

    readings: Readings
    registry: Registry
    local_time: LocalTime
    permits: Spells = NONE
    contents: "Contents | None" = None
    ends: Ints | None = None
    alarms: Spells = NONE
    _found: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.readings)

    @property
    def judged_at(self) -> Ints:
        """The event time at which each row counts: of a reading its own, of a window its end."""
        return self.readings.ts if self.ends is None else self.ends

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

    @property
    def believed(self) -> Bools:
        """Readings of an instrument that is not frozen."""
        believed: Bools = (self.readings.quality & int(Quality.FROZEN)) == 0
        return believed

    def limit(self, name: str) -> Floats:
        """The limit in force for each row's device at its local day."""
        return self.once(f"limit {name}", lambda: self._limit(name))

    def _limit(self, name: str) -> Floats:
        readings = self.readings
        if readings.kind.name == GROUP_KIND:  # a target of a measure: the same for all groups
            value = readings.kind.limits[name].value
            return np.full(len(readings), np.nan if value is None else value)
        days = partial(self.once, "days", partial(self.local_time.days, readings.ts))
        return self.registry.limits_of(readings.kind.name, name, readings.device, days)

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
        """The frame of a single row."""
        contents = self.contents.row(position) if self.contents is not None else None
        ends = self.ends[position : position + 1] if self.ends is not None else None
        return replace(self, readings=self.readings.take(np.array([position])), contents=contents, ends=ends)


@dataclass(frozen=True)
class Contents:
    """What lies in windows: ``count`` rows of ``frame`` from ``first`` on, in order of time, at least one.

    Windows may overlap. ``start`` and ``end`` (excluded) are microseconds since 1970 UTC; ``only`` says of each row of
    ``frame`` whether its numbers enter the aggregates, None: all do. ``alarms`` are the spells of alarms by rule.
    """

    frame: Frame
    first: Ints
    count: Ints
    start: Ints
    end: Ints
    only: Bools | None = None
    alarms: Spells = NONE

    def __len__(self) -> int:
        return len(self.first)

    @cached_property
    def offset(self) -> Ints:
        """Where the rows of each window begin in ``rows``."""
        return np.cumsum(self.count) - self.count

    @cached_property
    def window(self) -> Ints:
        """The window of each of ``rows``."""
        return np.repeat(np.arange(len(self)), self.count)

    @cached_property
    def rows(self) -> Ints:
        """Positions in ``frame``, window after window."""
        return np.arange(len(self.window)) + (self.first - self.offset)[self.window]

    def row(self, position: int) -> "Contents":
        """The contents of a single window."""
        one = slice(position, position + 1)
        inside = np.arange(self.first[position], self.first[position] + self.count[position])
        return Contents(
            frame=replace(self.frame, readings=self.frame.readings.take(inside)),
            first=np.zeros(1, dtype=np.int64),
            count=self.count[one],
            start=self.start[one],
            end=self.end[one],
            only=None if self.only is None else self.only[inside],
            alarms=self.alarms,
        )
