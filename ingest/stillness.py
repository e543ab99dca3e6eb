"""Readings that say nothing new: instruments that stand still, and gateways that repeat what they have.

A frozen instrument sends a measurement again and again; a gateway that has lost its device sends the device's last
reading again under a new time. Both look alive. The first is told by live metrics that do not move for longer than
the kind allows, the second by a counter and values that are those of the device's last reading.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from devices.kind import Kind
from devices.quality import Quality
from devices.readings import NO_SEQUENCE, Floats, Ints, Readings

# Below it a counter says nothing: a device without one may send 0 or 1 for ever.
COUNTING = 2
# Of the kind's longest healthy silence; after a longer one the count begins anew: only observed time counts.
_GAP_HEARTBEATS = 3
_NEVER = 0  # µs: before every reading
_UNTOLD = int(Quality.LATE | Quality.REPEATED)
_MICROSECOND = timedelta(microseconds=1)
_ODD = 0x9E3779B97F4A7C15  # 2**64 over the golden ratio: its powers spread the bits of neighbouring columns apart

_Bools = NDArray[np.bool_]
_Rows = NDArray[np.intp]
_Values = NDArray[np.float32]  # as precise as the table
_Prints = NDArray[np.uint64]
_Column = TypeVar("_Column", bound=np.generic)


class Stillness:
    """What every device said last and since when it has not moved, by device number.

    ``mark`` only looks; ``advance`` remembers what has been committed. At most 80 bytes a device: the counter, a
    fingerprint of the values, the live metrics and three times.

    Args:
        kinds: The installed kinds.
    """

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._watched = {kind.name: _Watched.of(kind) for kind in kinds}
        width = max((len(watched.columns) for watched in self._watched.values()), default=0)
        self._seq: Ints = np.empty(0, dtype=np.int64)
        self._print: _Prints = np.empty(0, dtype=np.uint64)
        self._said: Ints = np.empty(0, dtype=np.int64)
        self._known: _Values = np.empty((0, width), dtype=np.float32)
        self._last: Ints = np.empty(0, dtype=np.int64)
        self._since: Ints = np.empty(0, dtype=np.int64)
        self._grow(1023)

    def mark(self, readings: Readings) -> Readings:
        """The same readings, repeated and frozen ones flagged. Late ones are history and cannot freeze anything."""
        self._grow(int(readings.device.max()))
        quality = readings.quality.copy()
        quality[self._repeats(readings)] |= int(Quality.REPEATED)
        course = self._course(readings, quality)
        standing = readings.ts[course.rows] - course.since
        quality[course.rows[standing > self._watched[readings.kind.name].frozen_after]] |= int(Quality.FROZEN)
        return replace(readings, quality=quality)

    def advance(self, readings: Readings) -> None:
        """Remember what has been committed: marked readings in order of device and time."""
        self._grow(int(readings.device.max()))
        course = self._course(readings, readings.quality)
        last = _ends(readings.device[course.rows])
        device = readings.device[course.rows[last]]
        self._known[device, : course.known.shape[1]] = course.known[last]
        self._last[device] = readings.ts[course.rows[last]]
        self._since[device] = course.since[last]
        told = np.flatnonzero((readings.quality & _UNTOLD) == 0)
        told = told[_ends(readings.device[told])]
        device = readings.device[told]
        self._seq[device] = readings.seq[told]
        self._print[device] = _fingerprints(readings.values[told])
        self._said[device] = readings.ts[told]

    def resume(self, latest: Readings) -> None:
        """Take over the latest reading of devices from the table when they are heard for the first time.

        What was frozen stays so until it moves; for all others the count begins with that reading.
        """
        self.advance(latest)
        frozen = latest.device[(latest.quality & int(Quality.FROZEN)) != 0]
        self._since[frozen] -= self._watched[latest.kind.name].frozen_after + 1

    def _repeats(self, readings: Readings) -> _Bools:
        """Whose counter and values are those of the reading before it, or of the last one known, at another time."""
        device, ts, seq = readings.device, readings.ts, readings.seq
        live = np.flatnonzero((readings.quality & int(Quality.LATE)) == 0)
        first = _starts(device[live])
        seq_before = self._seq[device]
        seq_before[live] = np.where(first, seq_before[live], _shifted(seq[live]))
        same: _Bools = (seq >= COUNTING) & (seq == seq_before)
        if not same.any():
            return same
        prints, print_before, said = _fingerprints(readings.values), self._print[device], self._said[device]
        print_before[live] = np.where(first, print_before[live], _shifted(prints[live]))
        same &= prints == print_before
        origin = _latest(~same[live], first)
        said[live] = np.where(origin >= 0, ts[live[origin]], said[live])
        repeats: _Bools = same & (ts != said)
        return repeats

    def _course(self, readings: Readings, quality: Ints) -> "_Course":
        """How the instruments went on, over the readings that bear on it: live metrics, told by the device, in time."""
        watched = self._watched[readings.kind.name]
        values = _as_stored(readings.values[:, watched.columns])
        rows = np.flatnonzero(((quality & _UNTOLD) == 0) & ~np.isnan(values).all(axis=1))
        device, ts, values = readings.device[rows], readings.ts[rows], values[rows]
        first, sent = _starts(device), ~np.isnan(values)
        remembered = self._known[device, : values.shape[1]]
        # Each metric's latest value up to a row, its own included; then the same up to the row before.
        origin = _latest(sent, first[:, None])
        known = np.where(origin >= 0, np.take_along_axis(values, origin, axis=0), remembered)
        before = np.where(first[:, None], remembered, _shifted(known))
        moved = (sent & (values != before)).any(axis=1)
        broken = ts - np.where(first, self._last[device], _shifted(ts)) > watched.gap
        origin = _latest(moved | broken, first)
        return _Course(rows, known, np.where(origin >= 0, ts[origin], self._since[device]))

    def _grow(self, device: int) -> None:
        """Make room for a device of this number."""
        if device < len(self._seq):
            return
        more = max(device + 1, 2 * len(self._seq)) - len(self._seq)
        self._seq = np.concatenate([self._seq, np.full(more, NO_SEQUENCE)])
        self._print = np.concatenate([self._print, np.zeros(more, dtype=np.uint64)])
        self._said, self._last, self._since = (
            np.concatenate([times, np.full(more, _NEVER)]) for times in (self._said, self._last, self._since)
        )
        unknown = np.full((more, self._known.shape[1]), np.nan, dtype=np.float32)
        self._known = np.concatenate([self._known, unknown])


@dataclass(frozen=True, slots=True)
class _Watched:
    """What of a kind is watched for standing still: columns of its live metrics; times in µs."""

    columns: list[int]
    frozen_after: int
    gap: int

    @classmethod
    def of(cls, kind: Kind) -> "_Watched":
        return cls(
            columns=[number for number, metric in enumerate(kind.metrics) if metric.live],
            frozen_after=(kind.frozen_after or timedelta(0)) // _MICROSECOND,
            gap=_GAP_HEARTBEATS * kind.heartbeat // _MICROSECOND,
        )


@dataclass(frozen=True, slots=True)
class _Course:
    """After each of these rows: the latest value of each live metric, and since when none has moved."""

    rows: _Rows
    known: _Values
    since: Ints


def _starts(device: Ints) -> _Bools:
    """Whether a row is the first of its device; rows stand in order of device."""
    starts: _Bools = np.ones(len(device), dtype=bool)
    starts[1:] = device[1:] != device[:-1]
    return starts


def _ends(device: Ints) -> _Rows:
    """The last row of each device."""
    ends = np.ones(len(device), dtype=bool)
    ends[:-1] = device[1:] != device[:-1]
    return np.flatnonzero(ends)


def _latest(true: _Bools, first: _Bools) -> _Rows:
    """For each row the latest row of the same device, itself included, where ``true`` holds; -1 where none is."""
    positions = np.arange(len(true)).reshape(len(true), *[1] * (true.ndim - 1))
    latest = np.where(true, positions, -1)
    if first.all():
        return latest
    latest = np.maximum.accumulate(latest, axis=0)
    start = np.maximum.accumulate(np.where(first, positions, 0), axis=0)
    return np.where(latest >= start, latest, -1)


def _shifted(column: NDArray[_Column]) -> NDArray[_Column]:
    """Each row's predecessor; the first row's own value stands for it and must not be used."""
    return np.concatenate([column[:1], column[:-1]])


def _as_stored(values: Floats) -> _Values:
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _fingerprints(values: Floats) -> _Prints:
    """For each row a number that practically no other row of its kind has unless all its values are the same."""
    bits = _as_stored(values).view(np.uint32)
    powers = np.multiply.accumulate(np.full(bits.shape[1], _ODD, dtype=np.uint64))
    prints: _Prints = (bits * powers).sum(axis=1)
    return prints
