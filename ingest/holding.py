"""Readings that wait for older ones of their device, so that rules see them in order.

Pure. A kind may have a bound: so long each of its readings waits, from its arrival on, for older ones that are still
under way. The wait goes by arrival, not by the devices' clocks: a clock that is ahead keeps nobody waiting, one that is
behind costs nobody the wait, and what the broker kept while no collector was there is put in order like anything else.

What waits follows from what is stored: a reading that arrived at ``until`` or later, unless a newer one that its device
itself has sent arrived before. So ``until``, committed with what was judged, is all that a restart needs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from devices.kind import Kind
from devices.quality import Quality
from devices.readings import Ints, Readings
from ingest.marking import Marking
from ingest.watermarks import Watermarks

# µs: so often it looks whether a wait is over; with a long bound, every hundredth of it.
GRAIN = 500_000
_BY_ORDER = int(Quality.LATE | Quality.REPEATED | Quality.FROZEN)
_NEVER, _ALL = np.iinfo(np.int64).min, np.iinfo(np.int64).max

_Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What of a kind waited when the last collector stopped.

    Attributes:
        until: What arrived before has been judged, µs since 1970 UTC.
        readings: Those that wait, as the table has them, in order of device and time.
        latest: The last reading judged that each of their devices has sent itself, where there is one.
    """

    until: int
    readings: Readings
    latest: Readings


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a kind has been judged, to be committed with what was found.

    Attributes:
        kind: The kind.
        until: What arrived before has been judged, µs since 1970 UTC.
        since: No reading that waits has an older time, µs since 1970 UTC.
        corrected: Readings about which there are other doubts in order than there were on arrival.
        over: The kind has no bound any more, and nothing of it waits.
    """

    kind: Kind
    until: int
    since: int
    corrected: Readings
    over: bool = False


@dataclass(frozen=True, slots=True)
class _Queue:
    """What of a kind waits: ``tables`` that arrived one after the other, each at one moment and in order of time.

    ``apart`` are readings that may be due before their wait is over, because a newer one of their device arrived first.
    """

    until: int
    since: int
    tables: Sequence[Readings]
    apart: Readings


@dataclass(frozen=True, slots=True)
class Turn:
    """What a step came to: for the rules, for the database, and for the memory once it is committed."""

    ready: Sequence[Readings]
    progress: Sequence[Progress] = ()
    arrived: Sequence[Readings] = ()
    queues: Mapping[str, _Queue] = field(default_factory=dict)
    judged: Sequence[Readings] = ()


class Holding:
    """Puts readings in order. ``step`` only looks; ``apply`` follows what has been committed.

    Args:
        bounds: How long readings of a kind wait, µs, by name; kinds that are not named wait for nothing.
        waiting: What the last collector left, of each kind with a bound and of those that had one.
    """

    def __init__(self, bounds: Mapping[str, int] | None = None, waiting: Iterable[Waiting] = ()) -> None:
        by_kind = {each.readings.kind.name: each for each in waiting}
        self._bounds = {name: (bounds or {}).get(name, 0) for name in by_kind}
        self._order = Marking(each.readings.kind for each in by_kind.values())
        self._arrived = Watermarks()
        self._queues: dict[str, _Queue] = {}
        for name, each in by_kind.items():
            self._queues[name] = _Queue(each.until, _oldest([each.readings], each.until), (), each.readings)
            if len(each.readings):
                self._arrived.advance(_undoubted(each.readings))
                self._order.recall(self._order.strangers(each.readings), each.latest)

    def memories(self, kind: Kind) -> Sequence[Marking]:
        """What must know the past of a kind's devices, beside what marks readings on arrival."""
        return (self._order,) if kind.name in self._queues else ()

    def step(self, fresh: Sequence[Readings], now: int) -> Turn:
        """What rules may judge once these readings are stored.

        Args:
            fresh: New readings, at most one table a kind, in order of device and time; none when nothing arrived.
            now: The time of arrival, µs since 1970 UTC.
        """
        if not self._queues:
            return Turn(fresh)
        arrived = {table.kind.name: table for table in fresh}
        ready = [table for table in fresh if table.kind.name not in self._queues]
        progress, judged, queues = [], [], {}
        for name, queue in self._queues.items():
            table = arrived.get(name, queue.apart.take(np.zeros(0, dtype=np.intp)))
            released, queues[name], moved = self._release(self._joined(queue, table, now), now, since=queue.since)
            progress += [moved] if moved else []
            judged += [released] if len(released) else []
        held = [table for table in fresh if table.kind.name in self._queues]
        return Turn([*ready, *judged], progress, held, queues, judged)

    def apply(self, turn: Turn) -> None:
        """Remember a turn that is committed."""
        self._queues |= turn.queues
        for table in turn.arrived:
            self._arrived.advance(_undoubted(table))
        for table in turn.judged:
            self._order.advance(table)
        for progress in turn.progress:
            if progress.over:
                del self._queues[progress.kind.name]

    def _joined(self, queue: _Queue, fresh: Readings, now: int) -> _Queue:
        """The queue with what has arrived; what came after a newer one was judged is history, and waits for nothing."""
        fresh = fresh.where(~_has(self._order.late(_undoubted(fresh)), Quality.LATE)).kept() if len(fresh) else fresh
        if not len(fresh):
            return queue
        apart = _has(self._arrived.mark(_undoubted(fresh)), Quality.LATE) | (fresh.received_at != now)
        return replace(
            queue,
            since=min(queue.since, int(fresh.ts.min())),
            tables=[*queue.tables, *([] if apart.all() else [fresh.where(~apart)])],
            apart=Readings.joined([queue.apart, fresh.take(apart)]) if apart.any() else queue.apart,
        )

    def _release(self, queue: _Queue, now: int, *, since: int) -> tuple[Readings, _Queue, Progress | None]:
        """The readings whose wait is over, with the older ones of their devices; what is left; what to write.

        What a gateway has repeated hurries nobody: the device itself has not said that it is further.

        Args:
            queue: What waits, arrivals included.
            now: The time, µs since 1970 UTC.
            since: What the database takes for the time of the oldest that waits.
        """
        kind, bound = queue.apart.kind, self._bounds[queue.apart.kind.name]
        grain = max(GRAIN, bound // 100)
        until = max(queue.until, (now - bound) // grain * grain) if bound else _ALL
        over, tables = queue.apart.received_at < until, [each for each in queue.tables if each.received_at[0] < until]
        due = Readings.joined([queue.apart.take(over), *tables])
        if not len(due) and bound:
            moved = Progress(kind, until, queue.since, due) if queue.since < since else None
            return due, replace(queue, until=until), moved
        apart = queue.apart.take(~over)
        older = apart.ts < _last_of_device(due, apart)
        asked = Readings.joined([due, apart.take(older)])
        marked = replace(asked, quality=asked.quality & ~_BY_ORDER)
        marked = self._order.mark(marked) if len(marked) else marked
        due_by_itself = asked.received_at < until
        goes = due_by_itself | _before_any(marked, due_by_itself & ~_has(marked, Quality.REPEATED))
        tables = [each for each in queue.tables if each.received_at[0] >= until]
        apart = Readings.joined([apart.take(~older), asked.take(~goes)])
        left = _Queue(until, _oldest([*tables, apart], until), tables, apart)
        corrected = marked.take(goes & (marked.quality != asked.quality))
        return marked.take(goes), left, Progress(kind, until, left.since, corrected, over=not bound)


def _has(readings: Readings, doubt: Quality) -> _Bools:
    has: _Bools = (readings.quality & int(doubt)) != 0
    return has


def _undoubted(readings: Readings) -> Readings:
    """The readings as if there were no doubt: a repeated one arrived as well."""
    return replace(readings, quality=np.zeros_like(readings.quality))


def _oldest(tables: Iterable[Readings], until: int) -> int:
    """The time of the oldest reading, not later than ``until``; µs since 1970 UTC."""
    return min([until, *(int(table.ts.min()) for table in tables if len(table))])


def _last_of_device(readings: Readings, rows: Readings) -> Ints:
    """For each row the time of the last of these readings of its device; before all time where there is none."""
    devices, place = np.unique(readings.device, return_inverse=True)
    last = np.full(len(devices) + 1, _NEVER)
    np.maximum.at(last, place, readings.ts)
    found = np.searchsorted(devices, rows.device)
    there = np.append(devices, -1)[found] == rows.device
    return last[np.where(there, found, len(devices))]


def _before_any(readings: Readings, these: _Bools) -> _Bools:
    """Whether one of these readings is of the same device and later; readings in order of device and time."""
    last = _last_of_device(readings.take(these), readings)
    before: _Bools = readings.ts < last
    return before
