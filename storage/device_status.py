"""What is known of each device: when it was heard, what it sent last, whether it is connected."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from devices.kind import Kind
from ingest.hearing import Heard
from ingest.messages import Status
from storage.queries import load

_SQL = load("status")


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """A device and what is known of it; times are aware, in UTC, and None where it was never heard.

    Attributes:
        device_id: Its id.
        kind: Its kind.
        name: Its name.
        district: Where it stands.
        road: On which road.
        gateway: Through which gateway it publishes; empty where through none.
        limits: Its own limits.
        last_ts: The time of its newest reading.
        last_received_at: When it was last heard.
        readings: How many live readings it sent.
        lag: Arrival minus device time of what was new last.
        quality: Doubts about its newest reading, bits of ``Quality``.
        latest: The last value of each metric, and signal strengths.
        firmware: As it names it.
        also_sent: Keys that its kind does not know.
        online: Whether it is connected; None where it has never said.
        since: Since when.
    """

    device_id: str
    kind: str
    name: str
    district: str
    road: str
    gateway: str
    limits: Mapping[str, Any]
    last_ts: datetime | None
    last_received_at: datetime | None
    readings: int | None
    lag: timedelta | None
    quality: int | None
    latest: Mapping[str, Any] | None
    firmware: str | None
    also_sent: list[str] | None
    online: bool | None
    since: datetime | None


def write(connection: Connection, summary: Iterable[Heard]) -> None:
    """Add what was heard, in the transaction that is open on ``connection``."""
    heard = list(summary)
    if heard:
        connection.execute(
            _SQL["write_status"],
            {
                "devices": [each.device for each in heard],
                "ts": [each.last_ts for each in heard],
                "received_at": [each.last_received_at for each in heard],
                "readings": [each.readings for each in heard],
                "also_sent": [" ".join(sorted(each.also_sent)) for each in heard],
                "lags": [each.lag for each in heard],
                "qualities": [each.quality for each in heard],
                "latest": [each.latest.decode() for each in heard],
                "firmware": [each.firmware for each in heard],
            },
        )


def write_connections(connection: Connection, statuses: Mapping[int, Status]) -> None:
    """Note who is connected, by device number."""
    told = {
        "devices": list(statuses),
        "online": [each.online for each in statuses.values()],
        "since": [each.since for each in statuses.values()],
    }
    connection.execute(_SQL["write_connections"], told)


def numbers(connection: Connection) -> list[int]:
    """The numbers of all registered devices, in their order."""
    return [int(number) for (number,) in connection.execute(_SQL["numbers"])]


def one(connection: Connection, device_id: str) -> DeviceStatus | None:
    """What is known of a device; None if none of that id is registered."""
    with connection.cursor(row_factory=class_row(DeviceStatus)) as cursor:
        return cursor.execute(_SQL["one_status"], {"device_id": device_id}).fetchone()


def page(
    connection: Connection,
    kinds: Iterable[str],
    *,
    district: str | None = None,
    silent_since: datetime | None = None,
    after: str | None = None,
    limit: int = 50,
) -> list[DeviceStatus]:
    """A page of devices in the order of their ids; the next one comes ``after`` the last id of this one.

    Args:
        connection: The database.
        kinds: Of these kinds.
        district: Only in this one.
        silent_since: Only those not heard since then, or never.
        after: Where the page before ended.
        limit: At most so many.
    """
    filters = {"kinds": list(kinds), "district": district, "silent_since": silent_since, "after": after, "limit": limit}
    with connection.cursor(row_factory=class_row(DeviceStatus)) as cursor:
        return cursor.execute(_SQL["status_page"], filters, prepare=False).fetchall()


def many(
    connection: Connection,
    kinds: Iterable[Kind],
    now: datetime,
    *,
    district: str | None = None,
    silent: bool = False,
    on_battery: bool = False,
) -> Iterator[DeviceStatus]:
    """Devices of these kinds, those never heard first, then the longest silent; must be read within a transaction.

    Args:
        connection: The database.
        kinds: Which kinds.
        now: The time that silence is counted from.
        district: Only this one.
        silent: Only devices that were not heard for longer than their kind allows, or never.
        on_battery: Only devices that report a battery.
    """
    chosen = list(kinds)
    with connection.cursor(name="statuses", row_factory=class_row(DeviceStatus)) as cursor:
        yield from cursor.execute(
            _SQL["statuses"],
            {
                "kinds": [kind.name for kind in chosen],
                "heartbeats": [kind.heartbeat for kind in chosen],
                "district": district,
                "silent": silent,
                "on_battery": on_battery,
                "now": now,
            },
        )
