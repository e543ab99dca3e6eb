"""The registry: who publishes where, and what holds for whom."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pytest

from devices.columns import AttributeValue
from devices.device import Device
from devices.kind import AttributeType, LimitChange, LimitStep, load_kinds
from devices.readings import Ints
from devices.registry import Registry, attribute_type
from devices.topics import parse

KINDS = load_kinds()
TODAY = date(2026, 11, 21)


def today() -> Ints:
    return np.array([(TODAY - date(1970, 1, 1)).days])


def device(
    number: int,
    kind: str,
    limits: Mapping[str, float] | None = None,
    attributes: Mapping[str, AttributeValue] | None = None,
    *,
    road_class: str = "",
    changes: Mapping[str, tuple[LimitChange, ...]] | None = None,
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
        limit_changes=changes or {},
        attributes=attributes or {},
    )


def registry(*devices: Device) -> Registry:
    return Registry(KINDS, devices)


def publisher(snapshot: Registry, topic: str) -> Device | None:
    parsed = parse(topic)
    assert parsed
    return snapshot.publisher(parsed)


def test_a_device_is_found_by_every_topic_on_which_it_publishes() -> None:
    cover, lamp = device(3, "manhole"), device(7, "streetlight")
    snapshot = registry(cover, lamp)
    assert publisher(snapshot, "city/east/manhole/d-3/up") == cover
    assert publisher(snapshot, "city/east/manhole/d-3/event") == cover
    assert publisher(snapshot, "city/east/streetlight/d-7/up") == lamp
    assert publisher(snapshot, "city/east/streetlight/d-7/up/hj212") == lamp
    assert snapshot.named("d-7") == lamp
    assert snapshot.named("d-8") is None


@pytest.mark.parametrize("topic", ["west/manhole/d-3", "east/noise/d-3", "east/manhole/d-4"])
def test_nobody_publishes_where_no_device_is_registered(topic: str) -> None:
    snapshot = registry(device(3, "manhole"))
    assert publisher(snapshot, f"city/{topic}/up") is None
    assert snapshot.by_topic == {}


def test_a_topic_that_has_been_heard_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.registry._MOST_TOPICS", 2)
    snapshot = registry(device(1, "manhole"), device(2, "manhole"))
    for number, channel in ((1, "up"), (1, "event"), (1, "up/hj212")):
        publisher(snapshot, f"city/east/manhole/d-{number}/{channel}")
    assert list(snapshot.by_topic) == ["city/east/manhole/d-1/up", "city/east/manhole/d-1/event"]
    publisher(snapshot, "city/east/manhole/d-2/up")
    assert list(snapshot.by_topic) == ["city/east/manhole/d-2/up"], "the memory is bounded"


def test_a_device_of_a_kind_that_is_not_installed_is_left_out() -> None:
    snapshot = registry(device(3, "manhole"), device(4, "fountain"))
    assert list(snapshot.devices) == [3]
    assert publisher(snapshot, "city/east/fountain/d-4/up") is None
    assert snapshot.all_of("fountain").tolist() == []


def test_a_registry_without_devices_has_empty_answers() -> None:
    empty = registry()
    assert publisher(empty, "city/east/manhole/d-3/up") is None
    assert len(empty.limits_of("manhole", "tilt", np.array([], dtype=np.int64), today)) == 0


def test_a_snapshot_knows_its_revision() -> None:
    assert Registry(KINDS, [], revision=7).revision == 7


def test_a_devices_own_limit_goes_before_the_kinds() -> None:
    plain, own = device(1, "manhole"), device(2, "manhole", {"tilt": 25})
    snapshot = registry(plain, own)
    assert snapshot.limit(plain, "tilt", TODAY).value == 15
    assert snapshot.limit(own, "tilt", TODAY).value == 25
    assert snapshot.limit(own, "tilt_clear", TODAY).value == 5


def test_a_limit_follows_the_devices_attribute_or_the_attributes_default() -> None:
    plain = device(1, "noise")
    homes = device(2, "noise", attributes={"noise_zone": "1"})
    own = device(3, "noise", {"night": 48}, {"noise_zone": "1"})
    snapshot = registry(plain, homes, own)
    assert [snapshot.limit(each, "night", TODAY).value for each in (plain, homes, own)] == [50, 45, 48]


def test_a_limit_or_attribute_that_the_kind_does_not_have_is_an_error() -> None:
    cover = device(1, "manhole")
    with pytest.raises(KeyError):
        registry(cover).limit(cover, "night", TODAY)
    with pytest.raises(KeyError):
        registry(cover).attribute(cover, "noise_zone")


def test_limits_are_found_by_device_number() -> None:
    snapshot = registry(device(5, "noise", {"night": 48}), device(2, "noise"), device(3, "manhole"))
    np.testing.assert_array_equal(snapshot.limits_of("noise", "night", np.array([2, 5, 2]), today), [50, 48, 50])
    np.testing.assert_array_equal(snapshot.limits_of("noise", "night", np.array([0, 3]), today), [np.nan, np.nan])


def test_where_nothing_sets_a_limit_it_is_nan() -> None:
    snapshot = registry(device(1, "fume"), device(2, "fume", attributes={"local_standard": "beijing"}))
    np.testing.assert_array_equal(snapshot.limits_of("fume", "pm", np.array([1, 2]), today), [np.nan, 5])


CHANGES = (
    LimitChange(date(2026, 7, 1), 45, standard_ref="GB 12523-2025"),
    LimitChange(date(2027, 1, 1), 40),
)


def test_a_limit_is_the_one_in_force_on_the_local_day() -> None:
    meter = device(1, "noise", {"night": 48}, changes={"night": CHANGES})
    snapshot = registry(meter, device(2, "noise"))
    days = [date(2026, 6, 30), date(2026, 7, 1), date(2026, 12, 31), date(2027, 1, 1)]
    assert [snapshot.limit(meter, "night", day).value for day in days] == [48, 45, 45, 40]
    assert snapshot.limit(meter, "night", date(2026, 8, 1)) == LimitStep(45, date(2026, 7, 1), "GB 12523-2025")
    ordinals = np.array([(day - date(1970, 1, 1)).days for day in days])
    ones = np.ones(4, dtype=np.int64)
    assert snapshot.limits_of("noise", "night", ones, lambda: ordinals).tolist() == [48, 45, 45, 40]
    assert snapshot.limits_of("noise", "night", 2 * ones, lambda: ordinals).tolist() == [50, 50, 50, 50]


def test_a_device_whose_limit_only_changes_has_the_kinds_until_then() -> None:
    meter = device(1, "noise", changes={"night": CHANGES[1:]})
    assert [registry(meter).limit(meter, "night", date(year, 6, 1)).value for year in (2026, 2027)] == [50, 40]


def test_before_its_standard_came_into_force_there_was_no_limit() -> None:
    kitchen = device(1, "fume", attributes={"local_standard": "beijing"})
    snapshot = registry(kitchen)
    assert [snapshot.limit(kitchen, "pm", date(year, 6, 1)).value for year in (2018, 2019)] == [None, 5]


def test_numbers_are_attributes_and_the_kinds_defaults() -> None:
    lamp, strong = device(1, "streetlight"), device(2, "streetlight", attributes={"rated_power": 250.0})
    snapshot, both = registry(lamp, strong), np.array([1, 2])
    np.testing.assert_array_equal(snapshot.numbers_of("streetlight", "rated_power", both), [120, 250])
    np.testing.assert_array_equal(snapshot.numbers_of("streetlight", "pole_height", both), [np.nan] * 2)


def test_words_are_attributes_and_the_kinds_defaults() -> None:
    snapshot = registry(device(2, "noise", attributes={"noise_zone": "4a"}), device(1, "noise"), device(3, "manhole"))
    assert snapshot.words_of("noise", "noise_zone", np.array([1, 2])).tolist() == ["2", "4a"]
    assert snapshot.words_of("manhole", "cover_type", np.array([3])).tolist() == [None]


def test_rules_may_ask_for_fields_of_the_description() -> None:
    main, unknown = device(1, "manhole", road_class="main"), device(2, "manhole")
    snapshot, both = registry(main, unknown), np.array([1, 2])
    assert snapshot.words_of("manhole", "road_class", both).tolist() == ["main", None]
    assert snapshot.words_of("manhole", "district", both).tolist() == ["east", "east"]


def test_devices_that_share_their_documents_are_told_apart_by_what_differs() -> None:
    shared: dict[str, float] = {"tilt": 20}
    rows = [device(n, "manhole", shared, road_class=road) for n, road in enumerate(["main", "lane", "main"], start=1)]
    snapshot, everyone = registry(*rows), np.array([1, 2, 3])
    assert snapshot.words_of("manhole", "road_class", everyone).tolist() == ["main", "lane", "main"]
    assert snapshot.limits_of("manhole", "tilt", everyone, today).tolist() == [20, 20, 20]


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
