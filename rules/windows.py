"""Windows of readings: when they begin and end, and their frames.

Pure. A window is judged once, some time after its end, on what is stored then: late readings count like any others,
and in which order and in which batches they came makes no difference.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from devices.kind import Kind
from devices.moments import MICROS
from devices.quality import Quality
from devices.readings import NO_SEQUENCE, Ints, Readings
from rules.frame import Contents, Frame
from rules.local_time import LocalTime

DAY = 24 * 3600 * MICROS
GRACE = 2 * 60 * MICROS


class Span(StrEnum):
    """How a window is bounded."""

    PLAIN = "plain"  # by its length
    DAY = "day"  # local midnight to midnight
    NIGHT = "night"  # the city's night hours


@dataclass(frozen=True, slots=True)
class Window:
    """Windows as a rule asks for them; lengths in µs.

    One ends every ``every``, counted from local midnight, and at midnight itself; it is ``length`` long. A day and a
    night end once a day. ``grace`` is how long after its end a window waits for late arrivals.
    """

    span: Span = Span.PLAIN
    length: int = DAY
    every: int = DAY
    grace: int = GRACE

    @property
    def label(self) -> str:
        """What tells it from other windows."""
        if self.span is not Span.PLAIN:
            return f"{self.span} grace {self.grace // MICROS} s"
        return f"{self.length // MICROS} s every {self.every // MICROS} s grace {self.grace // MICROS} s"

    def between(self, local_time: LocalTime, after: int, until: int) -> list[tuple[int, int]]:
        """Start and end of the windows that end later than ``after`` and not later than ``until``, in order."""
        found = []
        day, last = local_time.day(after) - timedelta(days=1), local_time.day(until)
        while day <= last:
            ending = self._of_day(local_time, day, after, until)
            found += [(start, end) for start, end in ending if after < end <= until]
            day += timedelta(days=1)
        return found

    def _of_day(self, local_time: LocalTime, day: date, after: int, until: int) -> Iterator[tuple[int, int]]:
        """The windows that end on a day; of short ones, which are many, hardly more than those in the span."""
        midnight, next_midnight = local_time.midnight(day), local_time.midnight(day + timedelta(days=1))
        match self.span:
            case Span.DAY:
                yield midnight, next_midnight
            case Span.NIGHT:
                before = day if local_time.night_start < local_time.night_end else day - timedelta(days=1)
                start, end = local_time.night_start, local_time.night_end
                yield local_time.instant(before, start), local_time.instant(day, end)
            case _:
                first = midnight + (max(0, after - midnight) // self.every + 1) * self.every
                for end in [*range(first, min(next_midnight, until + 1), self.every), next_midnight]:
                    yield end - self.length, end


def frame_of(readings: Readings, windows: Sequence[tuple[int, int]], surroundings: Frame) -> Frame:
    """The frame whose rows are windows with at least one reading, in order of device and end.

    What a gateway has repeated is left out.

    Args:
        readings: Of one kind, in order of device and time.
        windows: Starts and ends, in order of their ends; a reading at the start is inside, one at the end is not.
        surroundings: A frame of these or other readings, for registry, local time and permits.
    """
    readings = readings.where((readings.quality & int(Quality.REPEATED)) == 0)
    devices = np.unique(readings.device)
    starts, ends = np.array(windows, dtype=np.int64).reshape(-1, 2).T
    times = np.concatenate([starts, ends, readings.ts])
    base = int(times.min(initial=times[0] if len(times) else 0))
    stride = int(times.max(initial=base)) - base + 1
    keys = np.searchsorted(devices, readings.device) * stride + readings.ts - base
    blocks = np.arange(len(devices))[:, np.newaxis] * stride - base
    first, behind = (np.searchsorted(keys, blocks + edges) for edges in (starts, ends))
    device, window = np.nonzero(behind > first)
    contents = Contents(
        frame=replace(surroundings, readings=readings, contents=None, ends=None),
        first=first[device, window],
        count=(behind - first)[device, window],
        start=starts[window],
        end=ends[window],
    )
    middle = contents.start + (contents.end - contents.start) // 2
    return replace(
        surroundings, readings=blank(readings.kind, devices[device], middle), contents=contents, ends=contents.end
    )


def blank(kind: Kind, device: Ints, ts: Ints) -> Readings:
    """Rows of a kind that carry no metric: moments of devices."""
    count = len(device)
    zeros: NDArray[np.int64] = np.zeros(count, dtype=np.int64)
    return Readings(
        kind=kind,
        device=device,
        ts=ts,
        received_at=ts,
        seq=np.full(count, NO_SEQUENCE, dtype=np.int64),
        type=zeros,
        quality=zeros,
        message=zeros,
        part=zeros,
        values=np.full((count, len(kind.metrics)), np.nan),
        texts={},
    )
