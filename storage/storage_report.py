"""How much room readings and roll-ups take, by kind: for ``cityward storage report``."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection, sql

from devices.kind import Kind
from storage.capability import Capability
from storage.reading_tables import table_name
from storage.rollups import stored_rollups


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a table takes.

    Attributes:
        kind: The kind.
        table: The table of readings, or the name of a roll-up.
        rows: About how many rows; exact where there are few.
        bytes: On disk, with indexes.
        chunks: Pieces that can be compressed and dropped; 0 for an ordinary table.
        compressed_chunks: Of them, those that are compressed.
        before: Bytes of the compressed chunks before they were compressed.
        after: Bytes of the compressed chunks now.
        oldest: Begin of the oldest data, aware; at most a chunk too early.
    """

    kind: str
    table: str
    rows: int
    bytes: int
    chunks: int = 0
    compressed_chunks: int = 0
    before: int = 0
    after: int = 0
    oldest: datetime | None = None

    @property
    def bytes_per_row(self) -> float | None:
        """None where there are no rows."""
        return self.bytes / self.rows if self.rows else None

    @property
    def compression(self) -> float | None:
        """How many times smaller the compressed chunks have become; None where none is compressed."""
        return self.before / self.after if self.after else None


def report(connection: Connection, kinds: Iterable[Kind], capability: Capability) -> list[Room]:
    """Readings of each kind, and its roll-ups where they are stored."""
    found: list[Room] = []
    for kind in kinds:
        if capability is Capability.PLAIN:
            found.append(_table(connection, kind))
            continue
        found.append(_hypertable(connection, kind.name, table_name(kind)))
        if capability is Capability.COMMUNITY:
            found += [_hypertable(connection, kind.name, name) for name in stored_rollups(connection, kind)]
    return found


def _table(connection: Connection, kind: Kind) -> Room:
    table = sql.Identifier(table_name(kind))
    size, estimate = _one(
        connection,
        sql.SQL(
            "SELECT pg_total_relation_size(oid), reltuples::bigint FROM pg_class WHERE oid = {name}::regclass"
        ).format(name=sql.Literal(table_name(kind))),
    )
    rows, oldest = _one(
        connection,
        sql.SQL("SELECT CASE WHEN {estimate} > 0 THEN {estimate} ELSE count(*) END, min(ts) FROM {table}").format(
            estimate=sql.Literal(estimate), table=table
        ),
    )
    return Room(kind=kind.name, table=table_name(kind), rows=rows, bytes=size, oldest=oldest)


def _hypertable(connection: Connection, kind: str, name: str) -> Room:
    """A hypertable; of a continuous aggregate the one in which it is stored."""
    table, size, rows = _one(
        connection,
        sql.SQL("""
            SELECT stored.name, hypertable_size(stored.name), approximate_row_count(stored.name)
            FROM (
                SELECT coalesce(
                    (SELECT format('%I.%I', kept.materialization_hypertable_schema,
                                   kept.materialization_hypertable_name)::regclass
                     FROM timescaledb_information.continuous_aggregates AS kept
                     WHERE kept.view_schema = current_schema() AND kept.view_name = {name}),
                    {name}::regclass) AS name
            ) AS stored
        """).format(name=sql.Literal(name)),
    )
    chunks, compressed, oldest = _one(
        connection,
        sql.SQL(
            "SELECT count(*), count(*) FILTER (WHERE is_compressed), min(range_start)"
            " FROM timescaledb_information.chunks"
            " WHERE format('%I.%I', hypertable_schema, hypertable_name)::regclass = {}::regclass"
        ).format(sql.Literal(table)),
    )
    before, after = _one(
        connection,
        sql.SQL(
            "SELECT coalesce(sum(before_compression_total_bytes), 0)::bigint,"
            " coalesce(sum(after_compression_total_bytes), 0)::bigint FROM hypertable_compression_stats({}::regclass)"
        ).format(sql.Literal(table)),
    )
    if not rows:
        (rows,) = _one(connection, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name)))
    return Room(
        kind=kind, table=name.removesuffix("_live"), rows=rows, bytes=size, chunks=chunks, compressed_chunks=compressed,
        before=before, after=after, oldest=oldest,
    )  # fmt: skip


def _one(connection: Connection, query: sql.Composed) -> tuple:  # type: ignore[type-arg]  # as the query says
    row = connection.execute(query).fetchone()
    return row if row is not None else ()
