"""A day in a store of roll-ups whose indicators are counted by hand."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from devices.moments import micros
from storage.reading_writer import write
from tests.fix_rolled import Store
from tests.integration.making import MINUTE, readings, rows

CITY = ZoneInfo("Asia/Shanghai")
# So far ahead that nothing depends on the machine's clock: the city's latest news is its present.
MIDNIGHT = datetime(2036, 11, 20, tzinfo=CITY)
DAY = MIDNIGHT.date()


def at(hour: float) -> int:
    return micros(MIDNIGHT) + round(hour * 60) * MINUTE


def put(store: Store, kind: str, batch: Iterable[Mapping[str, Any]]) -> None:
    each = [{"received_at": row["ts"], **row} for row in batch]
    with store.connection.transaction():
        write(store.connection, readings(store.kinds[kind], *each))


def every(device: int, start: float, end: float, *, minutes: int = 1, **metrics: Any) -> list[dict[str, Any]]:
    """The same reading every few minutes between two hours of the day."""
    return [
        {"device": device, "ts": at(start) + step * MINUTE, **metrics}
        for step in range(0, round((end - start) * 60), minutes)
    ]


def heard(store: Store, until: float = 24, *devices: int) -> None:
    """The devices were last heard then, and this is as late as it is."""
    store.connection.execute(
        "INSERT INTO device_status (device, last_ts, last_received_at, readings)"
        " SELECT device, to_timestamp(%(at)s), to_timestamp(%(at)s), 1 FROM unnest(%(devices)s::integer[]) AS device",
        {"at": at(until) / 1_000_000, "devices": list(devices)},
    )


def one(store: Store, query: str, *parameters: object) -> tuple[Any, ...]:
    (row,) = rows(store.connection, query, *parameters)
    return row
