"""Tokens with which other systems speak to the API; only their hashes are kept."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row

from storage.queries import load

_SQL = load("console")
PREFIX = "cityward_"  # by which scanners find what was published by mistake
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_BYTES = 32


@dataclass(frozen=True, slots=True)
class Token:
    """A token; times are aware, in UTC. ``unit`` is empty where its role sees all."""

    name: str
    role: str
    unit: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


def add(connection: Connection, name: str, *, role: str, unit: str, expires_at: datetime, at: datetime) -> str | None:
    """A new token's text, which is kept nowhere; None where one of this name can still be used."""
    text = PREFIX + secrets.token_urlsafe(_BYTES)
    values = {"name": name, "role": role, "unit": unit, "hash": _hash(text), "at": at, "expires_at": expires_at}
    return text if connection.execute(_SQL["save_token"], values).rowcount == 1 else None


def find(connection: Connection, text: str, at: datetime) -> Token | None:
    """The token of this text, if it can be used now; that it was used is noted."""
    with connection.cursor(row_factory=class_row(Token)) as cursor:
        token = cursor.execute(_SQL["token_by_hash"], {"hash": _hash(text), "at": at}).fetchone()
    if token is not None:
        connection.execute(_SQL["token_used"], {"name": token.name, "at": at})
    return token


def everything(connection: Connection) -> list[Token]:
    """All, by name, those that are over too."""
    with connection.cursor(row_factory=class_row(Token)) as cursor:
        return cursor.execute(_SQL["tokens"]).fetchall()


def revoke(connection: Connection, name: str, at: datetime) -> bool:
    """End a token; False if there is none of that name that can be used."""
    return connection.execute(_SQL["revoke_token"], {"name": name, "at": at}).rowcount == 1


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
