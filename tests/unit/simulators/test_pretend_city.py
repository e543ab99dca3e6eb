"""The pretend city is one that could be, and the same for the same seed."""

import tomllib
from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from devices.registry_csv import read_registry
from devices.topics import is_level
from simulators.city import CITY_FILE, SMALLEST, build_city, write_registry
from simulators.physics.daytime import LOCAL

CITY = build_city(seed=1)
FILE = tomllib.loads(CITY_FILE.read_text(encoding="utf-8"))
KINDS = {"manhole", "fume", "noise", "streetlight", "bridge"}
OWNERLESS = "0114"


def test_a_seed_gives_the_same_city_every_time() -> None:
    assert build_city(seed=1).devices == CITY.devices


def test_another_seed_gives_another_city() -> None:
    assert build_city(seed=2).devices != CITY.devices


@pytest.mark.parametrize("devices", [SMALLEST, 333, 520, 2000])
def test_a_city_has_as_many_devices_as_asked_for(devices: int) -> None:
    assert len(build_city(seed=3, devices=devices).devices) == devices


def test_a_city_too_small_for_every_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 100"):
        build_city(seed=1, devices=SMALLEST - 1)


@pytest.mark.parametrize("devices", [SMALLEST, 520])
def test_every_district_has_every_kind(devices: int) -> None:
    found = {(device.district, device.kind) for device in build_city(seed=1, devices=devices).devices}
    assert found == {(district, kind) for district in FILE["districts"] for kind in KINDS}


def test_no_two_devices_share_an_id_or_a_place() -> None:
    assert max(Counter(device.device_id for device in CITY.devices).values()) == 1
    alone = [device for device in CITY.devices if device.kind != "bridge"]  # sensors of a bridge stand together
    assert max(Counter((device.lon, device.lat) for device in alone).values()) == 1


def test_ids_are_component_codes_except_for_the_sensors_of_a_bridge() -> None:
    for device in CITY.devices:
        code = str(device.attributes.get("bridge", device.device_id))
        assert len(code) == 16
        assert code.isdecimal()
        assert code[6:10] == device.component_class
        assert device.grid.startswith(code[:6])
        assert is_level(device.device_id)


def test_a_component_class_belongs_to_its_kind() -> None:
    for device in CITY.devices:
        assert device.component_class in CITY.kinds[device.kind].component_classes


def test_every_class_of_a_kind_has_an_owner_but_the_covers_that_are_nobodys() -> None:
    classes = {code for kind in CITY.kinds.values() for code in kind.component_classes}
    assert classes - FILE["component_owners"].keys() == {OWNERLESS}


def test_every_unit_that_is_named_exists() -> None:
    named = {unit for device in CITY.devices for unit in (device.supervisor, device.owner, device.maintainer)}
    named |= {*FILE["component_owners"].values()}
    named |= {district["fallback"] for district in FILE["districts"].values()}
    assert named - {""} <= FILE["units"].keys()


def test_nobody_owns_a_cover_of_nobody() -> None:
    ownerless = [device for device in CITY.devices if device.component_class == OWNERLESS]
    assert {device.district for device in ownerless} == FILE["districts"].keys()
    assert not any(device.owner or device.maintainer for device in ownerless)


@pytest.mark.parametrize("role", ["owner", "maintainer"])
def test_some_devices_have_an_owner_or_maintainer_and_some_do_not(role: str) -> None:
    known = [bool(getattr(device, role)) for device in CITY.devices]
    assert 0.1 < sum(known) / len(known) < 0.9


def test_a_lamp_hangs_on_a_circuit_of_its_own_road() -> None:
    circuits: dict[str, set[str]] = {}
    for lamp in CITY.of_kind("streetlight"):
        assert lamp.circuit
        assert lamp.cabinet
        assert lamp.gateway
        circuits.setdefault(lamp.circuit, set()).add(lamp.road)
    assert all(len(roads) == 1 for roads in circuits.values())


def test_one_bridge_has_sensors_of_every_important_sort() -> None:
    sensors: dict[object, set[object]] = {}
    for device in CITY.of_kind("bridge"):
        sensors.setdefault(device.attributes["bridge"], set()).add(device.attributes["sensor_type"])
    assert any(found >= {"strain", "tilt", "deflection", "wind", "wim", "crack"} for found in sensors.values())


def test_the_registry_reads_back_as_the_city(tmp_path: Path) -> None:
    path = tmp_path / "registry.csv"
    write_registry(CITY, path)
    read = read_registry(path, CITY.kinds, units=FILE["units"], districts=FILE["districts"])
    assert [device.device_id for device in read] == [device.device_id for device in CITY.devices]
    for before, after in zip(CITY.devices, read, strict=True):
        for field in (
            "kind",
            "name",
            "district",
            "grid",
            "lon",
            "lat",
            "road",
            "road_class",
            "circuit",
            "owner",
        ):
            assert getattr(after, field) == getattr(before, field)
        assert after.limits == before.limits
        assert after.attributes == before.attributes


def test_the_physics_live_in_the_citys_time_zone() -> None:
    assert ZoneInfo(FILE["timezone"]) == LOCAL
