"""Where a backtest's history comes from: the city's database, or a file of readings, with devices in a file or not."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import time
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from cases.calendars import WorkCalendar
from cases.city import load_city as city_of
from cases.policy import Policy
from cityward import wiring
from cityward.backtest.judging import Asked, World
from cityward.backtest.reading_file import ReadingFile, read_file
from devices.device import Device
from devices.kind import Kind
from devices.moments import MICROS, moment
from devices.quality import Quality
from devices.readings import Readings
from devices.registry import Registry
from devices.registry_csv import read_registry
from rules.episodes import Visit
from rules.jobs import Moments
from rules.local_time import LocalTime
from rules.measures import load_measures
from rules.rule import Rule
from rules.spells import NONE, Spells
from rules.windows import blank
from storage import measures, permit_store, reading_writer
from storage.case_list import visits
from storage.connection import Connection
from storage.migrate import DEFAULT_ZONE
from storage.registry_store import load_city, load_registry


@dataclass(frozen=True, slots=True)
class History:
    """What a backtest is told.

    ``span`` is from when to when there is something, microseconds since 1970 UTC, 0 where that is not known.
    ``watched`` is how long the city keeps a case open when its alarms are over, µs. ``left_out`` is, for the report,
    what of a file is not judged.
    """

    registry: Registry
    world: World
    visits: Callable[[Asked], list[Visit]]
    watched: int
    span: tuple[int, int] = (0, 0)
    left_out: Mapping[str, Any] = field(default_factory=dict)


def stored(
    connection: Connection, kinds: Mapping[str, Kind], file: Path | None, say: Callable[[float], None]
) -> History:
    """What the database has, or what a file says of the devices in it.

    Raises:
        DescriptionError: naming what is wrong in the file.
    """
    city = load_city(connection)
    local_time = wiring.local_time(city)
    registry = load_registry(connection, kinds)

    def permits(since: int) -> Spells:
        return permit_store.spells(connection, moment(since) - permit_store.REMEMBERED)

    def concluded(asked: Asked) -> list[Visit]:
        return visits(connection, asked.since, asked.until)

    if file is None:
        ask = partial(_figures, connection, local_time)
        world = World(
            partial(reading_writer.read_back, connection), partial(_heard, connection), local_time, permits, ask
        )
        return History(registry, world, concluded, _watched(city.policy, city.calendar))
    read = read_file(file, registry, local_time.zone, say)
    world = World(partial(_cut, read), partial(_heard_of, read), local_time, permits)
    return History(registry, world, concluded, _watched(city.policy, city.calendar), read.span, _left_out(read))


def filed(
    kinds: Mapping[str, Kind], file: Path, devices: Path, city: Path | None, say: Callable[[float], None]
) -> History:
    """What files say, without any database; without a city file at the usual hours of China.

    Raises:
        DescriptionError: naming what is wrong in them.
    """
    described = city_of(city) if city else None
    local_time = wiring.local_time(described) if described else LocalTime(ZoneInfo(DEFAULT_ZONE))
    policy, calendar = (described.policy, described.calendar) if described else (Policy(), _usual(local_time.zone))
    units, districts = (described.units, described.districts) if described else (None, None)
    listed = read_registry(devices, kinds, units=units, districts=districts)
    registry = Registry(
        kinds, [Device(id=number, **msgspec.structs.asdict(each)) for number, each in enumerate(listed, start=1)]
    )
    read = read_file(file, registry, local_time.zone, say)
    world = World(partial(_cut, read), partial(_heard_of, read), local_time, lambda _since: NONE)
    return History(registry, world, lambda _asked: [], _watched(policy, calendar), read.span, _left_out(read))


def _usual(zone: ZoneInfo) -> WorkCalendar:
    return WorkCalendar(zone, ((time(8), time(12)), (time(14), time(18))))


def _watched(policy: Policy, calendar: WorkCalendar) -> int:
    return round(policy.observe.total(calendar).total_seconds() * MICROS)


def _left_out(read: ReadingFile) -> dict[str, Any]:
    return {"unknown_devices": dict(read.unknown), "doubles": read.doubles}


def _cut(
    read: ReadingFile, kind: Kind, devices: Sequence[int], since: int, until: int, _metrics: Collection[str] = ()
) -> Readings:
    if kind.name not in read.readings:
        none = np.zeros(0, dtype=np.int64)
        return blank(kind, none, none)
    table = replace(read.readings[kind.name], kind=kind)  # its limits may be those that are tried
    return table.where((table.ts >= since) & (table.ts < until) & np.isin(table.device, devices))


def _heard(connection: Connection, kind: Kind, devices: Sequence[int], before: int) -> Mapping[int, int]:
    found = reading_writer.latest(connection, kind, devices, [moment(before)] * len(devices))
    return dict(zip(found.device.tolist(), found.ts.tolist(), strict=True))


def _heard_of(read: ReadingFile, kind: Kind, devices: Sequence[int], before: int) -> Mapping[int, int]:
    found = _cut(read, kind, devices, 0, before)
    own = found.where((found.quality & int(Quality.REPEATED)) == 0)
    return dict(zip(own.device.tolist(), own.ts.tolist(), strict=True))  # the last of each stays


def _figures(
    connection: Connection, local_time: LocalTime, registry: Registry, rule: Rule, at: int
) -> Mapping[int, Mapping[str, float | None]]:
    members = registry.membership(rule.kind, rule.group)
    moments = Moments.of(local_time, at)
    return measures.ask(connection, load_measures()[rule.measure], rule.kind, members, registry, local_time, moments)
