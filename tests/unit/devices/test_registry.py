"""The registry: who publishes where, and what holds for whom."""

from collections.abc import Mapping

import numpy as np
import pytest

from devices.kind import AttributeType, load_kinds
from devices.registry import AttributeValue, Device, Registry, attribute_type
from devices.topics import device_topic

KINDS = load_kinds()


def device(
    number: int,
    kind: str,
    limits: Mapping[str, float] | None = None,
    attributes: Mapping[str, AttributeValue] | None = None,
    *,
    road_class: str = "",
) -> Device:
    return Device(
        id=number,
        device_id=f"d-{number}",
        kind=kind,
        name=f"Device {number}",
        district="east",
        lon=114.3,
        lat=30.6,
        road_class=road_class,
        limits=limits or {},
        attributes=attributes or {},
    )


def registry(*devices: Device) -> Registry:
    return Registry(KINDS, devices)


def test_a_device_is_found_by_every_topic_on_which_it_publishes() -> None:
    cover, lamp = device(3, "manhole"), device(7, "streetlight")
    assert registry(cover, lamp).by_topic == {
        "city/east/manhole/d-3/up": cover,
        "city/east/manhole/d-3/event": cover,
        "city/east/streetlight/d-7/up": lamp,
        "city/east/streetlight/d-7/event": lamp,
    }


def test_a_device_of_a_kind_that_is_not_installed_is_left_out() -> None:
    snapshot = registry(device(3, "manhole"), device(4, "fountain"))
    assert list(snapshot.devices) == [3]
    assert device_topic("east", "fountain", "d-4") not in snapshot.by_topic
    assert snapshot.of_kind("fountain") == []


def test_a_registry_without_devices_has_empty_answers() -> None:
    empty = registry()
    assert empty.by_topic == {}
    assert np.isnan(empty.limit_column("manhole", "tilt")).all()


def test_a_snapshot_knows_its_revision() -> None:
    assert Registry(KINDS, [], revision=7).revision == 7


def test_a_devices_own_limit_goes_before_the_kinds() -> None:
    plain, own = device(1, "manhole"), device(2, "manhole", {"tilt": 25})
    snapshot = registry(plain, own)
    assert snapshot.limit(plain, "tilt") == 15
    assert snapshot.limit(own, "tilt") == 25
    assert snapshot.limit(own, "tilt_clear") == 5


def test_a_limit_follows_the_devices_attribute_or_the_attributes_default() -> None:
    plain = device(1, "noise")
    homes = device(2, "noise", attributes={"noise_zone": "1"})
    own = device(3, "noise", {"night": 48}, {"noise_zone": "1"})
    snapshot = registry(plain, homes, own)
    assert [snapshot.limit(each, "night") for each in (plain, homes, own)] == [50, 45, 48]


def test_a_limit_or_attribute_that_the_kind_does_not_have_is_an_error() -> None:
    cover = device(1, "manhole")
    with pytest.raises(KeyError):
        registry(cover).limit(cover, "night")
    with pytest.raises(KeyError):
        registry(cover).attribute(cover, "noise_zone")


def test_a_limit_column_is_indexed_by_device_number() -> None:
    snapshot = registry(device(5, "noise", {"night": 48}), device(2, "noise"), device(3, "manhole"))
    column = snapshot.limit_column("noise", "night")
    nan = np.nan
    np.testing.assert_array_equal(column, [nan, nan, 50, nan, nan, 48])


def test_where_nothing_sets_a_limit_the_column_has_nan() -> None:
    snapshot = registry(device(1, "fume"), device(2, "fume", attributes={"local_standard": "beijing"}))
    np.testing.assert_array_equal(snapshot.limit_column("fume", "pm"), [np.nan, np.nan, 5])


def test_a_number_column_holds_attributes_and_the_kinds_defaults() -> None:
    lamp, strong = device(1, "streetlight"), device(2, "streetlight", attributes={"rated_power": 250.0})
    snapshot = registry(lamp, strong)
    np.testing.assert_array_equal(snapshot.number_column("streetlight", "rated_power"), [np.nan, 120, 250])
    np.testing.assert_array_equal(snapshot.number_column("streetlight", "pole_height"), [np.nan] * 3)


def test_a_word_column_holds_attributes_and_the_kinds_defaults() -> None:
    snapshot = registry(device(2, "noise", attributes={"noise_zone": "4a"}), device(1, "noise"), device(3, "manhole"))
    assert snapshot.word_column("noise", "noise_zone").tolist() == [None, "2", "4a", None]
    assert snapshot.word_column("manhole", "cover_type").tolist() == [None] * 4


def test_rules_may_ask_for_fields_of_the_description() -> None:
    main, unknown = device(1, "manhole", road_class="main"), device(2, "manhole")
    snapshot = registry(main, unknown)
    assert snapshot.word_column("manhole", "road_class").tolist() == [None, "main", None]
    assert snapshot.word_column("manhole", "district").tolist() == [None, "east", "east"]


def test_the_same_column_is_built_once() -> None:
    snapshot = registry(device(1, "noise"))
    assert snapshot.limit_column("noise", "night") is snapshot.limit_column("noise", "night")
    assert snapshot.word_column("noise", "noise_zone") is snapshot.word_column("noise", "noise_zone")


def test_all_attributes_come_with_the_kinds_defaults_filled_in() -> None:
    lamp = device(1, "streetlight", attributes={"pole_height": 9.0})
    assert registry(lamp).attributes(lamp) == {
        "role": "lamp",
        "position": None,
        "timetable": None,
        "rated_power": 120,
        "lamp_type": "led",
        "pole_height": 9.0,
    }


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("well_depth", AttributeType.NUMBER),
        ("cover_type", AttributeType.ENUM),
        ("district", AttributeType.TEXT),
        ("road_class", AttributeType.TEXT),
        ("noise_zone", None),
    ],
)
def test_an_attribute_has_a_type_where_the_kind_has_it(name: str, wanted: AttributeType | None) -> None:
    assert attribute_type(KINDS["manhole"], name) is wanted
