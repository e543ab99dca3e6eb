"""People who may use the console, the key that signs for them, and what their phones have done."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from storage.queries import load

_SQL = load("console")
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class ConsoleUser:
    """A person. ``unit`` is empty where the role sees all; ``generation`` grows when open sessions must end."""

    username: str
    full_name: str
    role: str
    unit: str
    language: str
    hash: str
    disabled_at: datetime | None
    generation: int


def find(connection: Connection, username: str) -> ConsoleUser | None:
    """The person of that name, disabled or not."""
    with connection.cursor(row_factory=class_row(ConsoleUser)) as cursor:
        return cursor.execute(_SQL["console_user"], {"username": username}).fetchone()


def everybody(connection: Connection) -> list[ConsoleUser]:
    """All, by name."""
    with connection.cursor(row_factory=class_row(ConsoleUser)) as cursor:
        return cursor.execute(_SQL["console_users"]).fetchall()


def save(
    connection: Connection,
    *,
    username: str,
    full_name: str,
    role: str,
    unit: str,
    language: str,
    password_hash: str,
    at: datetime,
) -> None:
    """Create a person, or change everything about a known one; their open sessions end."""
    values = {"username": username, "full_name": full_name, "role": role, "unit": unit, "language": language}
    connection.execute(_SQL["save_console_user"], {**values, "hash": password_hash, "at": at})


def disable(connection: Connection, username: str, at: datetime) -> bool:
    """Shut somebody out; False if there is nobody of that name, or was shut out before."""
    return connection.execute(_SQL["disable_console_user"], {"username": username, "at": at}).rowcount == 1


def end_session(connection: Connection, token: str, until: datetime) -> None:
    """Have a session open nothing any more; ``until`` it would have been good."""
    connection.execute(_SQL["end_session"], {"token": token.encode(), "until": until})


def session_over(connection: Connection, token: str) -> bool:
    """Whether a session was ended by signing out."""
    row = connection.execute(_SQL["session_over"], {"token": token.encode()}).fetchone()
    return bool(row and row[0])


def new_key() -> bytes:
    """A key that nobody can guess."""
    return secrets.token_bytes(_KEY_BYTES)


def signing_key(connection: Connection, at: datetime) -> bytes:
    """The key of all consoles on this database; made by the first that asks."""
    connection.execute(_SQL["make_console_key"], {"key": new_key(), "at": at})
    row = connection.execute(_SQL["console_key"]).fetchone()
    return bytes(row[0]) if row else b""


@dataclass(frozen=True, slots=True)
class Asked:
    """An action that was done before: by whom, the hash of what was asked, and what was answered."""

    actor: str
    asked: bytes | None
    answer: dict[str, Any] | None


def begin(connection: Connection, key: UUID, actor: str, asked: bytes, at: datetime) -> Asked | None:
    """Note an action that will be answered, in the transaction of what it does; what it was if it was done before."""
    values = {"key": key, "actor": actor, "asked": asked, "at": at}
    if connection.execute(_SQL["note_asked"], values).rowcount == 1:
        return None
    with connection.cursor(row_factory=class_row(Asked)) as cursor:
        return cursor.execute(_SQL["answered_action"], {"key": key}).fetchone()


def answer(connection: Connection, key: UUID, said: Mapping[str, Any]) -> None:
    """Keep the answer to an action, to give it again."""
    connection.execute(_SQL["answer_action"], {"key": key, "answer": Jsonb(dict(said))})


def forget(connection: Connection, before: datetime, now: datetime) -> None:
    """Drop the keys of actions older than that, and ended sessions that would be over by now."""
    connection.execute(_SQL["forget_console_actions"], {"before": before})
    connection.execute(_SQL["forget_sessions"], {"now": now})


def save_address(connection: Connection, url: str) -> None:
    """Keep where people reach the console, for links from boards; an empty ``url`` is where it listens by default."""
    connection.execute(_SQL["save_address"], {"url": url.rstrip("/") or "http://127.0.0.1:8080"})
