"""What the broker keeps for partitions, as it was asked: a session outlives the settings that it was made with."""

from collections.abc import Sequence
from datetime import datetime

from psycopg import Connection

from ingest.cuts import Kept
from storage.queries import load

_SQL = load("sessions")


def load_all(connection: Connection) -> dict[str, Kept]:
    """The sessions that have not been forgotten, by partition."""
    return {
        str(name): Kept(topics, since, reached)
        for name, topics, since, reached in connection.execute(_SQL["load_sessions"])
    }


def ask(connection: Connection, partition: str, topics: Sequence[str]) -> None:
    """Note topics before the broker is asked for them: killed in between, one is noted too many and none too few."""
    connection.execute(_SQL["ask_for_topics"], {"partition": partition, "topics": list(topics)})


def granted(connection: Connection, partition: str, at: datetime, *, resumed: bool) -> bool:
    """Note that the broker keeps what is sent from now on; if it had kept the session (``resumed``), it did before.

    Returns:
        Whether it has lost the session, with whatever it kept.
    """
    parameters = {"partition": partition, "at": at, "resumed": resumed}
    return connection.execute(_SQL["grant_topics"], parameters).fetchone() == (True,)


def forget(connection: Connection, *partitions: str) -> None:
    """The broker keeps nothing for these partitions any more."""
    connection.execute(_SQL["forget_sessions"], {"partitions": list(partitions)})
