"""Messages of an unregistered cover, and collectors that quarantine and try them again."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from devices.device import Description
from storage.quarantine import (
    Row,
    Selection,
    adopt,
    find,
    load_rows,
)
from tests.fix_city import payload
from tests.integration.making import NOON, rows

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
STRANGER = "4201020102000099"
HERE = f"city/east/manhole/{STRANGER}/up"
COVER = Description(
    device_id=STRANGER, kind="manhole", name="Cover 99", district="east", lon=114.3, lat=30.6, component_class="0102"
)
Tick = tuple[datetime, list[tuple[str, bytes]]]
Collect = Callable[..., Any]


def tick(at: datetime = NOON + 2 * HOUR) -> Tick:
    return at, []


def message(at: datetime, *, topic: str = HERE, **metrics: Any) -> tuple[str, bytes]:
    return topic, payload(at, **metrics)


def array(*elements: Any, topic: str = HERE) -> tuple[str, bytes]:
    return topic, json.dumps(elements).encode()


def element(at: datetime, **metrics: Any) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(payload(at, **metrics))
    return sent


def only(connection: Connection) -> Row:
    (row,) = load_rows(connection, list(find(connection, Selection(), resolved=True)))
    return row


def minutes(connection: Connection) -> list[tuple[Any, ...]]:
    """The ledger, a line a minute since noon."""
    query = """
        SELECT (extract(epoch FROM minute - %s) / 60)::integer, partition, received, stored, duplicate, quarantined
        FROM ledger ORDER BY 1, 2
    """
    return rows(connection, query, NOON)


def readings(connection: Connection) -> list[tuple[Any, ...]]:
    return rows(connection, "SELECT ts, received_at, quality, tilt FROM reading_manhole ORDER BY ts")


def adopted(connection: Connection) -> list[int]:
    return adopt(connection, COVER, lambda _topic: "all", NOON + HOUR, "li")
