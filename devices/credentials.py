"""Passwords of the broker's users, and what Mosquitto keeps of them.

A line of its password file is ``user:$7$<iterations>$<salt>$<hash>``: PBKDF2 with HMAC-SHA-512, salt and hash in
Base64, as mosquitto_passwd of 2.0 writes it.
"""

import hashlib
import secrets
from base64 import b64encode
from collections.abc import Mapping

# Installers type them: nothing that looks like something else, nothing that a shell, a URL or a spreadsheet minds.
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LENGTH = 24  # characters, 138 bits: nobody tries them all, whatever the iterations
# What mosquitto_passwd takes. The broker computes them at each CONNECT, and after a restart all devices come at once.
_ITERATIONS = 101
_SALT = 12  # bytes, as mosquitto_passwd has it


def new_password() -> str:
    """A random password."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def hashed(password: str) -> str:
    """What is kept of a password, with a salt of its own."""
    salt = secrets.token_bytes(_SALT)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    return f"$7${_ITERATIONS}${b64encode(salt).decode()}${b64encode(digest).decode()}"


def password_file(hashes: Mapping[str, str]) -> str:
    """Mosquitto's password file for these hashes by user."""
    return "".join(f"{user}:{hashes[user]}\n" for user in sorted(hashes))
