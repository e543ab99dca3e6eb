"""Being the only one: a collector for its partition, a dispatcher for the city."""

from psycopg import Connection

from storage.queries import load

_SQL = load("locks")


def try_hold(connection: Connection, role: str, name: str) -> bool:
    """Take the lock of a role and name for the life of the connection; False if another process has it."""
    return connection.execute(_SQL["try_hold"], {"role": role, "name": name}).fetchone() == (True,)
