"""Roll-ups in the database: continuous aggregates where TimescaleDB keeps them, plain views elsewhere, by one name.

``rollup_hour_noise`` is always a view. With TimescaleDB's community edition it reads the continuous aggregate
``rollup_hour_noise_live``; a kind whose description changes gets a new one, made from the readings that are still
there, and what was before them stays in the table ``rollup_hour_noise_kept``.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from psycopg import Connection, errors, sql

from devices.kind import Kind
from storage.capability import Capability
from storage.errors import RefreshRunningError
from storage.hypertables import COLUMNSTORE_AFTER, Keep, compress, retain
from storage.reading_tables import table_name
from storage.rollup_indexes import index
from storage.rollup_language import literal, quoted
from storage.rollup_levels import EVERY_READING, Grid, Level, Plan, plan

# What is older when it arrives is left to the job: one reading with an ancient time must not have years computed anew.
REFRESH_REACH = {level: timedelta(days=5 if level is Level.DAY else 3) for level in Level}
REFRESH_EVERY = timedelta(minutes=5)
CATCH_UP_EVERY = timedelta(minutes=30)
# Behind what is refreshed again and again. A board reads eight devices' month of hours from a few rows then, not from
# thousands of pages; days are narrow, and counted from an index that compressed chunks have not.
COMPRESS_AFTER = {level: timedelta(days=30) if level is Level.DAY else COLUMNSTORE_AFTER for level in Level}
# What a view begins with on every level, and what only days have.
_DAY_COLUMN = "day"

# Told which share of long work is done, and what is done next.
Told: TypeAlias = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class View:
    """A view as it is to be: its query, and what its users read about it."""

    name: str
    query: str
    doc: str
    columns: tuple[tuple[str, str], ...] = ()


def nobody(_share: float, _next: str) -> None:
    """Nobody is told how far long work is."""


def build(
    connection: Connection, kinds: Iterable[Kind], capability: Capability, grid: Grid, drop_views: Callable[[], None]
) -> tuple[list[View], list[str]]:
    """Bring what stands behind the views of roll-ups to this version, within a transaction.

    Args:
        connection: In a transaction.
        kinds: The installed kinds.
        capability: Of the server.
        grid: How the city cuts time.
        drop_views: Called before continuous aggregates on which views stand are made anew.

    Returns:
        The views that are to be, and what was changed, in words.
    """
    views: list[View] = []
    done: list[str] = []
    plans = [plan(kind) for kind in kinds]
    for made in plans:
        stored = grid.stored(made.levels) if capability is Capability.COMMUNITY else ()
        if stored:
            done += _build_live(connection, made, grid, drop_views)
        for level in made.levels:
            if level in stored:
                query = _stored(connection, made, level)
            else:
                timescale = capability is not Capability.PLAIN
                query = made.select(level, made.view(_next_below(made, level)), grid, timescale=timescale)
            name = made.kind.names.get("en", made.kind.name)
            doc = f"{name} by the {level}: counts, sums and extremes, which add up exactly."
            columns = tuple((column.name, column.doc) for column in made.columns_of(level, grid))
            views.append(View(made.view(level), _dated(query, level, grid.zone), doc, columns))
    return [*views, *_over_all_kinds(plans)], done


def keep_up(connection: Connection, kinds: Sequence[Kind], keep: Keep, told: Told) -> list[str]:
    """Fill new continuous aggregates, and have TimescaleDB keep all of them as it should, outside of any transaction.

    Interrupted, it goes on where it was the next time.
    """
    done: list[str] = []
    for number, kind in enumerate(kinds):
        made, kept = plan(kind), keep.of(kind.name)
        filled, levels = _state(connection, kind)
        if not filled:
            for place, level in enumerate(levels):
                told((number + place / len(levels)) / len(kinds), f"{kind.name} by the {level}")
                connection.execute("CALL refresh_continuous_aggregate(%s::regclass, NULL, NULL)", [made.live(level)])
        with connection.transaction():
            for level in levels:
                said = [
                    *_refresh_regularly(connection, made, level),
                    # A device has some hundred hours in a chunk, or ten days: these by device took four times the room.
                    *compress(
                        connection, made.live(level), "bucket", COMPRESS_AFTER[level], by_device=level is Level.MINUTE
                    ),
                    *index(connection, made, level),
                ]
                if level is not Level.DAY:
                    time = kept if level is Level.MINUTE else timedelta(days=keep.rollups)
                    said += retain(connection, made.live(level), time)
                done += said if filled else []
            connection.execute(
                "UPDATE rollup_state SET keep_days = %s, filled = true,"
                " looked_at = CASE WHEN filled THEN looked_at ELSE now() END WHERE kind = %s",
                [kept.days, kind.name],
            )
    _catch_up_regularly(connection)
    settle(connection)
    return done


def catch_up(connection: Connection) -> None:
    """Do now what the job does every half hour: refresh the days that got readings very late.

    Raises:
        RefreshRunningError: if the database is at it just now.
    """
    with _alone():
        connection.execute("CALL rollup_catch_up(0, '{}')")


def refresh(connection: Connection, kinds: Iterable[Kind], since: str, until: str, told: Told = nobody) -> None:
    """Refresh all continuous aggregates between two moments, the finest level first, outside of any transaction.

    Raises:
        RefreshRunningError: if the database is at it just now.
    """
    connection.execute("CALL unsettle(%s::timestamptz)", [since])
    names = [name for kind in kinds for name in stored_rollups(connection, kind)]
    for number, name in enumerate(names):
        told(number / len(names), name)
        with _alone():
            connection.execute(
                "CALL refresh_continuous_aggregate(%s::regclass, %s::timestamptz, %s::timestamptz)",
                [name, since, until],
            )
    settle(connection)


def settle(connection: Connection) -> None:
    """Store the days by place that boards have to compute since a device has moved, outside of any transaction."""
    connection.execute("CALL settle_days()")


@contextmanager
def _alone() -> Iterator[None]:
    try:
        yield
    except errors.LockNotAvailable as error:
        raise RefreshRunningError from error


def stored_rollups(connection: Connection, kind: Kind) -> list[str]:
    """The continuous aggregates of a kind, the finest first."""
    made = plan(kind)
    return [made.live(level) for level in _state(connection, kind)[1]]


def _state(connection: Connection, kind: Kind) -> tuple[bool, list[Level]]:
    """Whether a kind's continuous aggregates are filled, and which there are."""
    row = connection.execute("SELECT filled, levels FROM rollup_state WHERE kind = %s", [kind.name]).fetchone()
    return (bool(row[0]), [Level(level) for level in row[1]]) if row else (False, [])


