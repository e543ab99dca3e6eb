"""A city without faults gives no rule a reason to object, at any time of day or year."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.codecs.decoded import Decoded
from devices.codecs.native import NativeCodec
from devices.kind import Kind
from simulators.city import SMALLEST, PretendCity, build_city
from simulators.device import Device
from simulators.fleet import PHYSICS, Fleet
from simulators.physics import bridge, fume, weather
from simulators.physics.metrics import Metrics

Complaints = Callable[[PretendCity, Device, datetime, Metrics], list[str]]
Unbelievable = Callable[[Kind, Metrics], list[str]]
CITY = build_city(seed=1, devices=200)
MIDNIGHT = datetime(2026, 11, 20, 16, tzinfo=UTC)  # 00:00 in the city
DAY = timedelta(days=1)
TIMES = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(at=TIMES, which=st.integers(min_value=0), seed=st.integers())
def test_a_healthy_device_stays_within_every_limit(complaints: Complaints, at: datetime, which: int, seed: int) -> None:
    for kind in CITY.kinds:
        devices = CITY.of_kind(kind)
        device = devices[which % len(devices)]
        assert complaints(CITY, device, at, PHYSICS[kind](device, at, (), Random(seed))) == []


def test_a_healthy_fleet_stays_within_every_limit_for_a_whole_day(complaints: Complaints) -> None:
    city = build_city(seed=5, devices=SMALLEST)
    devices = {device.device_id: device for device in city.devices}
    found: list[str] = []
    heard: set[str] = set()
    for message in Fleet(city, [], seed=1).messages(MIDNIGHT, MIDNIGHT + DAY):
        device = devices[message.topic.split("/")[3]]
        heard.add(device.device_id)
        found += complaints(city, device, message.at, msgspec.json.decode(message.payload)["m"])
    assert found == []
    assert heard == devices.keys()


@given(at=TIMES, which=st.integers(min_value=0), seed=st.integers())
def test_a_measurement_is_one_that_the_instrument_can_deliver(
    unbelievable: Unbelievable, at: datetime, which: int, seed: int
) -> None:
    for name, kind in CITY.kinds.items():
        devices = CITY.of_kind(name)
        device = devices[which % len(devices)]
        assert unbelievable(kind, PHYSICS[name](device, at, (), Random(seed))) == []


def test_every_payload_decodes_and_holds_only_metrics_of_its_kind() -> None:
    codecs = {name: NativeCodec(kind) for name, kind in CITY.kinds.items()}
    for message in Fleet(CITY, [], seed=1).messages(MIDNIGHT, MIDNIGHT + timedelta(hours=2)):
        _, _, kind, device_id, _ = message.topic.split("/")
        [decoded] = codecs[kind].decode(message.payload, device_id)
        assert isinstance(decoded, Decoded), decoded
        assert decoded.also_sent == ()
        assert decoded.ts == round(message.at.timestamp() * 1000) * 1000


@pytest.mark.parametrize(("local", "cooking"), [(3, False), (9, False), (12, True), (15, False), (18, True)])
def test_kitchens_cook_at_meal_times(local: int, cooking: bool) -> None:  # noqa: FBT001
    at = MIDNIGHT + timedelta(hours=local)
    assert all(fume.is_cooking(kitchen, at) is cooking for kitchen in CITY.of_kind("fume"))


def test_only_kitchens_open_until_two_cook_at_midnight() -> None:
    for kitchen in CITY.of_kind("fume"):
        late = kitchen.attributes.get("business_close") == "02:00"
        assert fume.is_cooking(kitchen, MIDNIGHT) is late


def test_a_lamp_is_dimmed_late_at_night() -> None:
    lamp = CITY.of_kind("streetlight")[0]
    levels = [
        PHYSICS["streetlight"](lamp, MIDNIGHT + timedelta(hours=hour), (), Random(1))["dim_level"]
        for hour in (2, 12, 19, 23)
    ]
    assert levels == [50, 0, 100, 50]


@given(at=TIMES, minutes=st.integers(1, 3000))
def test_an_energy_meter_never_falls(at: datetime, minutes: int) -> None:
    lamp = CITY.of_kind("streetlight")[0]
    before, after = (
        float(PHYSICS["streetlight"](lamp, time, (), Random(1))["energy"])
        for time in (at, at + timedelta(minutes=minutes))
    )
    assert 0 <= before <= after


@given(at=TIMES)
def test_the_weather_changes_little_in_a_minute(at: datetime) -> None:
    later = at + timedelta(minutes=1)
    assert abs(weather.air_temperature(later) - weather.air_temperature(at)) < 0.1
    assert abs(weather.wind(later) - weather.wind(at)) < 0.2


@given(at=TIMES, seed=st.integers())
def test_vehicles_never_cross_the_scale_at_the_same_time(at: datetime, seed: int) -> None:
    assert bridge.headway(at, Random(seed)) >= timedelta(seconds=1)
