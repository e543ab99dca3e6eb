"""Bringing a database to this version: safe to repeat, safe beside running collectors and other migrations."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import yoyo
from procrastinate.schema import SchemaManager
from psycopg import Connection, errors, sql
from psycopg.conninfo import conninfo_to_dict

from devices.kind import Kind
from storage.capability import Capability, enable
from storage.connection import connect, describe
from storage.errors import translated
from storage.hypertables import Keep
from storage.limit_tables import write_limits
from storage.measured import make_measured, measured
from storage.queries import load
from storage.reading_tables import ensure
from storage.roles import ensure_roles
from storage.rollup_levels import Grid
from storage.rollups import Told, build, keep_up, nobody
from storage.view_making import drop_views, make_views
from storage.views import load_views

MIGRATIONS = Path(__file__).parent / "migrations"
DEFAULT_ZONE = "Asia/Shanghai"
_LOCK = 0x6369747977617264  # "cityward": one migration at a time


def migrate(
    dsn: str, kinds: Mapping[str, Kind], say: Callable[[str], None], keep: Keep | None = None, told: Told = nobody
) -> Capability:
    """Apply what is missing: extension, numbered migrations, the job queue, tables of readings, roll-ups, views, roles.

    Args:
        dsn: The database; its role must own the schema.
        kinds: The installed kinds.
        say: Told each step that changed something.
        keep: For how long readings and roll-ups are kept, where TimescaleDB can drop them.
        told: How far new roll-ups are filled.
    """
    with connect(dsn, name="cityward migrate") as connection, translated(describe(dsn)):
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        capability = enable(connection)
        _apply_numbered(dsn, say, lambda: drop_views(connection))
        _install_queue(connection, say)
        if kinds:
            _follow_kinds(connection, kinds, capability, keep or Keep(), say)
            if capability is Capability.COMMUNITY:
                for step in keep_up(connection, [*kinds.values()], keep or Keep(), told):
                    say(step)
    return capability


def _follow_kinds(
    connection: Connection, kinds: Mapping[str, Kind], capability: Capability, keep: Keep, say: Callable[[str], None]
) -> None:
    """Everything that follows from the kinds' descriptions and the city's time zone."""

    def drop() -> None:
        drop_views(connection)

    with connection.transaction():
        done = ensure(connection, kinds.values(), capability, keep)
        write_limits(connection, kinds.values())
        rolled_up, steps = build(connection, kinds.values(), capability, city_grid(connection), drop)
        views = [*rolled_up, *load_views(), *measured(kinds.values())]
        if made := make_views(connection, views, settled=capability is Capability.COMMUNITY):
            steps.append(f"made {made} views")
        make_measured(connection, kinds.values())
        steps += ensure_roles(connection, [view.name for view in views])
        steps += _without_compiling(connection)
        for step in [*done, *steps]:
            say(step)


def _without_compiling(connection: Connection) -> Iterator[str]:
    """Views over roll-ups look expensive and are not: compiling their queries (JIT) takes longer than to run them.

    Yields:
        What somebody with more rights must do.
    """
    there = connection.execute(load("registry")["compiles"]).fetchone()
    if there is not None:
        return
    name = sql.Identifier(connection.info.dbname)
    try:
        with connection.transaction():
            connection.execute(sql.SQL("ALTER DATABASE {} SET jit = off").format(name))
    except errors.InsufficientPrivilege:
        yield f"boards stay slow: its owner should run ALTER DATABASE {connection.info.dbname} SET jit = off"


def city_grid(connection: Connection) -> Grid:
    """How the city cuts time: its zone, its nights; as in China before a city file has been imported."""
    row = connection.execute(load("registry")["city_grid"]).fetchone()
    return Grid(*row) if row else Grid(DEFAULT_ZONE)


def _apply_numbered(dsn: str, say: Callable[[str], None], drop: Callable[[], None]) -> None:
    backend = yoyo.get_backend(_yoyo_url(dsn))
    try:
        # A lock row may be left by a migration that was killed; ours is the advisory lock, so it is stale.
        backend.break_lock()
        pending = backend.to_apply(yoyo.read_migrations(str(MIGRATIONS)))
        if pending:
            drop()  # a view would be in the way of a column that changes
        backend.apply_migrations(pending)
        for migration in pending:
            say(f"applied {migration.id}")
    finally:
        backend.connection.close()


def _install_queue(connection: Connection, say: Callable[[str], None]) -> None:
    row = connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone()
    if row == (None,):
        connection.execute(SchemaManager.get_schema().encode())
        say("installed the job queue")


def _yoyo_url(dsn: str) -> str:
    """A DSN as yoyo reads it: credentials in front, everything else as arguments."""
    parts = {key: str(value) for key, value in conninfo_to_dict(dsn).items()}
    user, password = quote(parts.pop("user", "")), quote(parts.pop("password", ""), safe="")
    database = quote(parts.pop("dbname", ""))
    login = f"{user}:{password}@" if user else ""
    return f"postgresql+psycopg://{login}/{database}?{urlencode(parts)}"
