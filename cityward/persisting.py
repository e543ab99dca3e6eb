"""Doing something until it may stop, whatever is away meanwhile: the only loop that waits and tries again."""

import random
import threading
from collections.abc import Callable
from typing import Protocol

import structlog

from devices.errors import Retryable
from ingest.errors import BrokerRefusedError
from storage.connection import Connection
from storage.errors import DatabaseFullError, NotMigratedError, RegistryChangedError
from storage.locks import try_hold
from storage.registry_store import NoCityError

_log = structlog.get_logger(__name__)
# Seconds. A partition is taken over within 15 s, even by a process that had been waiting for a server before.
FIRST_WAIT, LONGEST_WAIT = 0.25, 5.0
LOOK_FOR_LOCK = 1.0  # seconds between looks whether a lock has become free
# An operator can mend each of these while the process waits.
WAITED_OUT = (Retryable, BrokerRefusedError, NotMigratedError, NoCityError)


def hold(connection: Connection, role: str, name: str, stop: threading.Event) -> bool:
    """Wait until this process is the only one of its role and name; False when told to stop before."""
    waiting = False
    while not try_hold(connection, role, name):
        if not waiting:
            _log.info(
                "taken",
                role=role,
                name=name,
                hint="another process has it; this one takes over when that ends",
            )
            waiting = True
        if stop.wait(LOOK_FOR_LOCK):
            return False
    return not stop.is_set()


class Works(Protocol):
    """Told that an attempt works; true where that is now believed."""

    def __call__(self, *, wrote: bool = False) -> bool:
        """A database without room can be read: after that only something that was written counts."""


def persist(attempt: Callable[[Works], None], stop: threading.Event) -> None:
    """Run ``attempt`` again and again until ``stop`` is set.

    It is given a function to call once it works, which starts the waits anew. Each problem is said once, when it
    begins or changes; waits double up to a bound, with jitter so that a fleet does not come back as one.
    """
    wait, said, full = FIRST_WAIT, "", False

    def works(*, wrote: bool = False) -> bool:
        nonlocal wait, said, full
        if full and not wrote:
            return False
        if said:
            _log.info("resumed", after=said)
        wait, said, full = FIRST_WAIT, "", False
        return True

    while not stop.is_set():
        try:
            attempt(works)
        except RegistryChangedError as change:
            _log.info("reloading", because=str(change))
        except WAITED_OUT as problem:
            full = isinstance(problem, DatabaseFullError)
            if str(problem) != said:
                said = str(problem)
                _log.warning("waiting", problem=said, retry="until it works")
            stop.wait(wait * random.uniform(0.5, 1.5))
            wait = min(2 * wait, LONGEST_WAIT)
