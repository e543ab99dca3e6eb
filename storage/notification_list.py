"""Notifications as people read them, and another try for those that failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from procrastinate import App
from psycopg import Connection
from psycopg.rows import class_row

from notify.delivery import job
from notify.lifecycle import State
from storage.queries import load

_SQL = load("notify")


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """A notification in a list. Times are aware, in UTC; ``carried_by`` is the one in whose message it went."""

    id: int
    channel: str
    target: str
    event: str
    case_number: str
    severity: int
    state: str
    attempts: int
    created_at: datetime
    delivered_at: datetime | None
    last_error: str
    carried_by: int | None


def list_notifications(
    connection: Connection,
    *,
    state: State | None,
    channel: str | None,
    target: str | None,
    case: str | None = None,
    before: int | None = None,
    limit: int,
) -> list[NotificationRow]:
    """Notifications, the newest first; the next page comes ``before`` the last id of this one."""
    which = {"state": state, "channel": channel, "target": target, "case": case, "before": before}
    parameters = {**which, "limit": limit}
    with connection.cursor(row_factory=class_row(NotificationRow)) as cursor:
        return cursor.execute(_SQL["list_notifications"], parameters).fetchall()


def retry(connection: Connection, jobs: App, ids: Sequence[int]) -> int:
    """Let failed notifications wait again, all of them where no ids are given; how many they were."""
    with connection.transaction():
        found = connection.execute(_SQL["retry_notifications"], {"ids": list(ids)}).fetchall()
        for number, channel, leads in found:
            if leads:
                job(jobs, channel=channel, connection=connection).defer(notification_id=number)
    return len(found)
