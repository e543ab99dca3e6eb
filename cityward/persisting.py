"""Doing something until it may stop, whatever is away meanwhile: the only loop that waits and tries again."""

import random
import threading
from collections.abc import Callable

import structlog

from ingest.errors import BrokerRefusedError, RetryableError
from storage.connection import Connection
from storage.errors import NotMigratedError, RegistryChangedError
from storage.locks import try_hold
from storage.registry_store import NoCityError

_log = structlog.get_logger(__name__)
# Seconds. A partition is taken over within 15 s, even by a process that had been waiting for a server before.
FIRST_WAIT, LONGEST_WAIT = 0.25, 5.0
LOOK_FOR_LOCK = 1.0  # seconds between looks whether a lock has become free
# An operator can mend each of these while the process waits.
WAITED_OUT = (RetryableError, BrokerRefusedError, NotMigratedError, NoCityError)


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


def persist(attempt: Callable[[Callable[[], None]], None], stop: threading.Event) -> None:
    """Run ``attempt`` again and again until ``stop`` is set.

    It is given a function to call once it works, which starts the waits anew. Each problem is said once, when it
    begins or changes; waits double up to a bound, with jitter so that a fleet does not come back as one.
    """
    wait, said = FIRST_WAIT, ""

    def works() -> None:
        nonlocal wait, said
        if said:
            _log.info("resumed", after=said)
        wait, said = FIRST_WAIT, ""

    while not stop.is_set():
        try:
            attempt(works)
        except RegistryChangedError as change:
            _log.info("reloading", because=str(change))
        except WAITED_OUT as problem:
            if str(problem) != said:
                said = str(problem)
                _log.warning("waiting", problem=said, retry="until it works")
            stop.wait(wait * random.uniform(0.5, 1.5))
            wait = min(2 * wait, LONGEST_WAIT)
