"""Which links that open units' pages still do."""

from datetime import datetime

from psycopg import Connection

from storage.queries import load

_SQL = load("crew_links")


def generation(connection: Connection, unit: str) -> int:
    """The generation that a link of the unit must have to be good."""
    row = connection.execute(_SQL["crew_link_generation"], {"unit": unit}).fetchone() or (1,)
    return int(row[0])


def revoke(connection: Connection, unit: str, at: datetime) -> None:
    """End all links of a unit, and the sessions that they began."""
    connection.execute(_SQL["revoke_crew_links"], {"unit": unit, "at": at})
