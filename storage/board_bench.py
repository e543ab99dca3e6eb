"""What the benchmark of the boards does to a database of its own, and the time that a query takes."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection, sql

from devices.kind import Kind
from storage.capability import Capability
from storage.queries import load
from storage.reading_tables import table_name
from storage.roles import GRAFANA

_SQL = load("board_bench")


@dataclass(frozen=True, slots=True)
class Density:
    """Bytes that a reading takes with its index, in chunks that are compressed: before, and now."""

    readings: int
    before: float
    after: float


def seeded(connection: Connection) -> tuple[datetime, datetime, int] | None:
    """From when to when the city's readings reach, aware, and how many devices it has; None where it has none."""
    row = connection.execute(_SQL["latest_news"]).fetchone()
    return (row[0], row[1], row[2]) if row is not None and row[1] is not None else None


def happen(connection: Connection, since: datetime, until: datetime, rules: Mapping[str, str]) -> None:
    """Alarms, cases, sheets, notifications and the ledger of the time between; ``rules``: one for each kind."""
    span = {"since": since, "until": until}
    alarms = span | {"kinds": list(rules), "rules": list(rules.values())}
    with connection.transaction():
        connection.execute(_SQL["hear_devices"], span)
        connection.execute(_SQL["raise_alarms"], alarms)
        connection.execute(_SQL["open_cases"])
        connection.execute(_SQL["fill_ledger"], span)


def pause_jobs(connection: Connection, *, running: bool) -> None:
    """Let the database's own jobs stand still while readings are written in bulk, or go on afterwards."""
    connection.execute("SELECT alter_job(job_id, scheduled => %s) FROM timescaledb_information.jobs", [running])


def compress(connection: Connection, kinds: Iterable[Kind], before: datetime) -> None:
    """Compress the chunks of readings that end before a moment, as the database's job does."""
    for kind in kinds:
        connection.execute(
            "SELECT compress_chunk(chunk, if_not_compressed => true)"
            " FROM show_chunks(%s::regclass, older_than => %s::timestamptz) AS chunk",
            [table_name(kind), before],
        )


def tidy(connection: Connection) -> None:
    """What autovacuum would have done long since."""
    connection.execute("VACUUM (ANALYZE)")


def densities(connection: Connection, kinds: Iterable[Kind], capability: Capability) -> dict[str, Density]:
    """By kind, for those that have compressed chunks."""
    if capability is not Capability.COMMUNITY:
        return {}
    return {kind.name: found for kind in kinds if (found := _density(connection, table_name(kind))) is not None}


def _density(connection: Connection, table: str) -> Density | None:
    row = connection.execute(
        "SELECT sum(stats.before_compression_total_bytes), sum(stats.after_compression_total_bytes),"
        " max(chunk.range_end)"
        " FROM chunk_compression_stats(%(table)s::regclass) AS stats"
        " JOIN timescaledb_information.chunks AS chunk"
        " ON chunk.chunk_schema = stats.chunk_schema AND chunk.chunk_name = stats.chunk_name"
        " WHERE stats.compression_status = 'Compressed'",
        {"table": table},
    ).fetchone()
    if row is None or row[2] is None:
        return None
    counted = connection.execute(
        sql.SQL("SELECT count(*) FROM {} WHERE ts < %s").format(sql.Identifier(table)), [row[2]]
    ).fetchone()
    readings = counted[0] if counted else 0
    return Density(readings, float(row[0]) / readings, float(row[1]) / readings) if readings else None


def look_as_grafana(connection: Connection) -> None:
    """From here on the connection may read what the boards may read, and nothing else."""
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(GRAFANA)))


def timed(connection: Connection, query: str) -> tuple[float, list[tuple[object, ...]]]:
    """Seconds from sending a query to having its last row, and the rows; the query as Grafana sends it."""
    began = time.perf_counter()
    rows = connection.execute(query.encode()).fetchall()
    return time.perf_counter() - began, rows
