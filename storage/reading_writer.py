"""Readings into their tables, exactly once each: COPY as long as nothing is there twice, sorted out when it is."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection, errors, sql

from devices.kind import Kind
from devices.readings import Readings
from storage.binary_copy import rows
from storage.queries import load
from storage.reading_tables import BASE_COLUMNS, table_name


@dataclass(frozen=True, slots=True)
class WriteResult:
    """Which rows of a batch of one kind were new, and which went nowhere; all others are duplicates.

    ``conflicts`` contradict a stored row of the same device and time; ``unstorable`` were refused by the database.
    """

    fresh: NDArray[np.bool_]
    conflicts: NDArray[np.bool_]
    unstorable: NDArray[np.bool_]

    def __add__(self, other: "WriteResult") -> "WriteResult":
        """The result for the rows of both, one after the other."""
        return WriteResult(
            np.concatenate([self.fresh, other.fresh]),
            np.concatenate([self.conflicts, other.conflicts]),
            np.concatenate([self.unstorable, other.unstorable]),
        )


def write(connection: Connection, readings: Readings) -> WriteResult:
    """Store readings within the transaction that is open on ``connection``."""
    none = np.zeros(len(readings), dtype=bool)
    try:
        if _copied(connection, readings):
            return WriteResult(fresh=~none, conflicts=none, unstorable=none)
        return _write_staged(connection, readings)
    except errors.DataError:
        # The decoder lets nothing through that the table cannot hold; should it err, only the culprit pays.
        if len(readings) == 1:
            return WriteResult(fresh=none, conflicts=none, unstorable=~none)
        first, second = np.array_split(np.arange(len(readings)), 2)
        return write(connection, readings.take(first)) + write(connection, readings.take(second))


def stored(connection: Connection, kinds: Iterable[Kind]) -> dict[str, int]:
    """How many readings of each kind there are, counted one by one: for tests and demonstrations."""
    counts = {kind.name: connection.execute(_query("count_stored", kind)).fetchone() for kind in kinds}
    return {name: int(row[0]) for name, row in counts.items() if row}


def newest(connection: Connection, kind: Kind) -> dict[int, int]:
    """The newest stored time of every device of a kind, microseconds since 1970 UTC."""
    found = connection.execute(_query("newest", kind), {"kind": kind.name})
    return {int(device): int(ts) for device, ts in found}


def _copied(connection: Connection, readings: Readings) -> bool:
    """The fast way; False where a reading of the batch is there already, and nothing is written."""
    try:
        # A savepoint, so that one duplicate costs a second attempt and not the whole transaction.
        with (
            connection.transaction(),
            connection.cursor() as cursor,
            cursor.copy(_query("copy_in", readings.kind)) as copy,
        ):
            copy.write(rows(readings))
    except errors.UniqueViolation:
        return False
    return True


def _write_staged(connection: Connection, readings: Readings) -> WriteResult:
    kind = readings.kind
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_query("create_staging", kind))
        with cursor.copy(_query("copy_staging", kind)) as copy:
            copy.write(rows(readings, ordinals=True))
        inserted = {(int(device), int(ts)) for device, ts in cursor.execute(_query("insert_new", kind))}
        contradicting = [int(ordinal) for (ordinal,) in cursor.execute(_query("find_conflicts", kind))]
        cursor.execute(_query("drop_staging", kind))
    fresh = np.zeros(len(readings), dtype=bool)
    for position, key in enumerate(zip(readings.device.tolist(), readings.ts.tolist(), strict=True)):
        if key in inserted:
            inserted.remove(key)  # later rows of the same key lost
            fresh[position] = True
    conflicts = np.zeros(len(readings), dtype=bool)
    conflicts[contradicting] = True
    return WriteResult(fresh, conflicts, np.zeros(len(readings), dtype=bool))


def _query(name: str, kind: Kind) -> sql.Composed:
    metrics = [sql.Identifier(metric.name) for metric in kind.metrics]
    columns = [*map(sql.Identifier, BASE_COLUMNS), *metrics]
    comma = sql.SQL(", ")
    template = load("readings")[name].decode()
    return sql.SQL(template).format(
        table=sql.Identifier(table_name(kind)),
        staging=sql.Identifier(f"staging_{kind.name}"),
        columns=comma.join(columns),
        staged_metrics=comma.join(sql.SQL("staged.{}").format(metric) for metric in metrics),
        kept_metrics=comma.join(sql.SQL("kept.{}").format(metric) for metric in metrics),
    )
