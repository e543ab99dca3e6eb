"""The past of a pretend city, straight into the tables, is what a collector would have stored of its messages."""

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import pytest
from psycopg import Connection, sql

from cityward.backfilling import Backfilled, backfill
from cityward.simulate import write_city
from devices.errors import DescriptionError
from devices.kind import Kind
from devices.registry import Registry
from devices.registry_csv import read_registry
from simulators.city import SMALLEST, PretendCity, build_city
from simulators.faults import MINUTE
from simulators.fleet import Fleet
from simulators.scenario import load_scenario
from simulators.story import Story
from simulators.telling import tell
from storage.connection import connect
from storage.reading_tables import table_name
from storage.registry_store import import_city, import_devices, load_registry
from tests.fix_postgres import new_database
from tests.integration.collecting import collect

pytestmark = pytest.mark.each_server

EVENING = datetime(2026, 11, 20, 14, tzinfo=UTC)  # 22:00 in the city
LASTING = timedelta(hours=2)
UNTIDY = {"loss": 0.02, "duplicates": 0.05, "garbage": 0.02, "gateway_repeats": 0.01, "reboots_a_day": 0.9}


@pytest.fixture
def city(kinds: dict[str, Kind]) -> PretendCity:
    return build_city(3, SMALLEST, kinds)


@pytest.fixture
def fleet(city: PretendCity) -> Fleet:
    """An evening in which everything happens, on a line that is not perfect."""
    demo = tell(load_scenario("demo", tuple(city.kinds)), city, EVENING, 3)
    return Fleet(city, Story(demo.faults, lines={"all": UNTIDY}), 3)


@pytest.fixture
def registered(connection: Connection, city: PretendCity, kinds: dict[str, Kind], tmp_path: Path) -> Registry:
    return register(connection, city, kinds, tmp_path)


@pytest.fixture
def other_dsn(server: str, template: str) -> Iterator[str]:
    with new_database(server, "other", template=template) as dsn:
        yield dsn


def register(connection: Connection, city: PretendCity, kinds: dict[str, Kind], folder: Path) -> Registry:
    city_file, devices = write_city(city, folder)
    imported = import_city(connection, tomllib.loads(city_file.read_text(encoding="utf-8")), "city.toml", EVENING)
    read = read_registry(devices, kinds, units=imported.units, districts=imported.districts)
    import_devices(connection, read, "devices.csv", EVENING)
    return load_registry(connection, kinds)


def stored(connection: Connection, kind: Kind) -> list[tuple[object, ...]]:
    """All rows of a kind, but for the time of their arrival, by the devices' own names."""
    metrics = sql.SQL(", ").join(sql.Identifier("reading", metric.name) for metric in kind.metrics)
    query = sql.SQL(
        "SELECT device.device_id, reading.ts, seq, type, quality, {} FROM {} AS reading"
        " JOIN device ON device.id = reading.device ORDER BY 1, 2"
    ).format(metrics, sql.Identifier(table_name(kind)))
    return connection.execute(query).fetchall()


def into(connection: Connection, registry: Registry, fleet: Fleet) -> Backfilled:
    slices = fleet.reports(EVENING, EVENING + LASTING)
    return backfill(connection, registry, slices, stopping=lambda: False, report=lambda _: None)


def test_the_same_rows_come_by_message_and_by_backfill(
    connection: Connection,
    registered: Registry,
    dsn: str,
    other_dsn: str,
    fleet: Fleet,
    city: PretendCity,
    kinds: dict[str, Kind],
    tmp_path: Path,
) -> None:
    batches = [
        (datetime.fromtimestamp((span + 1) * 600, UTC), [(each.topic, each.payload) for each in sent])
        for span, sent in groupby(fleet.messages(EVENING, EVENING + LASTING), key=lambda one: one.at // (10 * MINUTE))
    ]
    collect(connection, dsn, kinds, *batches)
    again = Fleet(city, fleet.story, 3)
    with connect(other_dsn, name="cityward test") as other:
        done = into(other, register(other, city, kinds, tmp_path / "again"), again)
        assert done.stored > 3000
        assert (done.already_there, done.refused) == (0, 0)
        for kind in kinds.values():
            assert stored(other, kind) == stored(connection, kind)
            assert stored(other, kind)
    assert registered.revision > 0


def test_a_past_that_is_there_already_is_not_stored_twice(
    connection: Connection, registered: Registry, city: PretendCity
) -> None:
    first = into(connection, registered, Fleet(city, Story(), 1))
    second = into(connection, registered, Fleet(city, Story(), 1))
    assert (second.stored, second.already_there) == (0, first.stored)


def test_a_city_that_is_not_registered_is_named(connection: Connection, registered: Registry) -> None:
    larger = build_city(3, SMALLEST + 50)
    with pytest.raises(DescriptionError, match="is not registered: cityward simulate --write DIR"):
        into(connection, registered, Fleet(larger, Story(), 1))
