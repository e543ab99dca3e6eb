"""Passwords of people, kept as Argon2id hashes (RFC 9106)."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

SHORTEST = 10  # characters
_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)  # 64 MiB and three passes for each try


def hashed(password: str) -> str:
    """The hash with its parameters and salt, as Argon2 writes them."""
    return _HASHER.hash(password)


def matches(password: str, kept: str) -> bool:
    """Whether this is the password; takes as long for a wrong one."""
    try:
        return _HASHER.verify(kept, password)
    except VerificationError:
        return False


@cache
def nobody() -> str:
    """Checked where there is nobody of a name, so that the time an answer takes does not tell."""
    return hashed(secrets.token_hex())
