"""What TimescaleDB does for a table of readings: chunks by day, compression by device, an end.

Each function brings a table to the wanted state from whatever state it is in: a database may get TimescaleDB, or its
community edition, after its tables were made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from psycopg import Connection, sql

from storage.capability import Capability

CHUNK = timedelta(days=1)
# Past the longest time that a device is expected to be away, so that late data rarely meets a compressed chunk.
COLUMNSTORE_AFTER = timedelta(days=7)
FEW = 500  # readings of a device in a chunk; TimescaleDB compresses up to 1,000 rows as one
READINGS_DAYS = 400  # project default: a year and a month, so that a month can be held against last year's
# "A check-up every year, an evaluation every five": five years and two leap days.
ROLLUPS_DAYS = 5 * 365 + 2


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many days readings of each kind and roll-ups by the hour are kept; days are kept for ever."""

    readings: Mapping[str, int] = field(default_factory=dict)
    rollups: int = ROLLUPS_DAYS

    def of(self, kind: str) -> timedelta:
        """For how long readings of a kind are kept."""
        return timedelta(days=self.readings.get(kind, READINGS_DAYS))


def ensure_hypertable(
    connection: Connection, table: str, keep: timedelta, capability: Capability, interval: timedelta
) -> list[str]:
    """Give a table of readings everything that the server can do; what was changed, in words.

    Args:
        connection: To the database.
        table: Its name.
        keep: For how long readings are kept.
        capability: Of the server.
        interval: Between two readings of a device. Where a chunk holds only a few of each, they are compressed
            together: lamps by device take a third more room, covers that speak once a day eight times that of their
            readings.
    """
    if capability is Capability.PLAIN:
        return []
    done: list[str] = []
    found = connection.execute(
        "SELECT 1 FROM timescaledb_information.hypertables"
        " WHERE hypertable_schema = current_schema() AND hypertable_name = %s",
        [table],
    ).fetchone()
    if found is None:
        # The primary key stays the only index: each further one would cost every reading.
        connection.execute(
            "SELECT create_hypertable(%s::regclass, by_range('ts', %s::interval), create_default_indexes => false,"
            " migrate_data => true)",
            [table, CHUNK],
        )
        done.append(f"cut {table} into chunks of {CHUNK.days} day")
    if capability is Capability.COMMUNITY:
        done += compress(connection, table, "ts", COLUMNSTORE_AFTER, by_device=CHUNK / interval >= FEW)
        done += retain(connection, table, keep)
    return done


def compress(
    connection: Connection, table: str, time_column: str, after: timedelta, *, by_device: bool = True
) -> list[str]:
    """Compress a hypertable or continuous aggregate in chunks that are old enough, newest first; what was changed.

    What is compressed already stays as it is. ``by_device``: each device by itself, else in the order of devices.
    """
    segment, order = ("device", f"{time_column} DESC") if by_device else ("", f"device,{time_column} DESC")
    rolled_up = time_column == "bucket"
    if _columnstore(connection, table) == (segment, order, after):
        return []
    connection.execute(
        sql.SQL(
            "ALTER {} {} SET (timescaledb.enable_columnstore, timescaledb.segmentby = {}, timescaledb.orderby = {})"
        ).format(
            sql.SQL("MATERIALIZED VIEW" if rolled_up else "TABLE"),
            sql.Identifier(table),
            sql.Literal(segment),
            sql.Literal(order),
        )
    )
    connection.execute("CALL remove_columnstore_policy(%s::regclass, if_exists => true)", [table])
    connection.execute("CALL add_columnstore_policy(%s::regclass, after => %s::interval)", [table, after])
    return [f"{table} is compressed after {after.days} days"]


def _columnstore(connection: Connection, table: str) -> tuple[str, str, timedelta] | None:
    """How a table is compressed and after which time; None where it is not."""
    row: tuple[str, str, timedelta] | None = connection.execute(
        """
        SELECT segmentby, orderby, (config ->> 'compress_after')::interval
        FROM timescaledb_information.jobs, timescaledb_information.hypertable_columnstore_settings
        WHERE proc_name = 'policy_compression' AND hypertable_schema = current_schema() AND hypertable_name = %(name)s
          AND hypertable = coalesce(
              (SELECT format('%%I.%%I', materialization_hypertable_schema, materialization_hypertable_name)::regclass
               FROM timescaledb_information.continuous_aggregates
               WHERE view_schema = current_schema() AND view_name = %(name)s), %(name)s::regclass)
        """,
        {"name": table},
    ).fetchone()
    return row


def retain(connection: Connection, table: str, keep: timedelta) -> list[str]:
    """Drop chunks when they are older than this; what was changed, in words."""
    row = connection.execute(
        "SELECT (config ->> 'drop_after')::interval FROM timescaledb_information.jobs"
        " WHERE proc_name = 'policy_retention' AND hypertable_schema = current_schema() AND hypertable_name = %s",
        [table],
    ).fetchone()
    if row is not None and row[0] == keep:
        return []
    connection.execute("SELECT remove_retention_policy(%s::regclass, if_exists => true)", [table])
    connection.execute("SELECT add_retention_policy(%s::regclass, drop_after => %s::interval)", [table, keep])
    return [f"{table} is kept for {keep.days} days"]
