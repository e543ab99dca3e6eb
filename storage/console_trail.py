"""The record of changes that people and machines make at the console: who, what, from where."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from storage.queries import load

_SQL = load("console")


@dataclass(frozen=True, slots=True)
class Doer:
    """Who does something.

    ``username`` is as they sign in, ``token:NAME`` for a machine, empty for a crew with a link; ``address`` is the
    network address, or ``command line``.
    """

    username: str
    name: str
    role: str
    unit: str
    address: str


@dataclass(frozen=True, slots=True)
class TrailRow:
    """A change. ``target`` is the number of a case, alarm, permit or sheet, or a user's name; ``at`` is aware."""

    id: int
    at: datetime
    username: str
    name: str
    role: str
    unit: str
    address: str
    action: str
    target: str
    detail: dict[str, Any]


def write(
    connection: Connection, doer: Doer, action: str, target: str, detail: Mapping[str, Any], *, at: datetime
) -> None:
    """One line; belongs into the transaction of the change."""
    connection.execute(
        _SQL["write_trail"],
        {
            "at": at,
            **asdict(doer),
            "action": action,
            "target": target,
            "detail": Jsonb(dict(detail), dumps=msgspec.json.encode),
        },
    )


def read(
    connection: Connection,
    *,
    since: datetime,
    username: str | None = None,
    target: str | None = None,
    limit: int = 100,
) -> list[TrailRow]:
    """Changes since then, the latest last; of more than ``limit`` the latest."""
    filters = {"since": since, "username": username, "target": target, "limit": limit}
    with connection.cursor(row_factory=class_row(TrailRow)) as cursor:
        return cursor.execute(_SQL["read_trail"], filters).fetchall()


def signed_in_from(connection: Connection, username: str, since: datetime) -> list[str]:
    """The addresses from which somebody has signed in since then."""
    found = connection.execute(_SQL["signed_in_from"], {"username": username, "since": since})
    return [address for (address,) in found]


def as_json(row: TrailRow) -> str:
    """A change as one line of JSON."""
    return msgspec.json.encode(row).decode()
