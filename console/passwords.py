"""Passwords of people, kept as Argon2id hashes (RFC 9106)."""

import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

SHORTEST = 10  # characters
CHECKED, WAITING = 2, 8  # at once: 128 MiB; who waits holds one of the console's 40 threads (project default)
_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)  # 64 MiB and three passes for each try
_checking = threading.BoundedSemaphore(CHECKED)
_taken = threading.BoundedSemaphore(CHECKED + WAITING)


class BusyError(Exception):
    """So many passwords are being checked that another would have to wait long."""


def hashed(password: str) -> str:
    """The hash with its parameters and salt, as Argon2 writes them."""
    return _HASHER.hash(password)


def matches(password: str, kept: str) -> bool:
    """Whether this is the password; takes as long for a wrong one.

    Raises:
        BusyError: instead of taking memory and threads without bound.
    """
    if not _taken.acquire(blocking=False):
        raise BusyError
    try:
        with _checking:
            return _HASHER.verify(kept, password)
    except VerificationError:
        return False
    finally:
        _taken.release()


@cache
def nobody() -> str:
    """Checked where there is nobody of a name, so that the time an answer takes does not tell."""
    return hashed(secrets.token_hex())
