"""What routes work with: connections, the clock, the city, the words; one for the life of the console."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from fastapi import Request

from cases.city import City
from cases.words import Language
from console.signing import Signing
from storage.connection import Connection
from storage.pool import Pool

_TONGUES = frozenset(language.value for language in Language)


class Clock(Protocol):
    """The city's time."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a route needs."""

    pool: Pool
    clock: Clock
    city: City
    signing: Signing
    home_language: Language
    secure: bool

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of the pool, in autocommit mode, for as long as one answer takes.

        Raises:
            DatabaseUnavailableError: if none is to be had.
        """
        with self.pool.connection() as connection:
            yield connection

    def language(self, request: Request) -> Language:
        """The browser's language, as far as we speak it."""
        for wanted in request.headers.get("Accept-Language", "").split(","):
            tongue = wanted.split(";")[0].strip().split("-")[0].lower()
            if tongue in _TONGUES:
                return Language(tongue)
        return self.home_language


def context(request: Request) -> Context:
    """The dependency."""
    return cast("Context", request.app.state.context)
