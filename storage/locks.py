"""Being the only one: a collector for its partition, a dispatcher for the city."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection

from storage.queries import load

PARTITION, DISPATCH = "partition", "dispatch"  # the roles
CITY = "city"  # the one name of the dispatcher's role
_SQL = load("locks")


@dataclass(frozen=True, slots=True)
class Holder:
    """The connection that holds a lock: where it comes from, its server process, and since when it is there (UTC)."""

    client: str
    pid: int
    since: datetime


def try_hold(connection: Connection, role: str, name: str) -> bool:
    """Take the lock of a role and name for the life of the connection; False if another process has it."""
    return connection.execute(_SQL["try_hold"], {"role": role, "name": name}).fetchone() == (True,)


def holders(connection: Connection, role: str, names: Sequence[str]) -> dict[str, Holder]:
    """Who holds the locks of a role, by name; names that nobody holds are missing."""
    rows = connection.execute(_SQL["holders"], {"role": role, "names": list(names)})
    return {str(name): Holder(str(client), int(pid), since) for name, client, pid, since in rows}
