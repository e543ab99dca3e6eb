"""What one shift tells the next: notes that are kept, and what the desk cannot leave unsaid."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from storage.desk import Glance
from storage.queries import load

_SQL = load("handover")
_MOST = 100  # lines of each part


@dataclass(frozen=True, slots=True)
class Handover:
    """The end of a shift; times aware, in UTC. ``totals`` are how the desk stood: of cases and of alarms."""

    at: datetime
    since: datetime
    actor: str
    note: str
    totals: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Shelved:
    """An alarm on the shelf, with who put it there and why."""

    id: int
    rule_id: str
    device_id: str
    name: str
    road: str
    district: str
    severity: int
    active: bool
    shelved_until: datetime
    shelved_once: bool
    actor: str
    because: str


@dataclass(frozen=True, slots=True)
class Since:
    """What has happened since a moment."""

    opened: int
    closed: int
    announced: int


def hand_over(connection: Connection, note: str, glance: Glance, *, since: datetime, at: datetime, actor: str) -> None:
    """Keep a note, with how the desk stands."""
    totals = {"cases": asdict(glance.cases), "alarms": asdict(glance.alarms)}
    parameters = {"at": at, "since": since, "actor": actor, "note": note, "totals": Jsonb(totals)}
    connection.execute(_SQL["hand_over"], parameters)


def handovers(connection: Connection, limit: int) -> list[Handover]:
    """The latest ones, the newest first."""
    with connection.cursor(row_factory=class_row(Handover)) as cursor:
        return cursor.execute(_SQL["handovers"], {"limit": limit}).fetchall()


def shelved(connection: Connection) -> list[Shelved]:
    """What is on the shelf, what comes off first in front."""
    with connection.cursor(row_factory=class_row(Shelved)) as cursor:
        return cursor.execute(_SQL["shelved_alarms"], {"limit": _MOST}).fetchall()


def since_then(connection: Connection, since: datetime) -> Since:
    """What has happened since then."""
    with connection.cursor(row_factory=class_row(Since)) as cursor:
        ((found,)) = cursor.execute(_SQL["since_then"], {"since": since}).fetchall()
    return found
