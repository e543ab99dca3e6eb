"""The state of the city's work as numbers: what waits, what is late, what is broken. For metrics and alerts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import dict_row

from storage.capability import Capability, detect
from storage.queries import load

_SQL = load("vitals")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """Counts as of a moment; ``alarms_active`` by severity, 1 to 4; the oldest notification 0 s where none waits."""

    alarms_active: Mapping[int, int]
    alarm_news_waiting: int
    alarms_stuck: int
    cases_open: int
    cases_overdue: int
    notifications_pending: int
    notification_oldest_seconds: float
    rules_benched: int
    database_jobs_failing: int


def look(connection: Connection, now: datetime) -> Vitals:
    """How things stand; ``now`` is aware."""
    standing = connection.execute(_SQL["alarms_standing"]).fetchall()
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_SQL["vitals"], {"now": now}).fetchone() or {}
    return Vitals(alarms_active=dict(standing), database_jobs_failing=_failing(connection), **row)


def _failing(connection: Connection) -> int:
    """Jobs whose last run failed; TimescaleDB's community edition alone has jobs."""
    if detect(connection) is not Capability.COMMUNITY:
        return 0
    row = connection.execute(
        "SELECT count(*) FROM timescaledb_information.job_stats WHERE last_run_status = 'Failed'"
    ).fetchone()
    return int(row[0]) if row else 0