def _over_all_kinds(plans: Sequence[Plan]) -> Iterator[View]:
    """What every reading has, whatever its kind: by the day and district, and how many of them are due."""
    if not plans:
        return
    # Each kind added up by itself: one aggregate over all of them would be planned as a sort of every device's days.
    columns = ", ".join(f"sum({column.name})::bigint AS {column.name}" for column in EVERY_READING)
    days = [
        f"SELECT {literal(made.kind.name)}::text AS kind, bucket, district, count(*) AS heard,"  # noqa: S608
        f" {columns}, sum(least(readings, {_due(made)})) AS on_time"
        f" FROM {quoted(made.view(Level.DAY))} AS made JOIN device ON device.id = made.device"
        f" WHERE device.kind = {literal(made.kind.name)} GROUP BY bucket, district"
        for made in plans
    ]
    yield View(
        "rollup_district",
        "\nUNION ALL\n".join(days),
        "Readings of all kinds by the day and district: how many, and how many of them are doubtful.",
        (
            ("heard", "Devices that sent something."),
            *((column.name, column.doc) for column in EVERY_READING),
            ("on_time", "Readings stored, of each device no more than are due in a day."),
        ),
    )
    due = [f"({literal(made.kind.name)}, {_due(made)})" for made in plans]
    yield View(
        "kind_interval",
        f"SELECT * FROM (VALUES {', '.join(due)}) AS due (kind, readings_due)",  # noqa: S608 - our own names
        "How many readings a day each kind of device sends in normal operation.",
    )


def _due(made: Plan) -> str:
    """Readings a day of a device in normal operation, as SQL."""
    return f"{timedelta(days=1) / made.kind.interval!r}::double precision"


def _build_live(connection: Connection, made: Plan, grid: Grid, drop_views: Callable[[], None]) -> Iterator[str]:
    queries = {
        level: made.select(level, made.live(_next_below(made, level)), grid, timescale=True)
        for level in grid.stored(made.levels)
    }
    fingerprint = hashlib.sha256("\n".join(queries.values()).encode()).hexdigest()
    row = connection.execute("SELECT fingerprint FROM rollup_state WHERE kind = %s", [made.kind.name]).fetchone()
    if row == (fingerprint,):
        return
    since = "-infinity"
    if row is not None:
        drop_views()
        since = _first_whole_day(connection, made, grid.zone)
        for level in made.levels:
            _keep_older(connection, made, level, since)
        for level in reversed(Level):
            connection.execute(sql.SQL("DROP MATERIALIZED VIEW IF EXISTS {}").format(sql.Identifier(made.live(level))))
    for level, query in queries.items():
        connection.execute(
            sql.SQL(
                "CREATE MATERIALIZED VIEW {} WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS {}"
                " WITH NO DATA"
            ).format(sql.Identifier(made.live(level)), sql.SQL(query))
        )
    connection.execute(
        "INSERT INTO rollup_state (kind, fingerprint, since, levels, keep_days, filled)"
        " VALUES (%s, %s, %s::timestamptz, %s, 0, false)"
        " ON CONFLICT (kind) DO UPDATE SET fingerprint = excluded.fingerprint, since = excluded.since,"
        " levels = excluded.levels, filled = false",
        [made.kind.name, fingerprint, since, list(queries)],
    )
    if row is not None:
        yield f"made the roll-ups of {made.kind.name} anew from {since}"


