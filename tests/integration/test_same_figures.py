"""A small city's two days give the same indicators on PostgreSQL and on TimescaleDB, of either edition."""

import random
from typing import Any

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from devices.kind import Kind
from devices.quality import Quality
from storage.capability import Capability
from storage.connection import connect
from storage.measured import measured
from storage.migrate import city_grid
from storage.rollups import build
from storage.view_making import drop_views, make_views
from storage.views import load_views
from tests.fix_rolled import Store, on_timescale
from tests.integration.indicating import MIDNIGHT, every, heard, put
from tests.integration.making import rows
from tests.integration.test_indicators_of_work import alarm, case

Figures = dict[str, list[tuple[list[Any], list[float]]]]
INDICATORS = [view.name for view in load_views() if view.name.startswith(("kpi_", "noise_", "rollup_"))]


def seed(store: Store) -> None:
    """Two districts with devices of every kind; what came late and what is doubtful among their readings."""
    store.connection.execute("ALTER TABLE device ALTER id RESTART")  # the same numbers wherever they are registered
    chance = random.Random(11)
    fresh: list[tuple[str, dict[str, Any]]] = []
    late: list[tuple[str, dict[str, Any]]] = []
    for number in range(2):
        place: dict[str, Any] = {"district": "de"[number], "road": f"Road {number}"}
        lamp = store.device(f"lamp-{number}", "streetlight", **place, attributes=Jsonb({"rated_power": 60}))
        meter = store.device(f"meter-{number}", "noise", **place, attributes=Jsonb({"noise_zone": "2"}))
        kitchen = store.device(f"kitchen-{number}", "fume", **place, limits=Jsonb({"fume": 1.7}) if number else "{}")
        cover = store.device(f"cover-{number}", "manhole", **place)
        bridge = store.device(f"bridge-{number}", "bridge", **place)
        for kind, batch in {
            "streetlight": every(lamp, 0, 44, minutes=15),
            "noise": every(meter, 0, 44, minutes=1),
            "fume": every(kitchen, 10, 14, minutes=1),
            "manhole": every(cover, 8, 40, minutes=720),
            "bridge": every(bridge, 8, 9, minutes=10),
        }.items():
            for position, row in enumerate(batch):
                doubt = chance.choice([0] * 9 + [Quality.FROZEN])
                whole = {**row, **_measured(kind, position, chance), "quality": doubt}
                (late if chance.random() < 0.2 else fresh).append((kind, whole))
        heard(store, 44, lamp, meter, kitchen, cover, bridge)
        alarm(store, meter, [1, 1.1, 1.2, 30], severity=2 + number)
        case(store, lamp, 10 + number, opened=3, fix=20, done_at=10.0, closed_at=18.0, state="closed")
        case(store, cover, 20 + number, opened=3, fix=20, problem="cover_open")
    store.connection.execute("INSERT INTO ledger VALUES (%s, 'all', 10, 7, 2, 1)", [MIDNIGHT])
    for part in (fresh, late):
        for name in store.kinds:
            put(store, name, [row for of, row in part if of == name])
        store.settle()


def _measured(kind: str, position: int, chance: random.Random) -> dict[str, Any]:
    match kind:
        case "streetlight":
            return {"active_power": chance.choice((2.0, 58.0)), "energy": 10 + position / 8}
        case "noise":
            return {"laeq": round(chance.uniform(40, 64), 1)}
        case "fume":
            return {"fume": round(chance.uniform(1, 3), 2), "fan_on": True, "purifier_on": chance.random() < 0.8}
        case "manhole":
            return {"tilt": 3.0}
        case _:
            return {"strain": 4.5, "gross_t": round(20 + 40 * chance.random(), 1)}


def figures(connection: Connection) -> Figures:
    """All rows of every indicator: what is exact, and what the order of adding may change in its last digit."""
    return {
        name: sorted(map(_apart, rows(connection, f"SELECT * FROM {name}")), key=repr)  # noqa: S608 - our own names
        for name in INDICATORS
    }


def _apart(row: tuple[Any, ...]) -> tuple[list[Any], list[float]]:
    return [value for value in row if not isinstance(value, float)], [v for v in row if isinstance(v, float)]


@on_timescale
def test_the_same_readings_give_the_same_indicators_whatever_keeps_them(
    store: Store, dsn: str, kinds: dict[str, Kind]
) -> None:
    with connect(dsn) as connection:
        seed(Store("plain", dsn, connection, kinds, Capability.PLAIN))
        expected = figures(connection)
    assert {name for name, found in expected.items() if not found} == set()
    seed(store)
    same(figures(store.connection), expected)
    with store.connection.transaction(force_rollback=True):  # as the Apache edition has them: chunks, and views
        drop_views(store.connection)
        grid = city_grid(store.connection)
        views, _ = build(store.connection, kinds.values(), Capability.APACHE, grid, lambda: None)
        make_views(store.connection, [*views, *load_views(), *measured(kinds.values())], settled=False)
        same(figures(store.connection), expected)


def same(found: Figures, expected: Figures) -> None:
    for name, each in expected.items():
        assert [exact for exact, _ in found[name]] == [exact for exact, _ in each], name
        for (_, numbers), (_, wanted) in zip(found[name], each, strict=True):
            assert numbers == pytest.approx(wanted), name
