"""Bringing a database to this version: safe to repeat, safe beside running collectors and other migrations."""

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import yoyo
from procrastinate.schema import SchemaManager
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict

from devices.kind import Kind
from storage.capability import Capability, enable
from storage.connection import connect, describe
from storage.errors import translated
from storage.reading_tables import ensure

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x6369747977617264  # "cityward": one migration at a time


def migrate(dsn: str, kinds: Mapping[str, Kind], say: Callable[[str], None]) -> Capability:
    """Apply what is missing: extension, numbered migrations, the job queue's schema, tables of readings.

    Args:
        dsn: The database; its role must own the schema.
        kinds: The installed kinds.
        say: Told each step that changed something.
    """
    with connect(dsn, name="cityward migrate") as connection, translated(describe(dsn)):
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        capability = enable(connection)
        _apply_numbered(dsn, say)
        _install_queue(connection, say)
        with connection.transaction():
            for step in ensure(connection, kinds.values(), capability):
                say(step)
    return capability


def _apply_numbered(dsn: str, say: Callable[[str], None]) -> None:
    backend = yoyo.get_backend(_yoyo_url(dsn))
    try:
        # A lock row may be left by a migration that was killed; ours is the advisory lock, so it is stale.
        backend.break_lock()
        pending = backend.to_apply(yoyo.read_migrations(str(MIGRATIONS)))
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
