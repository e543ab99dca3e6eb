"""What became of a city that was watched from its first message on: every activation, every case."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row

from storage.queries import load

_SQL = load("outcome")


@dataclass(frozen=True, slots=True)
class Activation:
    """A time that an alarm was raised.

    Attributes:
        alarm_id: Its number.
        rule_id: Its rule.
        device_id: Its device or group.
        at: When what it speaks of happened.
        seen_at: When Cityward decided.
        hushed: Whether nobody was told, because it was shelved, suppressed or out of service.
        ended: Until when it was active; None where it still is.
    """

    alarm_id: int
    rule_id: str
    device_id: str
    at: datetime
    seen_at: datetime
    hushed: bool
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class Dispatched:
    """A case: what opened it, until when it was open (None: it still is), its deadline, how it ended."""

    number: str
    rule_id: str
    device_id: str
    opened_at: datetime
    closed_at: datetime | None
    fix_by: datetime
    outcome: str


def holds_nothing(connection: Connection) -> bool:
    """Whether the database is as it was created."""
    row = connection.execute(_SQL["holds_nothing"]).fetchone()
    return bool(row and row[0])


def received_since(connection: Connection, since: datetime) -> int:
    """How many messages were received since the minute of an aware time began."""
    row = connection.execute(_SQL["received_since"], {"since": since}).fetchone()
    return int(row[0]) if row else 0


def activations(connection: Connection) -> list[Activation]:
    """Every activation, in the order in which they were decided."""
    with connection.cursor(row_factory=class_row(Activation)) as cursor:
        return cursor.execute(_SQL["activations"]).fetchall()


def dispatches(connection: Connection) -> list[Dispatched]:
    """Every case, in the order in which they were opened."""
    with connection.cursor(row_factory=class_row(Dispatched)) as cursor:
        return cursor.execute(_SQL["dispatches"]).fetchall()
