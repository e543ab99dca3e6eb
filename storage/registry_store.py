"""The city file and the registry of devices: imported as a whole, read as a snapshot."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from cases.city import City, read_city
from devices.errors import DescriptionError
from devices.groups import facility
from devices.kind import Kind, LimitChange
from devices.registry import AttributeValue, Description, Device, Registry
from devices.registry_csv import SEPARATOR
from storage.queries import load

_SQL = load("registry")
_WRITTEN_AT_ONCE, _READ_AT_ONCE = 5_000, 20_000  # devices in one statement


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
        for start in range(0, len(devices), _WRITTEN_AT_ONCE):
            connection.execute(_SQL["save_devices"], {**_columns(devices[start : start + _WRITTEN_AT_ONCE]), "at": at})
        connection.execute(_SQL["bump_revision"])


def register_groups(
    connection: Connection, registry: Registry, groupings: Iterable[tuple[str, tuple[str, ...]]], at: datetime
) -> bool:
    """Register the groups that devices of a kind form by some fields, or describe them anew; whether any changed.

    They are no news for a collector, so the registry's revision stays.
    """
    described = [
        facility(group, devices)
        for kind, by in sorted(set(groupings))
        for group, devices in registry.members(kind, by).items()
    ]
    changed = [each for each in described if not _same(each, registry.groups.get(each.device_id))]
    for start in range(0, len(changed), _WRITTEN_AT_ONCE):
        connection.execute(_SQL["save_devices"], {**_columns(changed[start : start + _WRITTEN_AT_ONCE]), "at": at})
    return bool(changed)


def _same(described: Description, known: Device | None) -> bool:
    return known is not None and all(
        getattr(known, name) == getattr(described, name) for name in Description.__struct_fields__
    )


def load_registry(connection: Connection, kinds: Mapping[str, Kind]) -> Registry:
    """The registry as of now, in one snapshot."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return Registry(kinds, _devices(connection), revision=revision(connection))


def _devices(connection: Connection) -> Iterator[Device]:
    """All devices by number.

    A million of them come in three seconds: each column of some thousand rows as one text, taken apart here. Words that
    devices have in common, and limits and attributes, are one object for all.
    """
    after = 0
    words: dict[str, str] = {}
    documents: dict[str, Mapping[str, Any]] = {}

    def document(text: str) -> Mapping[str, Any]:
        if text not in documents:
            documents[text] = msgspec.json.decode(text)
        return documents[text]

    @cache
    def changing(text: str) -> Mapping[str, tuple[LimitChange, ...]]:
        return msgspec.json.decode(text, type=dict[str, tuple[LimitChange, ...]])

    while True:
        row = connection.execute(_SQL["load_devices"], {"after": after, "limit": _READ_AT_ONCE}).fetchone()
        if row is None or row[0] is None:
            return
        cells = [column.split(SEPARATOR) for column in row]
        names, shared, (lon, lat), (limits, changes, attributes) = cells[1:3], cells[3:-5], cells[-5:-3], cells[-3:]
        yield from map(
            _device,
            map(int, cells[0]),
            *names,
            *([words.setdefault(word, word) for word in column] for column in shared),
            map(float, lon),
            map(float, lat),
            map(document, limits),
            map(changing, changes),
            map(document, attributes),
        )
        after = int(cells[0][-1])


def _device(
    number: int,
    device_id: str,
    name: str,
    kind: str,
    district: str,
    grid: str,
    road: str,
    road_class: str,
    component_class: str,
    circuit: str,
    cabinet: str,
    gateway: str,
    supervisor: str,
    owner: str,
    maintainer: str,
    lon: float,
    lat: float,
    limits: Mapping[str, float],
    limit_changes: Mapping[str, tuple[LimitChange, ...]],
    attributes: Mapping[str, AttributeValue],
) -> Device:
    """A device from the columns of ``load_devices``: plain arguments, because a million of them are made at a start."""
    return Device(
        id=number,
        device_id=device_id,
        kind=kind,
        name=name,
        district=district,
        grid=grid,
        lon=lon,
        lat=lat,
        road=road,
        road_class=road_class,
        component_class=component_class,
        circuit=circuit,
        cabinet=cabinet,
        gateway=gateway,
        supervisor=supervisor,
        owner=owner,
        maintainer=maintainer,
        limits=limits,
        limit_changes=limit_changes,
        attributes=attributes,
    )


def load_device(connection: Connection, device_id: str) -> Device | None:
    """A registered device; None if there is none of that id."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_SQL["load_device"], {"device_id": device_id}).fetchone()
    return msgspec.convert(row, Device) if row else None


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


def _columns(devices: Sequence[Description]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        name: [getattr(device, name) for device in devices] for name in Description.__struct_fields__
    }
    for name in ("limits", "limit_changes", "attributes"):
        columns[name] = [Jsonb(msgspec.to_builtins(document)) for document in columns[name]]
    return columns


def _dumps(document: Any) -> bytes:
    """TOML has dates of its own, which become ISO texts."""
    return msgspec.json.encode(document)
