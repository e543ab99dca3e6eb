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

from cases.city import City, read_city
from cases.history import Entry, Occurrence
from devices.shapes import convert
from notify.delivery import TASK, job
from notify.message import Message
from notify.outbox import Notification
from notify.recipients import TO_THE_UNIT, Happening, recipients
from storage.connection import parameters
from storage.console_store import new_key
from storage.queries import load
from storage.registry_store import NoCityError

TOLD = TO_THE_UNIT | {Occurrence.UNATTENDED}
_DETAILED = frozenset({Occurrence.SHEET, Occurrence.UNATTENDED})

_SQL = load("notify")
_CASES = load("cases")
_CONSOLE = load("console")
_LINKS = load("crew_links")


def tell(connection: Connection, jobs: App, *, case_id: int, case_event_id: int, entry: Entry, city: City) -> None:
    """Write what is to be heard of an event of a case, for each who is to hear it."""
    if entry.event not in TOLD:
        return
    with connection.cursor(row_factory=dict_row) as cursor:
        case = cursor.execute(_CASES["case_for_message"], {"case_id": case_id}).fetchone()
    assert case is not None  # noqa: S101 - the case of an event that was just written
    happening = Happening(
        event=entry.event,
        detail=entry.reason if entry.event in _DETAILED else "",
        unit=case["unit"],
        joint=tuple(case["joint"]),
        district=case["district"],
        severity=case["severity"],
    )
    body = Jsonb(_body(case, happening, city.calendar.timezone), dumps=msgspec.json.encode)
    for recipient in recipients(happening, city, entry.at):
        row = connection.execute(
            _SQL["insert_notification"],
            {
                "case_event_id": case_event_id,
                "case_id": case_id,
                "event": entry.event,
                "detail": happening.detail,
                "severity": case["severity"],
                "channel": recipient.channel,
                "target": recipient.target,
                "body": body,
                "at": entry.at,
            },
        ).fetchone()
        if row is not None:
            deferrer = job(jobs, channel=recipient.channel, connection=connection)
            deferrer.defer(notification_id=int(row[0]))


def connector(dsn: str) -> PsycopgConnector:
    """The job queue's own connections. The database may be away when they are opened: workers wait for it."""
    return PsycopgConnector(conninfo=parameters(dsn, "cityward jobs"), pool_factory=_PatientPool)


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
            parameters(dsn, "cityward notifications"),
            min_size=1,
            max_size=4,
            open=False,
            kwargs={"autocommit": True},
            # A connection that broke while nobody used it must not fail a delivery that has been made.
            check=AsyncConnectionPool.check_connection,
        )
        self._city: City | None = None
        self._city_version = ""

    async def __aenter__(self) -> Self:
        await self._pool.open()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._pool.close()

    async def load(self, notification_id: int) -> Notification | None:
        """The notification; None where it does not exist or needs no delivery."""
        row = await self._one("load_notification", id=notification_id)
        if row is None:
            return None
        channel, target, body, delivered_at, created_at = row
        return Notification(channel, target, _message(notification_id, body), delivered_at, created_at)

    async def city(self) -> City:
        """The city in force."""
        row = await self._one("city_now", known=self._city_version)
        if row is not None:
            self._city, self._city_version = read_city(row[0], "the imported city file"), row[1]
        if self._city is None:
            raise NoCityError
        return self._city

    async def link_key(self, unit: str, at: datetime) -> tuple[bytes, int]:
        """The key of the consoles, and the generation of links that are good for a unit."""
        async with self._pool.connection() as connection:
            await connection.execute(_CONSOLE["make_console_key"], {"key": new_key(), "at": at})
            key = await (await connection.execute(_CONSOLE["console_key"])).fetchone()
            good = await (await connection.execute(_LINKS["crew_link_generation"], {"unit": unit})).fetchone()
        assert key is not None  # noqa: S101 - made just now, if not before
        assert good is not None  # noqa: S101 - a SELECT without FROM
        return bytes(key[0]), int(good[0])

    async def has_earlier(self, notification_id: int) -> bool:
        """Whether an earlier message about the same case to the same target is on its way."""
        return await self._one("earlier_notification", id=notification_id) is not None

    async def gather(self, notification_id: int) -> tuple[Message, ...] | None:
        """Take along what else waits for the same target with the same event; None where another takes this along."""
        async with self._pool.connection() as connection:
            await connection.execute(_SQL["claim_notifications"], {"id": notification_id})
            found = await connection.execute(_SQL["claimed_notifications"], {"id": notification_id})
            rows = await found.fetchall()
        if not any(number == notification_id for number, _ in rows):
            return None
        return tuple(_message(number, body) for number, body in rows if number != notification_id)

    async def sent_since(self, channel: str, target: str, since: datetime) -> int:
        """How many messages a target has got since then."""
        row = await self._one("sent_since", channel=channel, target=target, since=since)
        return int(row[0]) if row else 0

    async def was_told(self, notification_id: int, since: datetime) -> bool:
        """Whether the same was said of the same case to the same target since then."""
        return await self._one("told_since", id=notification_id, since=since) is not None

    async def dropped(self, notification_id: int, why: str) -> None:
        """Record that it need not be sent."""
        await self._execute("mark_dropped", id=notification_id, why=why)

    async def delivered(self, notification_id: int, at: datetime) -> None:
        """Record that the channel has taken it, and what went with it."""
        await self._execute("mark_delivered", id=notification_id, at=at)

    async def failed(self, notification_id: int, error: str, *, final: bool) -> None:
        """Record a failed attempt; after a final one there is no other."""
        await self._execute("mark_failed", id=notification_id, error=error, final=final)

    async def _one(self, query: str, **parameters: object) -> tuple[Any, ...] | None:
        async with self._pool.connection() as connection:
            found = await connection.execute(_SQL[query], parameters)
            return await found.fetchone()

    async def _execute(self, query: str, **parameters: object) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(_SQL[query], parameters)


def _message(notification_id: int, body: dict[str, Any]) -> Message:
    return convert({**body, "notification_id": notification_id}, Message)


def _body(case: dict[str, Any], of: Happening, zone: ZoneInfo) -> dict[str, Any]:
    """A message without its id, in the city's time; deadlines that no longer matter are left out."""
    arrive_by = case["arrive_by"] if case["open"] and case["arrived_at"] is None else None
    fix_by = case["fix_by"] if case["open"] else None
    return {
        "case_number": case["number"],
        "district": case["district"],
        "unit": case["unit"],
        "event": of.event.value,
        "detail": of.detail,
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
