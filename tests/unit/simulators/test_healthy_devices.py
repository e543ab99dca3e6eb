"""A city without faults gives no rule a reason to object, at any time of day or year."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest

from devices.codecs.decoded import Decoded
from devices.codecs.native import NativeCodec
from devices.kind import Kind
from devices.moments import MICROS
from devices.readings import Ints
from simulators.chance import HOUR, Chance, keys_of
from simulators.city import SMALLEST, PretendCity, build_city
from simulators.device import Device
from simulators.fleet import Fleet
from simulators.physics.daytime import LOCAL
from simulators.physics.traffic import Traffic
from simulators.story import Story

Metrics = dict[str, Any]
Complaints = Callable[[PretendCity, Device, datetime, Metrics], list[str]]
Unbelievable = Callable[[Kind, Metrics], list[str]]
CITY = build_city(seed=1, devices=200)
MIDNIGHT = datetime(2026, 11, 20, 16, tzinfo=UTC)  # 00:00 in the city
DAY = timedelta(days=1)


def told(city: PretendCity, since: datetime, lasting: timedelta) -> Iterator[tuple[Device, datetime, Metrics]]:
    for message in Fleet(city, Story(), seed=1).messages(since, since + lasting):
        device = city.by_id[message.topic.split("/")[3]]
        yield device, datetime.fromtimestamp(message.at / MICROS, UTC), msgspec.json.decode(message.payload)["m"]


def times(local_hour: float) -> Ints:
    """That time of day on each of a hundred days."""
    first = round(MIDNIGHT.timestamp()) * MICROS
    return first + np.arange(100) * 24 * HOUR + round(local_hour * HOUR)


@pytest.mark.parametrize("turn", range(12))
def test_a_healthy_fleet_stays_within_every_limit_at_any_time_of_the_year(
    complaints: Complaints, unbelievable: Unbelievable, turn: int
) -> None:
    random = Random(turn)
    since = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=30.4 * turn + 30 * random.random())
    found: list[str] = []
    for device, at, metrics in told(CITY, since, timedelta(minutes=40)):
        found += complaints(CITY, device, at, metrics) + unbelievable(CITY.kinds[device.kind], metrics)
    assert found == []


def test_a_healthy_fleet_stays_within_every_limit_for_a_whole_day(complaints: Complaints) -> None:
    city = build_city(seed=5, devices=SMALLEST)
    found: list[str] = []
    heard: set[str] = set()
    for device, at, metrics in told(city, MIDNIGHT, DAY):
        heard.add(device.device_id)
        found += complaints(city, device, at, metrics)
    assert found == []
    assert len(heard) > 0.9 * SMALLEST  # some covers have just sent their daily heartbeat


def test_ten_minutes_of_a_healthy_kitchen_stay_well_below_the_limit() -> None:
    windows: dict[tuple[str, int], list[float]] = defaultdict(list)
    kitchens = PretendCity(tuple(CITY.of_kind("fume")), CITY.kinds)
    for device, at, metrics in told(kitchens, MIDNIGHT + timedelta(hours=10), timedelta(hours=11)):
        if metrics["fan_on"]:
            windows[device.device_id, round(at.timestamp()) // 600].append(metrics["fume"])
    means = [float(np.mean(window)) for window in windows.values() if len(window) == 10]
    assert max(means) < 1.8
    assert any(max(window) > 2.0 for window in windows.values())


def test_fifteen_minutes_of_a_healthy_street_stay_below_the_limit_of_its_zone() -> None:
    meters = CITY.of_kind("noise")
    at = np.tile(round(MIDNIGHT.timestamp()) * MICROS + np.arange(1, 1441) * 60 * MICROS, len(meters))
    laeq = Fleet(CITY, Story(), seed=1).measure("noise", np.repeat(np.arange(len(meters)), 1440), at)["laeq"]
    quarters = 10 * np.log10((10 ** (laeq / 10)).reshape(len(meters), 96, 15).mean(axis=2))
    hour = np.arange(96) / 4
    for meter, levels in zip(meters, quarters, strict=True):
        limits = CITY.kinds["noise"].limits
        day, night = (limits[name].resolve(meter.attributes) or 0 for name in ("day", "night"))
        assert (levels < np.where((hour < 6) | (hour >= 22), night, day) - 1).all()


def test_every_payload_decodes_and_holds_only_metrics_of_its_kind() -> None:
    codecs = {name: NativeCodec(kind) for name, kind in CITY.kinds.items()}
    for message in Fleet(CITY, Story(), seed=1).messages(MIDNIGHT, MIDNIGHT + timedelta(hours=2)):
        _, _, kind, device_id, _ = message.topic.split("/")
        [decoded] = codecs[kind].decode(message.payload, device_id)
        assert isinstance(decoded, Decoded), decoded
        assert decoded.also_sent == ()
        assert decoded.ts == message.at


@pytest.mark.parametrize(("local", "cooking"), [(3, False), (9.5, False), (12, True), (15, False), (18.5, True)])
def test_kitchens_cook_at_meal_times(local: float, cooking: bool) -> None:  # noqa: FBT001
    rows = np.arange(100) % len(CITY.of_kind("fume"))
    fan = Fleet(CITY, Story(), seed=1).measure("fume", rows, times(local))["fan_on"]
    assert set(fan.tolist()) == {float(cooking)}


def test_only_kitchens_open_until_two_cook_at_midnight() -> None:
    kitchens = CITY.of_kind("fume")
    fan = Fleet(CITY, Story(), seed=1).measure("fume", np.arange(len(kitchens)), np.tile(times(0)[:1], len(kitchens)))
    for kitchen, cooks in zip(kitchens, fan["fan_on"].tolist(), strict=True):
        assert cooks == (kitchen.attributes.get("business_close") == "02:00")


def test_a_lamp_is_dimmed_late_at_night() -> None:
    fleet = Fleet(CITY, Story(), seed=1)
    levels = [
        set(fleet.measure("streetlight", np.arange(100) % 80, times(at))["dim_level"]) for at in (2, 12, 19.5, 23.5)
    ]
    assert levels == [{50.0}, {0.0}, {100.0}, {50.0}]


def test_what_a_lamp_counts_never_falls() -> None:
    at = round(MIDNIGHT.timestamp()) * MICROS + np.arange(0, 72 * HOUR, 5 * 60 * MICROS)
    counted = Fleet(CITY, Story(), seed=1).measure("streetlight", np.zeros(len(at), dtype=np.int64), at)
    for metric in ("energy", "operating_hours", "switch_count"):
        assert (np.diff(counted[metric]) >= 0).all()
        assert counted[metric][-1] > counted[metric][0]


def test_vehicles_never_cross_the_scale_at_the_same_time() -> None:
    scales = [device for device in CITY.of_kind("bridge") if device.word("sensor_type") == "wim"]
    crossed: dict[str, list[int]] = defaultdict(list)
    city = PretendCity(tuple(scales), CITY.kinds)
    for message in Fleet(city, Story(), seed=1).messages(MIDNIGHT + DAY / 3, MIDNIGHT + DAY / 2):
        crossed[message.topic].append(message.at)
    for at in crossed.values():
        assert len(at) > 100
        assert min(np.diff(at)) >= MICROS


def test_what_is_wet_in_one_street_is_wet_in_the_next() -> None:
    """Rain raises wells, voids meters and makes old poles leak at the same time."""
    fleet, year = Fleet(CITY, Story(), seed=1), round(MIDNIGHT.timestamp()) * MICROS + np.arange(0, 8000 * HOUR, HOUR)
    first = np.zeros(len(year), dtype=np.int64)
    rain = fleet.measure("noise", first, year)["rain"]
    storm_drain = next(n for n, each in enumerate(CITY.of_kind("manhole")) if each.component_class == "0103")
    water = fleet.measure("manhole", first + storm_drain, year)["water_level"]
    worn = max(range(40), key=lambda n: CITY.of_kind("streetlight")[n].trait)
    leaks = fleet.measure("streetlight", first + worn, year)["leakage_ma"]
    wet = rain > 0
    assert 0.01 < wet.mean() < 0.15
    assert water[wet].mean() > 1.15 * water[~wet].mean()
    assert leaks[wet].mean() > 1.15 * leaks[~wet].mean()


def test_rush_hours_are_on_working_days() -> None:
    flow = Traffic(Chance(1)).flow(keys_of(["a road"]), times(8))
    weekdays = [datetime.fromtimestamp(int(at) / MICROS, LOCAL).weekday() for at in times(8)]
    free = np.array([day >= 5 for day in weekdays])
    assert flow[~free].min() > 1.3 * flow[free].max()
