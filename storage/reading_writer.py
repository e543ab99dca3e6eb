"""Readings into their tables, exactly once each: COPY as long as nothing is there twice, sorted out when it is."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from psycopg import Connection, Cursor, errors, sql
from psycopg.rows import dict_row

from devices.kind import Kind, MetricType
from devices.moments import moment
from devices.quality import Quality
from devices.readings import NO_SEQUENCE, Readings
from rules.windows import blank
from storage.binary_copy import rows
from storage.queries import load
from storage.reading_tables import BASE_COLUMNS, table_name

_JSON = msgspec.json.Decoder(list[float | None])  # reads fractions in a third of the time that NumPy takes
_DAY = 86_400_000_000  # µs
# A day less than the refresh of stored roll-ups reaches back.
_LATE = 2 * _DAY


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


def write_all(connection: Connection, tables: Sequence[Readings]) -> list[WriteResult]:
    """Store the readings of each kind within the transaction that is open on ``connection``."""
    try:
        # One savepoint for all of them, so that a duplicate costs a second attempt and not the whole transaction.
        with connection.transaction(), connection.cursor() as cursor:
            for readings in tables:
                _copy(cursor, readings)
    except (errors.UniqueViolation, errors.DataError) as error:
        double = len(tables) == 1 and isinstance(error, errors.UniqueViolation)
        return [write(connection, readings, double=double) for readings in tables]
    for readings in tables:
        _note_late_days(connection, readings)
    return [_all_new(readings) for readings in tables]


def write(connection: Connection, readings: Readings, *, double: bool = False) -> WriteResult:
    """Store the readings of a kind, whatever of them is there already; ``double``: something is."""
    _note_late_days(connection, readings)
    none = np.zeros(len(readings), dtype=bool)
    try:
        if not double and _copied(connection, readings):
            return _all_new(readings)
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


def latest(
    connection: Connection, kind: Kind, devices: Sequence[int], befores: Sequence[datetime] | None = None
) -> Readings:
    """The last stored reading that each of these devices has sent itself, without its texts; by device number.

    Args:
        connection: To the database.
        kind: The kind of all these devices.
        devices: Their numbers.
        befores: For each the time (aware) that its reading is older than; without it the very last counts.
    """
    parameters = {
        "devices": list(devices),
        "befores": ["infinity"] * len(devices) if befores is None else list(befores),
        "repeated": int(Quality.REPEATED),
        "no_sequence": NO_SEQUENCE,
    }
    return _table(kind, connection.execute(_query("latest", kind), parameters).fetchall(), texts=False)


def waiting(connection: Connection, kind: Kind, devices: Sequence[int], since: datetime, until: datetime) -> Readings:
    """Stored readings of these devices that have not been judged, in order of device and time.

    Args:
        connection: To the database.
        kind: The kind of all these devices.
        devices: Their numbers.
        since: None of them has an older time (aware).
        until: Those that arrived before (aware) have been judged.
    """
    parameters = {
        "devices": list(devices),
        "since": since,
        "until": until,
        "repeated": int(Quality.REPEATED),
        "no_sequence": NO_SEQUENCE,
    }
    return _table(kind, connection.execute(_query("waiting", kind), parameters).fetchall(), texts=True)


def correct_quality(connection: Connection, readings: Readings) -> None:
    """Write the quality of stored readings anew, within the transaction that is open on ``connection``."""
    times = [moment(ts) for ts in readings.ts.tolist()]
    parameters = {
        "devices": readings.device.tolist(),
        "times": times,
        "qualities": readings.quality.tolist(),
        "first": min(times),
        "last": max(times),
    }
    connection.execute(_query("correct_quality", readings.kind), parameters)


def read_back(
    connection: Connection, kind: Kind, devices: Sequence[int], since: int, until: int, metrics: Collection[str]
) -> Readings:
    """What is stored of these devices from ``since`` until before ``until`` (µs since 1970 UTC), but repeated readings.

    In order of device and time, without texts; of the metrics only those named, the others NaN.
    """
    parameters = {"devices": list(devices), "since": since, "until": until, "repeated": int(Quality.REPEATED)}
    row = connection.execute(_query("read_back", kind, metrics), parameters).fetchone()
    texts = [text or "" for text in row or ()]
    device, ts, quality = (np.fromstring(text, sep=",", dtype=np.int64) for text in texts[:3])
    values = np.full((len(device), len(kind.metrics)), np.nan)
    for name, text in zip(_numbers(kind, metrics), texts[3:], strict=False):
        values[:, kind.position[name]] = _JSON.decode(f"[{text}]")
    whole = replace(blank(kind, device, ts), quality=quality, values=values)
    return whole.take(np.lexsort((ts, device)))


def stored_at(connection: Connection, kind: Kind, device: int, ts: datetime) -> dict[str, Any] | None:
    """The stored reading of a device and time as a row of its table; None if there is none."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_query("stored_at", kind), {"device": device, "ts": ts}).fetchone()


