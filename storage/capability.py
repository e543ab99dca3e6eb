"""What the server can do, found at start and printed; every query works on all three."""

from enum import StrEnum

from psycopg import Connection, errors

EXTENSION = "timescaledb"


class Capability(StrEnum):
    """From ordinary tables to everything TimescaleDB has."""

    PLAIN = "PostgreSQL without TimescaleDB: ordinary tables"
    APACHE = "TimescaleDB Apache: hypertables"
    COMMUNITY = "TimescaleDB community: hypertables, columnstore, continuous aggregates, policies"


# What a city has to do without, for those who look at its state.
MISSING = {
    Capability.PLAIN: "Missing: chunks by day, compression, retention, stored roll-ups: it grows for ever, and views of"
    " many days are slow.",
    Capability.APACHE: "Missing: compression, retention, stored roll-ups: it grows for ever, and views of many days are"
    " slow.",
    Capability.COMMUNITY: "",
}


def enable(connection: Connection) -> Capability:
    """Create the extension where the server has it ready, and say what that gives."""
    # Its loader's setting tells that the library is preloaded; without that, CREATE EXTENSION ends the connection.
    loaded = connection.execute("SELECT current_setting('timescaledb.disable_load', true)").fetchone()
    if loaded != (None,):
        try:
            connection.execute(f"CREATE EXTENSION IF NOT EXISTS {EXTENSION}")
        except errors.InsufficientPrivilege:
            return Capability.PLAIN
    return detect(connection)


def detect(connection: Connection) -> Capability:
    """What this database has enabled."""
    installed = connection.execute("SELECT 1 FROM pg_extension WHERE extname = %s", [EXTENSION]).fetchone()
    if installed is None:
        return Capability.PLAIN
    license_name = connection.execute("SELECT current_setting('timescaledb.license', true)").fetchone()
    return Capability.APACHE if license_name == ("apache",) else Capability.COMMUNITY
