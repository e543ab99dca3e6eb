"""How far collectors have come with what was sent to their partitions."""

from psycopg import Connection

from devices.moments import moment
from storage.queries import load

_SQL = load("ingest")


def save(connection: Connection, partition: str, until: int) -> None:
    """What was sent to a partition before ``until`` (µs since 1970 UTC) is stored."""
    connection.execute(_SQL["save_worked_off"], {"partition": partition, "until": moment(until)})


def load_all(connection: Connection) -> dict[str, int]:
    """By partition until when (µs since 1970 UTC) what was sent to it is stored.

    For one that is prepared and not collected yet the broker keeps what is sent; one that is neither is missing.
    """
    return {str(partition): int(until) for partition, until in connection.execute(_SQL["load_worked_off"])}
