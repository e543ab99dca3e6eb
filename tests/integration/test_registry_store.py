import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from psycopg import Connection, errors

from devices.device import Description, Device
from devices.errors import DescriptionError
from devices.kind import Kind
from devices.registry import Registry
from devices.registry_csv import read_registry
from storage.registry_store import (
    NoCityError,
    import_city,
    import_devices,
    load_city,
    load_judged,
    load_registry,
    register_groups,
    revision,
)
from tests.fix_city import CITY, DEVICES, IMPORTED
from tests.integration.desk import FRIDAY, Desk
from tests.integration.making import COVER_EAST, KITCHEN, device_of, rows

Edit = Callable[[dict[str, Any]], None]


def document() -> dict[str, Any]:
    return tomllib.loads(CITY.read_text(encoding="utf-8"))


@pytest.fixture
def described(kinds: dict[str, Kind]) -> list[Description]:
    city = document()
    return read_registry(DEVICES, kinds, units=city["units"], districts=city["districts"])


def put(connection: Connection, devices: list[Description]) -> None:
    import_devices(connection, devices, "devices.csv", FRIDAY)


def as_described(device: Device) -> Description:
    fields = {name: getattr(device, name) for name in Description.__struct_fields__}
    return Description(**fields)


def test_many_devices_are_read_part_by_part(
    connection: Connection, described: list[Description], kinds: dict[str, Kind], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.registry_store._WRITTEN_AT_ONCE", 3)
    monkeypatch.setattr("storage.registry_store._READ_AT_ONCE", 2)
    import_city(connection, document(), "city.toml", IMPORTED)
    put(connection, described)
    found = load_registry(connection, kinds).devices
    assert [as_described(device) for device in found.values()] == described
    assert list(found) == sorted(found)


def test_devices_share_documents_that_are_equal(
    connection: Connection, described: list[Description], kinds: dict[str, Kind]
) -> None:
    import_city(connection, document(), "city.toml", IMPORTED)
    lamp = next(each for each in described if each.kind == "streetlight")
    lamps = [replace(lamp, device_id=f"lamp-{n}", attributes={"rated_power": 60.0}) for n in (1, 2)]
    put(connection, lamps)
    one, other = load_registry(connection, kinds).devices.values()
    assert one.attributes == {"rated_power": 60}
    assert one.attributes is other.attributes


def test_a_city_is_loaded_as_it_was_imported(connection: Connection) -> None:
    with pytest.raises(NoCityError, match=r"cityward city import <city\.toml>"):
        load_city(connection)
    city = document() | {"holidays": ["2026-11-23"], "deadlines": {"MH-01": {"fix": "1h urgent"}}}
    text = tomllib.loads('holidays = [2026-11-23]\n[deadlines.MH-01]\nfix = "1h urgent"')
    assert import_city(connection, document() | text, "city.toml", IMPORTED) == load_city(connection)
    assert import_city(connection, city, "city.toml", IMPORTED) == load_city(connection)


def broken_reference(city: dict[str, Any]) -> None:
    city["districts"]["west"]["fallback"] = "nobody"


def without_a_district(city: dict[str, Any]) -> None:
    del city["districts"]["west"]


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (broken_reference, "districts.west.fallback: the unit 'nobody' is not among [units]"),
        (without_a_district, "[districts.west] is missing, but devices stand there"),
    ],
)
def test_a_city_that_cannot_be_is_not_imported_in_part(
    connection: Connection, registry: Registry, edit: Edit, problem: str
) -> None:
    before = load_city(connection)
    changed = document()
    changed["units"]["newcomer"] = {"name": {"en": "Newcomer", "zh": "新单位"}}
    edit(changed)
    with pytest.raises(DescriptionError) as refused:
        import_city(connection, changed, "new.toml", IMPORTED)
    assert str(refused.value) == f"new.toml: {problem}"
    assert load_city(connection) == before
    assert rows(connection, "SELECT 1 FROM unit WHERE unit_id = 'newcomer'") == []
    assert revision(connection) == registry.revision


