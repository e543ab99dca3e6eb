"""Connections to PostgreSQL."""

from psycopg import Connection, ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from storage.errors import AddressError, translated

__all__ = ["Connection", "connect", "describe", "parameters"]

CONNECT_TIMEOUT = 5  # seconds
# A server that was unplugged is found out after about ten seconds of silence.
_ALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 2, "tcp_user_timeout": 10_000}


def connect(dsn: str, *, name: str = "cityward") -> Connection:
    """A connection in autocommit mode; transactions are opened where they are meant.

    Args:
        dsn: A PostgreSQL URL or conninfo string.
        name: What ``pg_stat_activity`` shows.

    Raises:
        DatabaseUnavailableError: naming the server that was looked for.
    """
    with translated(describe(dsn)):
        connection = Connection.connect(parameters(dsn, name), autocommit=True)
        connection.execute("SET TIME ZONE 'UTC'")
        # The same from the other end: a lock must not outlive a machine that was unplugged.
        connection.execute("SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 2")
    return connection


def parameters(dsn: str, name: str) -> str:
    """A DSN with what every connection of ours has besides."""
    return make_conninfo(dsn, connect_timeout=CONNECT_TIMEOUT, application_name=name, **_ALIVE)


def describe(dsn: str) -> str:
    """Where a DSN points, without its password.

    Raises:
        AddressError: where it is none.
    """
    try:
        parts = conninfo_to_dict(dsn)
    except ProgrammingError as error:
        raise AddressError from error
    host, port = parts.get("host", "local socket"), parts.get("port", 5432)
    return f"{host}:{port}/{parts.get('dbname', '')}"