def _first_whole_day(connection: Connection, made: Plan, zone: str) -> str:
    """From where on all readings are still there: the first local midnight after the oldest chunk begins."""
    row = connection.execute(
        sql.SQL(
            "SELECT coalesce((date_trunc('day', min(range_start) AT TIME ZONE {zone}) + interval '1 day')"
            " AT TIME ZONE {zone}, now())::text"
            " FROM timescaledb_information.chunks"
            " WHERE hypertable_schema = current_schema() AND hypertable_name = {table}"
        ).format(zone=sql.Literal(zone), table=sql.Literal(table_name(made.kind)))
    ).fetchone()
    return str(row[0]) if row else "-infinity"


def _keep_older(connection: Connection, made: Plan, level: Level, since: str) -> None:
    """Take what is older than ``since`` out of a continuous aggregate before it goes."""
    live, kept = made.live(level), made.kept(level)
    before = _columns(connection, live)
    if not before:
        return
    there = _columns(connection, kept)
    if not there:
        connection.execute(
            sql.SQL("CREATE TABLE {} (LIKE {}, PRIMARY KEY (device, bucket))").format(
                sql.Identifier(kept), sql.Identifier(live)
            )
        )
    for name, data_type in before.items():
        if there and name not in there:
            connection.execute(
                sql.SQL("ALTER TABLE {} ADD COLUMN {} {}").format(
                    sql.Identifier(kept), sql.Identifier(name), sql.SQL(data_type)
                )
            )
    names = sql.SQL(", ").join(map(sql.Identifier, before))
    connection.execute(
        sql.SQL("INSERT INTO {} ({names}) SELECT {names} FROM {} WHERE bucket < {}::timestamptz ON CONFLICT DO NOTHING")
        .format(sql.Identifier(kept), sql.Identifier(live), sql.Literal(since), names=names)
    )  # fmt: skip


def _stored(connection: Connection, made: Plan, level: Level) -> str:
    """The query of a view over what is kept live and what was kept before."""
    live = _columns(connection, made.live(level))
    kept = _columns(connection, made.kept(level))
    query = f"SELECT {', '.join(map(quoted, live))} FROM {quoted(made.live(level))}"  # noqa: S608 - our own names
    if kept:
        row = connection.execute("SELECT since::text FROM rollup_state WHERE kind = %s", [made.kind.name]).fetchone()
        since = f"{literal(row[0] if row else '-infinity')}::timestamptz"
        older = ", ".join(quoted(name) if name in kept else f"NULL::{live[name]}" for name in live)
        query = (
            f"{query} WHERE bucket >= {since}\n"  # noqa: S608 - our own names
            f"UNION ALL SELECT {older} FROM {quoted(made.kept(level))} WHERE bucket < {since}"
        )
    return query


def _dated(query: str, level: Level, zone: str) -> str:
    """Days carry their date in the city as well."""
    if level is not Level.DAY:
        return query
    local = f"(made.bucket AT TIME ZONE {sql.Literal(zone).as_string()})::date"
    return f"SELECT {local} AS {_DAY_COLUMN}, made.* FROM ({query}) AS made"  # noqa: S608 - our own names


def _refresh_regularly(connection: Connection, made: Plan, level: Level) -> Iterator[str]:
    name, reach = made.live(level), REFRESH_REACH[level]
    row = connection.execute(
        "SELECT (config ->> 'start_offset')::interval, (config ->> 'end_offset')::interval, schedule_interval"
        " FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate'"
        " AND hypertable_schema = current_schema() AND hypertable_name = %s",
        [name],
    ).fetchone()
    if row == (reach, None, REFRESH_EVERY):
        return
    connection.execute("SELECT remove_continuous_aggregate_policy(%s::regclass, if_exists => true)", [name])
    connection.execute(
        # No end: the stretch that runs is made as far as it has come, so that nobody who looks has to make it.
        "SELECT add_continuous_aggregate_policy(%s::regclass, start_offset => %s::interval,"
        " end_offset => NULL, schedule_interval => %s::interval)",
        [name, reach, REFRESH_EVERY],
    )
    yield f"{name} is refreshed every {REFRESH_EVERY}"


def _catch_up_regularly(connection: Connection) -> None:
    there = connection.execute(
        "SELECT 1 FROM timescaledb_information.jobs WHERE proc_name = 'rollup_catch_up'"
    ).fetchone()
    if there is None:
        connection.execute("SELECT add_job('rollup_catch_up', %s::interval)", [CATCH_UP_EVERY])


def _columns(connection: Connection, relation: str) -> dict[str, str]:
    """Names and types of a relation's columns in their order; empty if there is no such relation."""
    rows: Sequence[tuple[str, str]] = connection.execute(
        "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [quoted(relation)],
    ).fetchall()
    return dict(rows)


def _next_below(made: Plan, level: Level) -> Level:
    """The level from which this one is made; itself for the finest, which is made from readings."""
    return made.levels[max(made.levels.index(level) - 1, 0)]
