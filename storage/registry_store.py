"""The city file and the registry of devices: imported as a whole, read as a snapshot."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from cases.city import City, read_city
from devices.columns import Columns, Common, Texts
from devices.device import Description, Device
from devices.errors import DescriptionError, Permanent
from devices.groups import facility
from devices.kind import Kind, LimitChange
from devices.registry import GROUP_FIELDS, GROUP_KIND, Registry
from devices.registry_csv import SEPARATOR, WITHIN
from devices.shapes import convert
from storage.queries import load

_SQL = load("registry")
_NOWHERE = np.zeros(0)
_ALL: Mapping[str, str] = MappingProxyType({})
_WRITTEN_AT_ONCE, _READ_AT_ONCE = 5_000, 20_000  # devices in one statement


class NoCityError(Permanent):
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
        problems = [f"[districts.{district}] is missing, but devices stand there" for (district,) in missing]
        busy = connection.execute(_SQL["units_with_open_cases"], {"units": list(city.units)}).fetchall()
        problems += [
            f"[units.{unit}] is missing, but has {cases} open case{'s' * (cases > 1)}: keep it until they are over or "
            f"given to others (cityward cases list --unit {unit}, cityward cases assign)"
            for unit, cases in busy
        ]
        if problems:
            raise DescriptionError(source, problems)
        connection.execute(_SQL["save_city"], {"document": Jsonb(document, dumps=_dumps), "at": at})
        for unit_id, unit in city.units.items():
            names = {"name_en": unit.name["en"], "name_zh": unit.name["zh"]}
            connection.execute(_SQL["save_unit"], {"unit_id": unit_id, "webhook": unit.webhook, **names})
        for district_id, district in city.districts.items():
            names = {"name_en": district.name["en"], "name_zh": district.name["zh"]}
            connection.execute(_SQL["save_district"], {"district_id": district_id, **names})
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


def import_devices(
    connection: Connection,
    devices: Sequence[Description],
    source: str,
    at: datetime,
    told: Callable[[int], None] = lambda _written: None,
) -> None:
    """Register devices, all of them or none; one already known keeps its number and its history.

    Args:
        connection: To the database.
        devices: What is known of them.
        source: Where that stands, for error messages.
        at: Now, aware.
        told: How many have been written, again and again.

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
            told(start)
            connection.execute(_SQL["save_devices"], {**_columns(devices[start : start + _WRITTEN_AT_ONCE]), "at": at})
        connection.execute(_SQL["bump_revision"])


def register_groups(
    connection: Connection, registry: Registry, groupings: Iterable[tuple[str, tuple[str, ...]]], at: datetime
) -> Registry:
    """The registry with the groups that devices of a kind form by some fields; new ones and changed ones are written.

    They are no news for a collector, so the registry's revision stays.
    """
    described = [
        facility(group, registry, members)
        for kind, by in sorted(set(groupings))
        for group, members in registry.members(kind, by).items()
    ]
    changed = [each for each in described if not _same(each, registry.groups.get(each.device_id))]
    for start in range(0, len(changed), _WRITTEN_AT_ONCE):
        connection.execute(_SQL["save_devices"], {**_columns(changed[start : start + _WRITTEN_AT_ONCE]), "at": at})
    if not changed:
        return registry
    return registry.with_groups(Registry(registry.kinds, _devices(connection, {"kind": GROUP_KIND})).groups.values())


def _same(described: Description, known: Device | None) -> bool:
    return known is not None and all(
        getattr(known, name) == getattr(described, name) for name in Description.__struct_fields__
    )


