"""The state of the whole at a glance: for the live page, for ``cityward status``, for tests."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import dict_row

from ingest.messages import Ledger
from storage.alarm_round import Raging, raging
from storage.queries import load

_SQL = load("live")


@dataclass(frozen=True, slots=True)
class KindTotals:
    """What there is of one kind."""

    readings: int = 0
    active_alarms: int = 0
    alarms: int = 0
    open_cases: int = 0
    cases: int = 0


@dataclass(frozen=True, slots=True)
class StuckNews:
    """Alarms of which no case can be made: why, how many, since when (UTC)."""

    because: str
    alarms: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Hushed:
    """How many alarms are shelved, suppressed or out of service, and how many of them are active."""

    why: str
    alarms: int
    active: int


@dataclass(frozen=True, slots=True)
class Orphaned:
    """Active alarms of a rule that nobody judges by any more: how many, the first one's number, since when (UTC)."""

    rule_id: str
    alarms: int
    first: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    """Totals since the beginning. ``notifications`` counts by state: pending, delivered, failed."""

    ledger: Ledger
    by_kind: dict[str, KindTotals]
    active_by_severity: dict[int, int]
    notifications: dict[str, int]
    quarantine: dict[str, int]
    stuck: list[StuckNews]
    hushed: list[Hushed]
    storms: list[Raging]


def overview(connection: Connection) -> Overview:
    """Everything in one snapshot."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        readings: dict[str, int] = dict(connection.execute(_SQL["readings_by_kind"]).fetchall())
        alarms = {kind: counts for kind, *counts in connection.execute(_SQL["alarms_by_kind"])}
        cases = {kind: counts for kind, *counts in connection.execute(_SQL["cases_by_kind"])}
        return Overview(
            ledger=ledger(connection),
            by_kind={
                kind: KindTotals(readings.get(kind, 0), *alarms.get(kind, (0, 0)), *cases.get(kind, (0, 0)))
                for kind in sorted({*readings, *alarms, *cases})
            },
            active_by_severity=dict(connection.execute(_SQL["alarms_by_severity"]).fetchall()),
            notifications=dict(connection.execute(_SQL["notifications_by_state"]).fetchall()),
            quarantine=dict(connection.execute(_SQL["quarantine_by_code"]).fetchall()),
            stuck=[StuckNews(*row) for row in connection.execute(_SQL["stuck_news"])],
            hushed=[Hushed(*row) for row in connection.execute(_SQL["hushed_alarms"])],
            storms=[*raging(connection).values()],
        )


def ledger(connection: Connection) -> Ledger:
    """The ledger of all partitions and minutes."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_SQL["ledger_totals"]).fetchone() or {}
    return Ledger(**row)


def orphaned(connection: Connection, in_force: Collection[str]) -> list[Orphaned]:
    """Active alarms that nobody will end, by rule; ``in_force`` are the ids of all rules that are judged by."""
    return [Orphaned(*row) for row in connection.execute(_SQL["orphaned_alarms"], {"in_force": list(in_force)})]


def last_heard(connection: Connection) -> datetime | None:
    """The minute in which any device was last heard, in UTC; None before the first reading."""
    row = connection.execute(_SQL["last_heard"]).fetchone()
    return row[0] if row else None


def waiting_work(connection: Connection) -> int:
    """Alarm news not yet taken up, and notifications not yet delivered."""
    row = connection.execute(_SQL["waiting_work"]).fetchone()
    return int(row[0]) if row else 0
