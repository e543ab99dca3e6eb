"""What is kept of the passwords of the broker's users: hashes, never a password."""

from collections.abc import Mapping
from datetime import datetime

from psycopg import Connection

from storage.queries import load

_SQL = load("credentials")


def lock(connection: Connection) -> None:
    """Keep others from giving out passwords until the transaction that is open on ``connection`` ends."""
    connection.execute(_SQL["lock_credentials"])


def load_hashes(connection: Connection) -> dict[str, str]:
    """The hash of every user that has a password."""
    return {str(user): str(kept) for user, kept in connection.execute(_SQL["load_hashes"])}


def save_devices(connection: Connection, hashes: Mapping[str, str], at: datetime) -> None:
    """Keep new hashes by device id."""
    connection.execute(_SQL["save_device_hashes"], {"users": list(hashes), "hashes": list(hashes.values()), "at": at})


def save_services(connection: Connection, hashes: Mapping[str, str], at: datetime) -> None:
    """Keep new hashes of users that are no device."""
    connection.execute(_SQL["save_service_hashes"], {"users": list(hashes), "hashes": list(hashes.values()), "at": at})
