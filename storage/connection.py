"""Connections to PostgreSQL."""

from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from storage.errors import translated

__all__ = ["Connection", "connect", "describe"]

CONNECT_TIMEOUT = 5  # seconds


def connect(dsn: str, *, name: str = "cityward") -> Connection:
    """A connection in autocommit mode; transactions are opened where they are meant.

    Args:
        dsn: A PostgreSQL URL or conninfo string.
        name: What ``pg_stat_activity`` shows.

    Raises:
        DatabaseUnavailableError: naming the server that was looked for.
    """
    settings = make_conninfo(dsn, connect_timeout=CONNECT_TIMEOUT, application_name=name)
    with translated(describe(dsn)):
        connection = Connection.connect(settings, autocommit=True)
        connection.execute("SET TIME ZONE 'UTC'")
    return connection


def describe(dsn: str) -> str:
    """Where a DSN points, without its password."""
    parts = conninfo_to_dict(dsn)
    host, port = parts.get("host", "local socket"), parts.get("port", 5432)
    return f"{host}:{port}/{parts.get('dbname', '')}"
