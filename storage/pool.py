"""Connections for a process that answers many at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from psycopg import Connection, errors
from psycopg_pool import ConnectionPool, PoolTimeout

from storage.connection import describe, parameters
from storage.errors import DatabaseUnavailableError, UnstorableError, translated

PATIENCE = 5.0  # seconds that an answer waits for a connection


class Pool:
    """Connections in autocommit mode, opened as they are wanted; broken ones are replaced.

    Args:
        dsn: A PostgreSQL URL or conninfo string.
        size: At most so many.
        name: What ``pg_stat_activity`` shows.
    """

    def __init__(self, dsn: str, *, size: int, name: str) -> None:
        self._where = describe(dsn)
        self._pool = ConnectionPool(
            parameters(dsn, name),
            min_size=1,
            max_size=size,
            timeout=PATIENCE,
            kwargs={"autocommit": True},
            configure=_in_utc,
            check=ConnectionPool.check_connection,
            open=False,
        )

    def __enter__(self) -> Self:
        self._pool.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.close()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """One connection, given back at the end.

        Raises:
            DatabaseUnavailableError: if none is to be had, or it breaks.
            UnstorableError: if a query was given what the database has no value for.
        """
        try:
            with translated(self._where), self._pool.connection() as connection:
                yield connection
        except errors.DataError as error:
            raise UnstorableError(str(error).splitlines()[0]) from error
        except PoolTimeout as error:
            raise DatabaseUnavailableError(f"no connection to {self._where} within {PATIENCE:g} s") from error


def _in_utc(connection: Connection) -> None:
    connection.execute("SET TIME ZONE 'UTC'")
