"""What a console does beside answering: it goes by the city and the rules in force now, and forgets what is over."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog
from fastapi import FastAPI

from cityward import wiring
from cityward.rulebook import LOOK_EVERY, Rulebook
from console.context import Context
from storage import console_store, registry_store
from storage.errors import DatabaseUnavailableError

KEYS_KEPT = timedelta(days=100)  # longer than any link lives with which a phone could send an action again
FORGET_EVERY = timedelta(hours=1)  # of the city's clock
_log = structlog.get_logger(__name__)


class Upkeep:
    """Looks after one console.

    Args:
        app: The console.
        book: The rules that its context was made of.
        revision: The registry's revision before its city was read.
    """

    def __init__(self, app: FastAPI, book: Rulebook, revision: int) -> None:
        self._app = app
        self._book = book
        self._revision = revision
        self._stale = False
        self._forgot = datetime.min.replace(tzinfo=UTC)

    def keep(self, stop: threading.Event) -> None:
        """Look every few seconds until ``stop`` is set; while the database is away, what is known stays."""
        said = ""
        while not stop.wait(LOOK_EVERY):
            problem = ""
            try:
                self.look()
            except DatabaseUnavailableError as error:
                problem = str(error)
            if problem and problem != said:
                _log.warning("no_look", problem=problem)
            said = problem

    def look(self) -> None:
        """One look: answers that are being made go on with what was in force, those after it with what is now.

        Raises:
            DatabaseUnavailableError: if nothing can be seen; the next look sees it.
        """
        at: Context = self._app.state.context
        self._stale = self._book.changed() or self._stale
        now = at.clock.now()
        with at.connection() as connection:
            revision = registry_store.revision(connection)
            if self._stale or revision != self._revision:
                city = registry_store.load_city(connection)
                practice = wiring.practice(city, self._book.rules, at.kinds)
                self._app.state.context = replace(at, practice=practice, rules=self._book.by_id)
                self._stale, self._revision = False, revision
            if now - self._forgot >= FORGET_EVERY:
                console_store.forget(connection, now - KEYS_KEPT, now)
                self._forgot = now