def test_a_unit_leaves_the_file_once_its_cases_are_over_and_stays_because_they_name_it(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    changed = document()
    del changed["units"]["drainage"]
    del changed["component_owners"]["0102"]
    with pytest.raises(DescriptionError) as refused:
        import_city(desk.connection, changed, "city.toml", IMPORTED)
    assert str(refused.value) == (
        "city.toml: [units.drainage] is missing, but has 1 open case: keep it until they are over or given to others "
        "(cityward cases list --unit drainage, cityward cases assign)"
    )
    desk.moves(FRIDAY).cancel(desk.only_number(), "a test")
    import_city(desk.connection, changed, "city.toml", IMPORTED)
    named = "SELECT name_zh FROM dispatch_case JOIN unit ON unit_id = unit"
    assert rows(desk.connection, named) == [("排水公司",)]


def test_the_registry_has_every_device_of_the_file_as_it_stands_there(
    registry: Registry, described: list[Description]
) -> None:
    assert [as_described(device) for device in registry.devices.values()] == described


@pytest.mark.parametrize(
    ("kind", "by"),
    [("streetlight", ("circuit",)), ("manhole", ("district", "road_class")), ("bridge", ("sensor_type",))],
)
def test_a_group_is_loaded_with_its_members_alone_as_the_whole_registry_has_them(
    connection: Connection, described: list[Description], kinds: dict[str, Kind], kind: str, by: tuple[str, ...]
) -> None:
    import_city(connection, document(), "city.toml", IMPORTED)
    odd = replace(described[0], device_id="odd", kind="manhole", road_class="main/branch")
    put(connection, [*described, odd])
    register_groups(connection, load_registry(connection, kinds), [(kind, by)], IMPORTED)
    whole = load_registry(connection, kinds)
    groups = whole.members(kind, by)
    assert groups
    for group, members in groups.items():
        alone = load_judged(connection, kinds, group, kind, by)
        assert alone
        assert {each.device_id: each for each in alone.devices.values()} == {
            each.device_id: each for each in map(whole.devices.__getitem__, members.tolist())
        }
        assert alone.members(kind, by)[group].tolist() == members.tolist()
        assert alone.groups == {group: whole.groups[group]}


def test_devices_imported_again_keep_their_numbers_and_take_on_all_else(
    connection: Connection, registry: Registry, described: list[Description], kinds: dict[str, Kind]
) -> None:
    anew = {
        each.device_id: Description(
            device_id=each.device_id, kind=each.kind, name=f"{each.name} anew", district="east", grid="420102001001009",
            lon=each.lon + 1, lat=each.lat + 1, road="New Road", road_class="square", component_class="9999",
            circuit="C9", cabinet="B9", gateway="G9", supervisor="lighting", owner="bridges", maintainer="drainage",
            limits={"tilt": 12.5}, attributes={"well_depth": 4.0, "cover_type": "old"},
        )
        for each in described
    }  # fmt: skip
    newcomer = replace(described[0], device_id="4201020102999999")
    put(connection, [newcomer, *reversed(anew.values())])
    again = load_registry(connection, kinds)
    for number, device in registry.devices.items():
        assert as_described(again.devices[number]) == anew[device.device_id]
    assert device_of(again, newcomer.device_id).id not in registry.devices
    put(connection, described)
    assert list(load_registry(connection, kinds).devices.values())[: len(described)] == [*registry.devices.values()]


def test_a_device_cannot_become_another_kind_and_nothing_is_imported(
    connection: Connection, registry: Registry, described: list[Description], kinds: dict[str, Kind]
) -> None:
    changed = [replace(each, kind="noise") if each.device_id == KITCHEN else replace(each, name="new")
               for each in described]  # fmt: skip
    with pytest.raises(DescriptionError) as refused:
        put(connection, changed)
    assert str(refused.value) == f"devices.csv: device {KITCHEN} is a fume; give the new device an id of its own"
    after = load_registry(connection, kinds)
    assert after.devices == registry.devices
    assert after.revision == registry.revision


def test_an_import_that_fails_half_way_leaves_nothing(
    connection: Connection, registry: Registry, described: list[Description]
) -> None:
    newcomer = replace(described[0], device_id="4201020102999999")
    stranger = replace(described[0], device_id="4201020102999998", district="nowhere")
    with pytest.raises(errors.ForeignKeyViolation):
        put(connection, [newcomer, stranger])
    assert rows(connection, "SELECT 1 FROM device WHERE device_id = %s", newcomer.device_id) == []
    assert revision(connection) == registry.revision


def test_every_import_gives_a_new_revision(
    connection: Connection, registry: Registry, described: list[Description], kinds: dict[str, Kind]
) -> None:
    put(connection, described)
    second = load_registry(connection, kinds).revision
    import_city(connection, document(), "city.toml", IMPORTED)
    third = revision(connection)
    assert registry.revision < second < third


def test_a_kind_that_is_no_longer_installed_takes_its_devices_out_of_the_registry(
    connection: Connection, registry: Registry, kinds: dict[str, Kind]
) -> None:
    fewer = {name: kind for name, kind in kinds.items() if name != "bridge"}
    left = load_registry(connection, fewer)
    assert len(left.devices) == len(registry.devices) - len(registry.all_of("bridge"))
