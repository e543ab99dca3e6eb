"""Errors of the database, translated once, here at the edge."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from devices.errors import Permanent, Retryable


class DatabaseUnavailableError(Retryable):
    """The database does not answer, or the connection broke; what was not committed is done again."""


class DatabaseFullError(DatabaseUnavailableError):
    """The database has no room: it can be read and not written, until somebody makes room."""


class RegistryChangedError(Retryable):
    """Somebody imported devices or a city: start again from the new snapshot."""


class UnstorableError(Permanent):
    """What somebody has said cannot be kept or looked for: a text with a NUL, a number that no column holds."""


class RefreshRunningError(Retryable):
    """The database refreshes the same roll-ups by itself at this moment."""

    def __init__(self) -> None:
        super().__init__("the database is refreshing these roll-ups itself just now: try again in a minute")


class NotMigratedError(Permanent):
    """The database lacks tables that this version needs; ``cityward migrate`` creates them."""


class AddressError(Permanent):
    """What should say where the database is cannot be read."""

    def __init__(self) -> None:
        # Without the driver's words, which may repeat a password.
        super().__init__("database_url is no address of a database: write postgresql://user:password@host/database")


class RoleError(Permanent):
    """The database's role may not do what this needs."""


# Functions of PostgreSQL's server, whose names unlike its messages are not translated: those that make a table's file
# longer, and the one that finds a table changed by a migration under a statement that was prepared before.
_EXTENDING = {"mdextend", "mdzeroextend"}
_REVALIDATING = "RevalidateCachedQuery"
# What a new connection mends or waits out, though the driver counts it among defects: a standby that only reads; a
# session that the server has ended because its transaction idled or took too long.
_PASSING = {"25006", "25P03", "25P04"}


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn a driver's error about the connection into ours; ``where`` names the server for people."""
    try:
        yield
    except psycopg.errors.UndefinedTable as error:
        raise NotMigratedError(
            f"{where} is not migrated ({error.diag.message_primary}): run cityward migrate"
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise RoleError(
            f"{where}: {error.diag.message_primary}: name a role in database_url that may, such as the tables' owner"
        ) from error
    except psycopg.Error as error:
        if _is_full(error):
            raise DatabaseFullError(
                f"no room in the database at {where}: make room on its disk or raise its quota; until then all waits"
            ) from error
        if not _passes(error):
            raise
        raise DatabaseUnavailableError(f"no database at {where}: {_reason(error)}") from error


def _is_full(error: psycopg.Error) -> bool:
    """A full disk; or a quota or a file size limit, to which PostgreSQL gives no code of its own."""
    return isinstance(error, psycopg.errors.DiskFull) or error.diag.source_function in _EXTENDING


def _passes(error: psycopg.Error) -> bool:
    """Whether it may work on a new connection."""
    return (
        isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        or error.sqlstate in _PASSING
        or error.diag.source_function == _REVALIDATING
    )


def _reason(error: psycopg.Error) -> str:
    """What went wrong: the server's words, or libpq's without its advice, which it indents, and without the address."""
    if error.diag.message_primary:
        return error.diag.message_primary
    lines = [line for line in str(error).strip().splitlines() if not line.startswith("\t")]
    return lines[-1].rpartition(" failed: ")[2] if lines else type(error).__name__
