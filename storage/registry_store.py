"""The city file and the registry of devices: imported as a whole, read as a snapshot."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from cases.city import City, read_city
from devices.errors import DescriptionError
from devices.kind import Kind
from devices.registry import Description, Device, Registry
from storage.queries import load

_SQL = load("registry")


class NoCityError(Exception):
    """No city file has been imported; ``cityward city import`` does."""

    def __init__(self) -> None:
        super().__init__("the database holds no city yet: run cityward city import <city.toml>")


def import_city(connection: Connection, document: Mapping[str, Any], source: str, at: datetime) -> City:
    """Take over a parsed city file, all of it or nothing.

    Raises:
        DescriptionError: listing what is wrong with it.
    """
    city = read_city(document, source)
    with connection.transaction():
        missing = connection.execute(_SQL["districts_in_use"], {"districts": list(city.districts)}).fetchall()
        if missing:
            problems = [f"[districts.{district}] is missing, but devices stand there" for (district,) in missing]
            raise DescriptionError(source, problems)
        connection.execute(_SQL["save_city"], {"document": Jsonb(document, dumps=_dumps), "at": at})
        for unit_id, unit in city.units.items():
            names = {"name_en": unit.name["en"], "name_zh": unit.name["zh"]}
            connection.execute(_SQL["save_unit"], {"unit_id": unit_id, "webhook": unit.webhook, **names})
        for district_id, district in city.districts.items():
            names = {"name_en": district.name["en"], "name_zh": district.name["zh"]}
            fallback = {"district_id": district_id, "fallback": district.fallback}
            connection.execute(_SQL["save_district"], {**fallback, **names})
        connection.execute(_SQL["bump_revision"])
    return city


def load_city(connection: Connection) -> City:
    """The city in force.

    Raises:
        NoCityError: if none has been imported.
    """
    row = connection.execute(_SQL["load_city"]).fetchone()
    if row is None:
        raise NoCityError
    return read_city(row[0], "the imported city file")


def import_devices(connection: Connection, devices: Sequence[Description], source: str, at: datetime) -> None:
    """Register devices, all of them or none; one already known keeps its number and its history.

    Raises:
        DescriptionError: if a known device is said to be of another kind.
    """
    with connection.transaction():
        changed = connection.execute(
            _SQL["devices_of_another_kind"],
            {"device_ids": [each.device_id for each in devices], "kinds": [each.kind for each in devices]},
        ).fetchall()
        if changed:
            problems = [f"device {name} is a {kind}; give the new device an id of its own" for name, kind in changed]
            raise DescriptionError(source, problems)
        with connection.cursor() as cursor:
            cursor.executemany(_SQL["save_device"], [_row(device, at) for device in devices])
        connection.execute(_SQL["bump_revision"])


def load_registry(connection: Connection, kinds: Mapping[str, Kind]) -> Registry:
    """The registry as of now, in one snapshot."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        current = revision(connection)
        with connection.cursor(row_factory=dict_row) as cursor:
            devices = [Device(**device) for device in cursor.execute(_SQL["load_devices"])]
    return Registry(kinds, devices, revision=current)


def load_device(connection: Connection, device_id: str) -> Device | None:
    """A registered device; None if there is none of that id."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_SQL["load_device"], {"device_id": device_id}).fetchone()
    return Device(**row) if row else None


def revision(connection: Connection) -> int:
    """Which snapshot of the registry is in force."""
    row = connection.execute(_SQL["load_revision"]).fetchone()
    return int(row[0]) if row else 0


def lags(connection: Connection) -> dict[str, timedelta]:
    """By device id how far the time of its last new reading was behind its arrival; negative where it was ahead."""
    return {str(device_id): lag for device_id, lag in connection.execute(_SQL["lags"])}


def also_sent(connection: Connection) -> dict[str, list[str]]:
    """Keys that devices send and their kinds do not know, by device id."""
    return {str(device_id): list(keys) for device_id, keys in connection.execute(_SQL["also_sent"])}


def _row(device: Description, at: datetime) -> dict[str, Any]:
    row = asdict(device)
    row["limits"], row["attributes"] = Jsonb(row["limits"]), Jsonb(row["attributes"])
    return {**row, "at": at}


def _dumps(document: Any) -> bytes:
    """TOML has dates of its own, which become ISO texts."""
    return msgspec.json.encode(document)
