"""The outbox: notifications written, and their jobs deferred, in the transaction of the case event they tell of."""

from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

import msgspec
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from cases.history import Occurrence
from cases.lifecycle import Event
from notify.delivery import TASK, job
from notify.message import Message
from notify.outbox import Notification
from storage.queries import load

MQTT, WEBHOOK = "mqtt", "webhook"
CHANNELS = (MQTT, WEBHOOK)
# What a unit hears of: what asks something of it, and that it is over.
TOLD = frozenset({
    Event.DISPATCH, Event.ASSIGN, Event.RETURN, Event.SPLIT, Event.REOPEN, Event.RECOVER, Event.RELAPSE,
    Event.FAIL_CHECK, Event.RESUME, Event.GRANT_DELAY, Event.REFUSE_DELAY, Event.CLOSE, Event.CANCEL,
    Occurrence.ESCALATED, Occurrence.UNANSWERED, Occurrence.SHEET, Occurrence.CAMPAIGN,
})  # fmt: skip
_SQL = load("notify")
_CASES = load("cases")


def tell(
    connection: Connection,
    jobs: App,
    *,
    case_id: int,
    case_event_id: int,
    event: Event | Occurrence,
    at: datetime,
    zone: ZoneInfo,
) -> None:
    """Write what the responsible unit must hear of an event of its case, for each of the unit's channels."""
    if event not in TOLD:
        return
    with connection.cursor(row_factory=dict_row) as cursor:
        case = cursor.execute(_CASES["case_for_message"], {"case_id": case_id}).fetchone()
    assert case is not None  # noqa: S101 - the case of an event that was just written
    targets = {MQTT: case["unit"]} | ({WEBHOOK: case["webhook"]} if case["webhook"] else {})
    for channel, target in targets.items():
        row = connection.execute(
            _SQL["insert_notification"],
            {
                "case_event_id": case_event_id,
                "channel": channel,
                "target": target,
                "body": Jsonb(_body(case, event, zone), dumps=msgspec.json.encode),
                "at": at,
            },
        ).fetchone()
        if row is not None:
            deferrer = job(jobs, channel=channel, case_number=case["number"], connection=connection)
            deferrer.defer(notification_id=int(row[0]))


def connector(dsn: str) -> PsycopgConnector:
    """The job queue's own connections. The database may be away when they are opened: workers wait for it."""
    return PsycopgConnector(conninfo=dsn, pool_factory=_PatientPool)


class _PatientPool(AsyncConnectionPool[AsyncConnection[Any]]):
    """procrastinate's own would give up half a minute after it was opened."""

    async def open(self, wait: bool = False, timeout: float = 0) -> None:  # noqa: ASYNC109, FBT001, FBT002 - as inherited
        """Connect in the background, for as long as it takes."""
        del wait, timeout
        await super().open()


def deferring_app() -> App:
    """An app that only puts jobs into the queue, on the caller's connection; it is never opened."""
    app = App(connector=SyncPsycopgConnector())
    app.task(name=TASK)(_worked_elsewhere)
    return app


def _worked_elsewhere(*, notification_id: int) -> None:
    """Stands for the dispatcher's task of the same name."""
    raise AssertionError(f"notification {notification_id} is delivered by the dispatcher's workers")


class NotificationStore:
    """Implements ``notify.outbox.NotificationStore`` on a small pool of its own."""

    def __init__(self, dsn: str) -> None:
        self._pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
            dsn,
            min_size=1,
            max_size=4,
            open=False,
            kwargs={"autocommit": True},
            # A connection that broke while nobody used it must not fail a delivery that has been made.
            check=AsyncConnectionPool.check_connection,
        )

    async def __aenter__(self) -> Self:
        await self._pool.open()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._pool.close()

    async def load(self, notification_id: int) -> Notification | None:
        """The notification; None where it does not exist."""
        async with self._pool.connection() as connection:
            found = await connection.execute(_SQL["load_notification"], {"id": notification_id})
            row = await found.fetchone()
        if row is None:
            return None
        channel, target, body, delivered_at = row
        message = msgspec.convert({**body, "notification_id": notification_id}, Message)
        return Notification(channel, target, message, delivered_at)

    async def delivered(self, notification_id: int, at: datetime) -> None:
        """Record that the channel has taken it."""
        await self._execute("mark_delivered", id=notification_id, at=at)

    async def failed(self, notification_id: int, at: datetime, error: str, *, final: bool) -> None:
        """Record a failed attempt; ``at`` is kept by the job queue's own history."""
        del at
        await self._execute("mark_failed", id=notification_id, error=error, final=final)

    async def _execute(self, query: str, **parameters: object) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(_SQL[query], parameters)


def _body(case: dict[str, Any], event: Event | Occurrence, zone: ZoneInfo) -> dict[str, Any]:
    """A message without its id, in the city's time; deadlines that no longer matter are left out."""
    arrive_by = case["arrive_by"] if case["open"] and case["arrived_at"] is None else None
    fix_by = case["fix_by"] if case["open"] else None
    return {
        "case_number": case["number"],
        "district": case["district"],
        "unit": case["unit"],
        "event": event.value,
        "severity": case["severity"],
        "problem": case["problem"],
        "device_id": case["device_id"],
        "facility": case["name"],
        "road": case["road"],
        "arrive_by": arrive_by and arrive_by.astimezone(zone),
        "fix_by": fix_by and fix_by.astimezone(zone),
        "lon": case["lon"],
        "lat": case["lat"],
    }
