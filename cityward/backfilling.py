"""A pretend city's past, straight into the tables: the rows that a collector would have stored, without a broker.

A slice of the past is treated as one batch that a collector took after having been away: written once, marked by what
came before, judged by nobody.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from devices.errors import DescriptionError
from devices.kind import MetricType
from devices.readings import Ints, Readings
from devices.registry import Registry
from ingest.decoding import CLOCK_AHEAD, bounds_of, doubts
from ingest.marking import Marking
from simulators.reports import Reports
from storage.connection import Connection
from storage.reading_writer import latest, write

_AT_ONCE = 50_000  # rows of a transaction at most, about 10 MB


@dataclass(slots=True)
class Backfilled:
    """What has been written so far; ``refused`` had a clock too far ahead, ``until`` is the time reached in µs."""

    stored: int = 0
    already_there: int = 0
    refused: int = 0
    until: int = 0


def backfill(
    connection: Connection,
    registry: Registry,
    slices: Iterable[Reports],
    *,
    stopping: Callable[[], bool],
    report: Callable[[Backfilled], None],
) -> Backfilled:
    """Store what a pretend city measured, a transaction a slice, until it is through or somebody says stop.

    Raises:
        DescriptionError: if one of its devices is not registered.
    """
    marking = Marking(registry.kinds.values())
    done = Backfilled()
    for reports in slices:
        believed = reports.take(reports.ts <= reports.arrives + CLOCK_AHEAD)
        done.refused += len(reports) - len(believed)
        for readings in _readings(believed, registry):
            strangers = marking.strangers(readings)
            marking.recall(strangers, latest(connection, readings.kind, strangers.tolist()))
            marked = marking.mark(readings)
            with connection.transaction():
                result = write(connection, marked)
            marking.advance(marked)
            done.stored += int(result.fresh.sum())
            done.already_there += int((~result.fresh & ~result.unstorable).sum())
            done.until = max(done.until, int(readings.ts.max()))
        report(done)
        if stopping():
            break
    return done


def _readings(reports: Reports, registry: Registry) -> Iterator[Readings]:
    """Reports as the decoder would give them, so many at once."""
    for first in range(0, len(reports), _AT_ONCE):
        yield _as_read(reports.take(np.arange(first, min(first + _AT_ONCE, len(reports)))), registry)


def _as_read(reports: Reports, registry: Registry) -> Readings:
    population, count = reports.population, len(reports)
    device = _numbers(reports, registry)
    order = np.lexsort((reports.ts, device))
    return Readings(
        kind=population.kind,
        device=device,
        ts=reports.ts,
        received_at=reports.arrives,
        seq=reports.seq,
        type=reports.type,
        quality=doubts(bounds_of(population.kind), reports.values, reports.ts - reports.arrives),
        message=np.arange(count),
        part=np.zeros(count, dtype=np.int64),
        values=reports.values,
        texts={
            metric.name: np.array(reports.texts[metric.name], dtype=object)
            for metric in population.kind.metrics
            if metric.type is MetricType.TEXT
        },
    ).take(order)


def _numbers(reports: Reports, registry: Registry) -> Ints:
    known = np.zeros(len(reports.population), dtype=np.int64)
    for row in np.unique(reports.rows).tolist():
        name = reports.population.devices[row].device_id
        device = registry.named(name)
        if device is None:
            problem = f"{name} is not registered: cityward simulate --write DIR, then import both files"
            raise DescriptionError("the pretend city", [problem])
        known[row] = device.id
    found: Ints = known[reports.rows]
    return found
