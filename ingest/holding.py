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
from devices.readings import Readings
from ingest.marking import Marking

# µs: so often it looks whether a wait is over; with a long bound, every hundredth of it.
GRAIN = 500_000
_BY_ORDER = int(Quality.LATE | Quality.REPEATED | Quality.FROZEN)
_NEVER, _ALL = np.iinfo(np.int64).min, np.iinfo(np.int64).max

_Bools = NDArray[np.bool_]
_NOBODY = np.zeros(1, dtype=np.int64)


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
    corrected: Readings | None = None
    over: bool = False


@dataclass(frozen=True, slots=True)
class _Queue:
    """What of a kind waits: ``tables`` in order of device and time, and what has arrived since the last look."""

    kind: Kind
    until: int
    since: int
    tables: Sequence[Readings]
    arrived: Sequence[Readings] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """What a step came to: for the rules, for the database, and for the memory once it is committed."""

    ready: Sequence[Readings]
    progress: Sequence[Progress] = ()
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
        self._queues: dict[str, _Queue] = {}
        for name, each in by_kind.items():
            tables = [each.readings] if len(each.readings) else []
            self._queues[name] = _Queue(each.readings.kind, each.until, _oldest(tables, each.until), tables)
            if tables:
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
            waits = self._joined(queue, arrived[name]) if name in arrived else queue
            released, queues[name], moved = self._release(waits, now)
            if moved is None and waits.since < queue.since:
                moved = Progress(queue.kind, queue.until, waits.since)
            progress += [moved] if moved else []
            judged += [released] if released else []
        return Turn([*ready, *judged], progress, queues, judged)

    def apply(self, turn: Turn) -> None:
        """Remember a turn that is committed."""
        self._queues |= turn.queues
        for table in turn.judged:
            self._order.advance(table)
        for progress in turn.progress:
            if progress.over:
                del self._queues[progress.kind.name]

    def _joined(self, queue: _Queue, fresh: Readings) -> _Queue:
        """The queue with what has arrived; what is older than what was judged is history, and waits for nothing."""
        fresh = fresh.where(~_has(self._order.late(_undoubted(fresh)), Quality.LATE))
        if not len(fresh):
            return queue
        since = min(queue.since, int(fresh.ts.min()))
        return replace(queue, since=since, arrived=[*queue.arrived, fresh.kept()])

    def _release(self, queue: _Queue, now: int) -> tuple[Readings | None, _Queue, Progress | None]:
        """The readings whose wait is over, with the older ones of their devices; what is left; what to write.

        What a gateway has repeated hurries nobody: the device itself has not said that it is further.
        """
        bound = self._bounds[queue.kind.name]
        grain = max(GRAIN, bound // 100)
        until = max(queue.until, (now - bound) // grain * grain) if bound else _ALL
        if until == queue.until and not any((each.received_at < until).any() for each in queue.arrived):
            return None, queue, None
        tables = [*queue.tables, *([Readings.joined(queue.arrived)] if queue.arrived else [])]
        queue = replace(queue, until=until, tables=tables, arrived=())
        asking = _asking(tables, until)
        if not any(rows.any() for rows in asking):
            return None, queue, None if bound else Progress(queue.kind, until, until, over=True)
        asked = Readings.joined([table.take(rows) for table, rows in zip(tables, asking, strict=True) if rows.any()])
        marked = self._order.mark(replace(asked, quality=asked.quality & ~_BY_ORDER))
        due = asked.received_at < until
        goes = due | _before_any(marked, due & ~_has(marked, Quality.REPEATED))
        left = [table.where(~rows) for table, rows in zip(tables, asking, strict=True) if not rows.all()]
        left += [] if goes.all() else [asked.take(~goes)]
        queue = replace(queue, since=_oldest(left, until), tables=left)
        corrected = marked.take(goes & (marked.quality != asked.quality))
        return marked.where(goes), queue, Progress(queue.kind, until, queue.since, corrected, over=not bound)


def _asking(tables: Sequence[Readings], until: int) -> list[_Bools]:
    """Which rows of each table arrived before ``until``, or are older than such a one of their device."""
    due = [table.received_at < until for table in tables]
    last = np.full(max(int(table.device.max(initial=0)) for table in tables) + 1, _NEVER) if tables else _NOBODY
    for table, rows in zip(tables, due, strict=True):
        np.maximum.at(last, table.device[rows], table.ts[rows])
    return [rows | (table.ts < last[table.device]) for table, rows in zip(tables, due, strict=True)]


def _has(readings: Readings, doubt: Quality) -> _Bools:
    has: _Bools = (readings.quality & int(doubt)) != 0
    return has


def _undoubted(readings: Readings) -> Readings:
    """The readings as if there were no doubt: a repeated one arrived as well."""
    return replace(readings, quality=np.zeros_like(readings.quality))


def _oldest(tables: Iterable[Readings], until: int) -> int:
    """The time of the oldest reading, not later than ``until``; µs since 1970 UTC."""
    return min([until, *(int(table.ts.min()) for table in tables)])


def _before_any(readings: Readings, these: _Bools) -> _Bools:
    """Whether one of these readings is of the same device and later; readings in order of device and time."""
    behind = np.minimum.accumulate(np.where(these, np.arange(len(these)), len(these))[::-1])[::-1]
    next_one = np.append(behind[1:], len(these))
    before: _Bools = np.append(readings.device, -1)[next_one] == readings.device
    return before