def sequence_runs(connection: Connection, kind: Kind) -> list[tuple[str, int, int, int]]:
    """Runs of consecutive sequence numbers: device id, first, last, and how many readings have them."""
    return [
        (str(name), int(first), int(last), int(readings))
        for name, first, last, readings in connection.execute(_query("sequence_runs", kind))
    ]


def around(connection: Connection, kind: Kind, device: int, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """The stored readings of a device in a stretch of time, both ends included, as rows of its table."""
    with connection.cursor(row_factory=dict_row) as cursor:
        parameters = {"device": device, "since": since, "until": until}
        return cursor.execute(_query("around", kind), parameters).fetchall()


def page(
    connection: Connection, kind: Kind, device: int, since: datetime, until: datetime, limit: int
) -> list[dict[str, Any]]:
    """The oldest ``limit`` stored readings of a device from a moment until before another, as rows of its table."""
    with connection.cursor(row_factory=dict_row) as cursor:
        parameters = {"device": device, "since": since, "until": until, "limit": limit}
        return cursor.execute(_query("reading_page", kind), parameters).fetchall()


def commit_delays(
    connection: Connection, kind: Kind, shares: Sequence[float], since: datetime
) -> tuple[int, list[float]]:
    """How many readings there are since a moment, and at these shares of them the seconds from their time to commit.

    The commit's time is PostgreSQL's, taken when its record is written and before it is flushed to the disk.
    """
    row = connection.execute(_query("commit_delays", kind), {"shares": list(shares), "since": since}).fetchone()
    count, delays = row or (0, None)
    return int(count), [float(delay) for delay in delays or ()]


def _note_late_days(connection: Connection, readings: Readings) -> None:
    """Have the roll-ups of days made anew that got readings later than their regular refresh looks back."""
    late = readings.received_at - readings.ts > _LATE
    if late.any():
        days = np.unique(readings.ts[late] // _DAY).tolist()
        dates = [date(1970, 1, 1) + timedelta(days=day) for day in days]
        connection.execute(load("ingest")["note_late_days"], {"kind": readings.kind.name, "days": dates})


def _copied(connection: Connection, readings: Readings) -> bool:
    """The fast way; False where a reading of the batch is there already, and nothing is written."""
    try:
        with connection.transaction(), connection.cursor() as cursor:
            _copy(cursor, readings)
    except errors.UniqueViolation:
        return False
    return True


def _copy(cursor: Cursor, readings: Readings) -> None:
    with cursor.copy(_query("copy_in", readings.kind)) as copy:
        copy.write(rows(readings))


def _all_new(readings: Readings) -> WriteResult:
    none = np.zeros(len(readings), dtype=bool)
    return WriteResult(fresh=~none, conflicts=none, unstorable=none)


def _write_staged(connection: Connection, readings: Readings) -> WriteResult:
    kind = readings.kind
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_query("create_staging", kind))
        with cursor.copy(_query("copy_staging", kind)) as copy:
            copy.write(rows(readings, ordinals=True))
        inserted = {(int(device), int(ts)) for device, ts in cursor.execute(_query("insert_new", kind))}
        fresh = np.zeros(len(readings), dtype=bool)
        for position, key in enumerate(zip(readings.device.tolist(), readings.ts.tolist(), strict=True)):
            if key in inserted:
                inserted.remove(key)  # later rows of the same key lost
                fresh[position] = True
        conflicts = np.zeros(len(readings), dtype=bool)
        known = {"ordinals": np.flatnonzero(~fresh).tolist()}
        conflicts[[int(ordinal) for (ordinal,) in cursor.execute(_query("find_conflicts", kind), known)]] = True
        cursor.execute(_query("drop_staging", kind))
    return WriteResult(fresh, conflicts, np.zeros(len(readings), dtype=bool))


def _table(kind: Kind, found: Sequence[Sequence[Any]], *, texts: bool) -> Readings:
    """Rows of device, time, arrival, quality, counter, type and metrics as readings."""
    columns = [*zip(*found, strict=True)] or [()] * (6 + len(kind.metrics))
    device, ts, received_at, quality, seq, message_type = (np.array(each, dtype=np.int64) for each in columns[:6])
    metrics = [*zip(kind.metrics, columns[6:], strict=True)]
    values = [
        np.full(len(found), np.nan) if metric.type is MetricType.TEXT else np.array(column, dtype=np.float64)
        for metric, column in metrics
    ]
    words = {
        metric.name: np.array(column, dtype=object) for metric, column in metrics if metric.type is MetricType.TEXT
    }
    nowhere = np.zeros(len(found), dtype=np.int64)
    return Readings(
        kind=kind,
        device=device,
        ts=ts,
        received_at=received_at,
        seq=seq,
        type=message_type,
        quality=quality,
        message=nowhere,
        part=nowhere,
        values=np.stack(values, axis=1),
        texts=words if texts else {},
    )


def _numbers(kind: Kind, metrics: Collection[str] | None) -> list[str]:
    """Metrics that are no text, in the kind's order; None: all of them."""
    return [
        metric.name
        for metric in kind.metrics
        if metric.type is not MetricType.TEXT and (metrics is None or metric.name in metrics)
    ]


def _query(name: str, kind: Kind, numbers: Collection[str] | None = None) -> bytes:
    metrics = tuple(metric.name for metric in kind.metrics)
    texts = tuple((each, kind.metric(each).type is MetricType.BOOL) for each in _numbers(kind, numbers))
    return _rendered(name, kind.name, table_name(kind), metrics, texts)


@cache
def _rendered(name: str, kind: str, table: str, metrics: Sequence[str], texts: Sequence[tuple[str, bool]]) -> bytes:
    """A query for a table; composing one anew would cost more than a small batch."""
    identifiers = [sql.Identifier(metric) for metric in metrics]
    columns = [*map(sql.Identifier, BASE_COLUMNS), *identifiers]
    comma = sql.SQL(", ")
    template = load("readings")[name].decode()
    return (
        sql.SQL(template)
        .format(
            table=sql.Identifier(table),
            staging=sql.Identifier(f"staging_{kind}"),
            columns=comma.join(columns),
            staged_metrics=comma.join(sql.SQL("staged.{}").format(metric) for metric in identifiers),
            texts=comma.join([*(_text(metric, of_truth=of_truth) for metric, of_truth in texts), sql.SQL("NULL")]),
            kept_metrics=comma.join(sql.SQL("kept.{}").format(metric) for metric in identifiers),
        )
        .as_bytes()
    )


def _text(metric: str, *, of_truth: bool) -> sql.Composed:
    """A column as one text of numbers."""
    cast = sql.SQL("::integer::text" if of_truth else "::text")
    return sql.SQL("string_agg(coalesce({}{}, 'null'), ',')").format(sql.Identifier(metric), cast)
