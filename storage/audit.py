"""Asking the books whether anything is missing or there twice: for benchmarks that kill processes, and for tests."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection

from devices.kind import Kind
from ingest.messages import Ledger
from storage.overview import ledger
from storage.queries import load
from storage.reading_writer import sequence_runs, stored

_SQL = load("audit")


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive sequence numbers of a device; ``times`` is how many rows have them."""

    device_id: str
    first: int
    last: int
    times: int


@dataclass(frozen=True, slots=True)
class Told:
    """A case; to how many targets it was sent, and at how many it has arrived."""

    device_id: str
    problem: str
    sent: int
    arrived: int


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that is written about readings, alarms and cases, in one snapshot.

    ``rows`` counts readings and ``quarantine`` messages one by one, which the ledger must agree with. ``alarms`` are
    lines of history in order: device id, rule, event, event time in microseconds since 1970 UTC.
    """

    ledger: Ledger
    rows: int
    quarantine: int
    stored: list[Run]
    quarantined: list[Run]
    alarms: list[tuple[str, str, str, int]]
    cases: list[Told]


def heard_until(connection: Connection, at: datetime) -> int:
    """How many devices have a reading of this event time or later; seconds behind."""
    row = connection.execute(_SQL["heard_until"], {"at": at}).fetchone() or (0,)
    return int(row[0])


def alarms_after(connection: Connection, last: int) -> list[tuple[int, int]]:
    """Alarms raised after number ``last``: number, and event time in microseconds since 1970 UTC."""
    return [(int(number), int(at)) for number, at in connection.execute(_SQL["alarms_after"], {"last": last})]


def commits(connection: Connection) -> int:
    """How many transactions this database has committed; a second behind."""
    row = connection.execute(_SQL["commits"]).fetchone() or (0,)
    return int(row[0])


def read_books(connection: Connection, kinds: Iterable[Kind]) -> Books:
    """The books as of now; reads whole tables."""
    kinds = list(kinds)
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        quarantine = connection.execute(_SQL["quarantined"]).fetchone() or (0,)
        return Books(
            ledger=ledger(connection),
            rows=sum(stored(connection, kinds).values()),
            quarantine=int(quarantine[0]),
            stored=[Run(*run) for kind in kinds for run in sequence_runs(connection, kind)],
            quarantined=[Run(str(name), *map(int, run)) for name, *run in connection.execute(_SQL["quarantined_runs"])],
            alarms=[
                (str(device), str(rule), str(event), int(at))
                for device, rule, event, at in connection.execute(_SQL["alarm_history"])
            ],
            cases=[
                Told(str(device), str(problem), int(sent), int(arrived))
                for device, problem, sent, arrived in connection.execute(_SQL["cases_told"])
            ],
        )
