"""The indicators of restaurants, bridges and covers on small cases counted by hand, whatever keeps the roll-ups."""

import math

import pytest
from psycopg.types.json import Jsonb

from tests.fix_rolled import Store
from tests.integration.indicating import at, every, heard, one, put
from tests.integration.making import rows


def test_linkage_and_exceedance_by_district(store: Store) -> None:
    good, bad = (store.device(name, "fume") for name in ("good", "bad"))
    strict = store.device("strict", "fume", attributes=Jsonb({"local_standard": "beijing"}))
    put(store, "fume", every(good, 11, 13, fan_on=True, purifier_on=True, fume=1.5))
    put(store, "fume", every(bad, 11, 13, fan_on=True, purifier_on=True, fume=3))
    put(store, "fume", every(bad, 13, 14, fan_on=True, purifier_on=False, fume=1))
    put(store, "fume", every(bad, 14, 20, fan_on=False, purifier_on=False, fume=9))
    put(store, "fume", every(strict, 11, 12, fan_on=True, purifier_on=True, fume=1.5))
    store.settle()
    assert one(store, "SELECT restaurants, fan_minutes, linked_minutes, linkage, below FROM kpi_linkage") == (
        3, 360, 300, pytest.approx(300 / 360), 1,
    )  # fmt: skip
    assert one(store, "SELECT hours, hours_over, exceedance FROM kpi_fume_exceedance") == (6, 3, 0.5)
    query = "SELECT fan_minutes, purifier_minutes, linkage, fume_mean FROM fume_day WHERE device = %s"
    assert one(store, query, bad) == (
        180, 120, pytest.approx(2 / 3), pytest.approx(7 / 3),
    )  # fmt: skip


def test_a_bridge_is_covered_while_one_of_its_sensors_lives(store: Store) -> None:
    river = [store.device(f"river-{n}", "bridge", attributes=Jsonb({"bridge": "river"})) for n in range(2)]
    store.device("lake-0", "bridge", attributes=Jsonb({"bridge": "lake"}))
    lone = store.device("lone", "bridge")
    heard(store, 24, river[0])
    heard(store, -1, lone)  # 25 h before the latest
    assert one(store, "SELECT bridges, covered, coverage FROM kpi_bridge_coverage") == (3, 1, pytest.approx(1 / 3))


def test_overloads_are_counted_above_the_bridges_own_limit(store: Store) -> None:
    posted = store.device("posted", "bridge", limits=Jsonb({"gross_t": 20}))
    usual = store.device("usual", "bridge")
    for device in (posted, usual):
        put(
            store,
            "bridge",
            [{"device": device, "ts": at(8) + 1 + n, "gross_t": t} for n, t in enumerate((10, 30, 50, 210))],
        )
    put(store, "bridge", every(usual, 8, 9, minutes=30, strain=3.0))
    put(store, "bridge", every(usual, 8.25, 9, minutes=30, strain=-4.0))
    store.settle()
    query = "SELECT device, vehicles, overloaded, strain_rms FROM bridge_hour ORDER BY device"
    assert rows(store.connection, query) == [
        (posted, 4, 3, None), (usual, 4, 2, pytest.approx(math.sqrt(12.5))),
    ]  # fmt: skip


def test_openings_of_a_cover_are_its_events(store: Store) -> None:
    cover = store.device("cover", "manhole")
    opened = {"device": cover, "open_state": 1, "tilt": 60}
    put(store, "manhole", [{"ts": at(8), "type": 1, **opened}, {"ts": at(8.5), "type": 0, **opened}])
    put(store, "manhole", [{"device": cover, "ts": at(9), "type": 1, "open_state": 0, "tilt": 1, "water_level": 0.5}])
    store.settle()
    assert one(store, "SELECT openings, tilt_max, water_level_max, immersed FROM manhole_day") == (1, 60, 0.5, False)