def load_registry(connection: Connection, kinds: Mapping[str, Kind]) -> Registry:
    """The registry as of now, in one snapshot."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return Registry(kinds, _devices(connection), revision=revision(connection))


def load_judged(
    connection: Connection, kinds: Mapping[str, Kind], facility: str, kind: str, by: tuple[str, ...]
) -> Registry | None:
    """What rules of a kind, grouped by these fields or not, judge at a facility; None if it is not registered.

    The device alone, or the group with its members, each as ``load_registry`` has it.
    """
    named = Registry(kinds, _devices(connection, {"device_id": facility}))
    if not by or not named.groups:
        return named if named.devices else None
    words = facility.removeprefix(f"{'/'.join(by)}:").removesuffix(f":{kind}")
    names = [words] if len(by) == 1 else words.split("/")  # of several, one may have a stroke itself
    wanted = dict(zip(by, names, strict=True)) if len(names) == len(by) else {}
    near = Registry(kinds, _devices(connection, {**wanted, "kind": kind}), groups=named.groups.values())
    members = near.membership(kind, by).device.tolist()
    return Registry(kinds, [near.devices[number] for number in members], groups=named.groups.values())


def _devices(connection: Connection, wanted: Mapping[str, str] = _ALL) -> Columns:
    """All devices by number, or those with the wanted words in their fields.

    Each column of some thousand rows comes as one text, taken apart here while the server gathers the next. What
    devices have in common is taken apart once, and is one object for all of them.
    """

    @cache
    def document(text: str) -> Mapping[str, Any]:
        return msgspec.json.decode(text, type=dict[str, Any])

    @cache
    def changing(text: str) -> Mapping[str, tuple[LimitChange, ...]]:
        return convert(msgspec.json.decode(text), dict[str, tuple[LimitChange, ...]])

    def common(text: str) -> Common:
        *words, limits, changes, attributes = text.split(WITHIN)
        fields: list[Any] = [*map(sys.intern, words), document(limits), changing(changes), document(attributes)]
        return Common(*fields)

    known: dict[str, int] = {}
    numbers, lons, lats, codes = [np.zeros(0, dtype=np.int64)], [_NOWHERE], [_NOWHERE], [np.zeros(0, dtype=np.int32)]
    ids, names = [], []
    for number, device_id, name, lon, lat, shared in _columns_of_many(connection, wanted):
        numbers.append(np.fromstring(number, sep=",", dtype=np.int64))
        lons.append(np.fromstring(lon, sep=","))
        lats.append(np.fromstring(lat, sep=","))
        ids.append(Texts.of(device_id.split(SEPARATOR)))
        names.append(Texts.of(name.split(SEPARATOR)))
        of_part = [known.setdefault(text, len(known)) for text in shared.split(SEPARATOR)]
        codes.append(np.array(of_part, dtype=np.int32))
    return Columns(
        number=np.concatenate(numbers),
        device_id=Texts.joined(ids),
        name=Texts.joined(names),
        lon=np.concatenate(lons),
        lat=np.concatenate(lats),
        common=np.concatenate(codes),
        commons=[common(text) for text in known],
    )


def _columns_of_many(connection: Connection, wanted: Mapping[str, str]) -> Iterator[Sequence[str]]:
    """What ``load_devices`` finds, part by part; the next part is on its way while one is used."""
    words = {name: wanted.get(name) for name in ("device_id", "kind", *GROUP_FIELDS)}

    def fetch(after: int) -> Sequence[str] | None:
        parameters = {**words, "after": after, "limit": _READ_AT_ONCE}
        # Planned for what is wanted, which a statement prepared once would not be.
        row = connection.execute(_SQL["load_devices"], parameters, prepare=False).fetchone()
        return row if row and row[0] is not None else None

    with ThreadPoolExecutor(1, thread_name_prefix="registry") as ahead:
        part = fetch(0)
        while part:
            following = ahead.submit(fetch, int(part[0].rpartition(",")[2]))
            yield part
            part = following.result()


def load_device(connection: Connection, device_id: str) -> Device | None:
    """A registered device; None if there is none of that id."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_SQL["load_device"], {"device_id": device_id}).fetchone()
    return convert(row, Device) if row else None


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
