"""Each fault shows in what the device sends, from its start to its end."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from devices.kind import Kind
from simulators.city import SMALLEST, PretendCity, build_city
from simulators.device import Device
from simulators.faults import Fault, FaultKind, demo_faults, fault
from simulators.fleet import Fleet
from simulators.physics.metrics import Metrics

Complaints = Callable[[PretendCity, Device, datetime, Metrics], list[str]]
Unbelievable = Callable[[Kind, Metrics], list[str]]
CITY = build_city(seed=1)
DEVICES = {device.device_id: device for device in CITY.devices}
TEN_AT_NIGHT = datetime(2026, 11, 21, 14, tzinfo=UTC)  # 22:00 in the city
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Sent:
    after: timedelta  # since the fault began
    channel: str
    m: dict[str, Any]


Readings = Sequence[Sent]


@pytest.fixture(scope="module")
def demo() -> list[Fault]:
    return demo_faults(CITY, TEN_AT_NIGHT)


@pytest.fixture(scope="module")
def sent(demo: list[Fault]) -> dict[str, list[Sent]]:
    """What each faulty device sends, from the demo's start until half an hour after its faults."""
    starts = {fault.device_id: fault.start for fault in demo}
    faulty = PretendCity(tuple(DEVICES[device_id] for device_id in starts), CITY.kinds)
    found: dict[str, list[Sent]] = defaultdict(list)
    for message in Fleet(faulty, demo, seed=1).messages(TEN_AT_NIGHT, TEN_AT_NIGHT + 220 * MINUTE):
        *_, device_id, channel = message.topic.split("/")
        metrics = msgspec.json.decode(message.payload)["m"]
        found[device_id].append(Sent(message.at - starts[device_id], channel, metrics))
    return found


def opened(_device: Device, during: Readings) -> bool:
    return all(one.m["open_state"] == "open" and 60 < one.m["tilt"] < 80 for one in during)


def flipped(_device: Device, during: Readings) -> bool:
    return all(one.m["open_state"] == "open" and one.m["tilt"] > 90 for one in during)


def low_battery(_device: Device, during: Readings) -> bool:
    return len(during) > 1 and all(one.m["battery_pct"] < 20 and one.m["battery_v"] < 3.2 for one in during)


def purifier_off(_device: Device, during: Readings) -> bool:
    return all(one.m["fan_on"] and not one.m["purifier_on"] for one in during)


def night_burst(device: Device, during: Readings) -> bool:
    limit = CITY.kinds["noise"].limits["night"].resolve(device.attributes)
    assert limit is not None
    bursts = [one for one in during if one.after < 60 * MINUTE and one.m["lmax"] > limit + 15]
    return len(bursts) >= 3


def high_water(device: Device, during: Readings) -> bool:
    depth = device.number("well_depth", 3)
    return len(during) > 20 and all(0.8 < one.m["water_level"] / depth < 0.95 for one in during)


def dirty_purifier(_device: Device, during: Readings) -> bool:
    both = all(one.m["fan_on"] and one.m["purifier_on"] for one in during)
    return both and sum(one.m["fume"] for one in during) / len(during) > 2.2


def loud_night(device: Device, during: Readings) -> bool:
    limits = CITY.kinds["noise"].limits
    limit = limits["night"].resolve(device.attributes)
    if device.word("site") == "construction":
        limit = limits["construction_night"].value
    assert limit is not None
    return all(limit < one.m["laeq"] for one in during) and all(one.m["lmax"] < limit + 20 for one in during)


def flickering_lamp(_device: Device, during: Readings) -> bool:
    lit = [one.m["active_power"] > 10 for one in during if one.after < 60 * MINUTE]
    return len([one for one, other in pairwise(lit) if one != other]) >= 5


def worn_lamp(device: Device, during: Readings) -> bool:
    rated = device.number("rated_power", 120)
    return all(one.m["active_power"] > 1.2 * rated * one.m["dim_level"] / 100 for one in during)


def dark_lamp(_device: Device, during: Readings) -> bool:
    dark = (one.m["active_power"] < 1 and one.m["dim_level"] == 100 for one in during)
    return all(dark) and not any(one.m["lamp_failure"] for one in during)


def leakage(_device: Device, during: Readings) -> bool:
    grown = [one for one in during if one.after > 20 * MINUTE]
    return bool(during[0].m["leakage_ma"] < 20) and all(55 < one.m["leakage_ma"] < 65 for one in grown)


def leakage_shock(_device: Device, during: Readings) -> bool:
    return all(one.m["leakage_ma"] > 100 for one in during)


def strain_over_limit(device: Device, during: Readings) -> bool:
    limit = device.limits["strain"]
    first, grown = float(during[0].m["strain"]), [one for one in during if one.after > 10 * MINUTE]
    return 0.68 * limit < first < 0.8 * limit and all(one.m["strain"] > limit for one in grown)


def overload_truck(_device: Device, during: Readings) -> bool:
    return any(60 <= one.m["gross_t"] <= 100 for one in during if one.after < 60 * MINUTE)


def strong_wind(_device: Device, during: Readings) -> bool:
    return all(one.m["wind_speed"] > 15 for one in during)


def silent(_device: Device, during: Readings) -> bool:
    return not during


SHOWS: dict[FaultKind, Callable[[Device, Readings], bool]] = {
    FaultKind.COVER_OPENED: opened,
    FaultKind.COVER_FLIPPED: flipped,
    FaultKind.LOW_BATTERY: low_battery,
    FaultKind.HIGH_WATER: high_water,
    FaultKind.DIRTY_PURIFIER: dirty_purifier,
    FaultKind.LOUD_NIGHT: loud_night,
    FaultKind.DARK_CIRCUIT: dark_lamp,
    FaultKind.FLICKERING_LAMP: flickering_lamp,
    FaultKind.WORN_LAMP: worn_lamp,
    FaultKind.PURIFIER_OFF: purifier_off,
    FaultKind.NIGHT_BURST: night_burst,
    FaultKind.DARK_LAMP: dark_lamp,
    FaultKind.LEAKAGE: leakage,
    FaultKind.LEAKAGE_SHOCK: leakage_shock,
    FaultKind.STRAIN_OVER_LIMIT: strain_over_limit,
    FaultKind.OVERLOAD_TRUCK: overload_truck,
    FaultKind.STRONG_WIND: strong_wind,
    FaultKind.SILENT_DEVICE: silent,
}


@pytest.mark.parametrize("kind", FaultKind)
def test_a_fault_shows_while_it_lasts(kind: FaultKind, demo: list[Fault], sent: dict[str, list[Sent]]) -> None:
    for one in demo:
        if one.kind is kind:
            lasts = one.end - one.start
            during = [reading for reading in sent[one.device_id] if timedelta() <= reading.after < lasts]
            assert SHOWS[kind](DEVICES[one.device_id], during), one


def test_a_device_is_healthy_before_and_after_its_fault(
    complaints: Complaints, demo: list[Fault], sent: dict[str, list[Sent]]
) -> None:
    compared = 0
    for one in demo:
        for reading in sent[one.device_id]:
            if not timedelta() <= reading.after < one.end - one.start:
                at = one.start + reading.after
                assert complaints(CITY, DEVICES[one.device_id], at, reading.m) == []
                compared += 1
    assert compared > len(demo)


def test_a_faulty_device_still_sends_what_its_instrument_can_deliver(
    unbelievable: Unbelievable, sent: dict[str, list[Sent]]
) -> None:
    for device_id, readings in sent.items():
        for reading in readings:
            assert unbelievable(CITY.kinds[DEVICES[device_id].kind], reading.m) == []


@pytest.mark.parametrize("kind", [FaultKind.COVER_OPENED, FaultKind.COVER_FLIPPED])
def test_an_opened_cover_says_so_at_once_every_ten_minutes_and_when_it_is_closed(
    kind: FaultKind, demo: list[Fault], sent: dict[str, list[Sent]]
) -> None:
    for one in demo:
        if one.kind is kind:
            events = [reading for reading in sent[one.device_id] if reading.channel == "event"]
            assert [reading.after for reading in events] == [10 * turn * MINUTE for turn in range(19)]
            assert [reading.m["open_state"] for reading in events] == ["open"] * 18 + ["closed"]


@pytest.mark.parametrize("devices", [SMALLEST, 520])
def test_the_demo_has_every_fault_on_two_devices_or_more_in_several_districts(devices: int) -> None:
    city = build_city(seed=4, devices=devices)
    districts = {device.device_id: device.district for device in city.devices}
    faults = demo_faults(city, TEN_AT_NIGHT)
    for kind in FaultKind:
        where = [districts[one.device_id] for one in faults if one.kind is kind]
        assert len(where) >= 2
        assert len({*where}) >= 2


def test_the_demos_faults_begin_within_eight_minutes_and_last_ninety(demo: list[Fault]) -> None:
    assert all(TEN_AT_NIGHT <= one.start <= TEN_AT_NIGHT + 8 * MINUTE for one in demo)
    assert all(one.end - one.start >= 90 * MINUTE for one in demo)


def test_no_device_has_two_faults_in_the_demo(demo: list[Fault]) -> None:
    assert max(Counter(one.device_id for one in demo).values()) == 1


def test_the_demo_opens_a_cover_that_nobody_owns(demo: list[Fault]) -> None:
    opened_covers = [DEVICES[one.device_id] for one in demo if one.kind is FaultKind.COVER_OPENED]
    assert "0114" in {cover.component_class for cover in opened_covers}


def test_every_fault_says_which_rule_should_notice(demo: list[Fault]) -> None:
    rules = {rule for one in demo for rule in one.expects}
    assert rules == {
        "MH-01", "MH-02", "MH-05", "MH-08", "FU-01", "FU-03", "FU-08", "NO-02", "NO-03", "NO-04", "NO-06",
        "SL-01", "SL-02", "SL-04", "SL-05", "SL-06", "BR-01", "BR-04", "BR-06",
    }  # fmt: skip


def test_a_dark_circuit_is_dark_from_end_to_end(demo: list[Fault]) -> None:
    dark = {one.device_id for one in demo if one.kind is FaultKind.DARK_CIRCUIT}
    circuits = {DEVICES[device_id].circuit for device_id in dark}
    assert len(circuits) == 3
    others = {one.device_id for one in demo} - dark
    assert {lamp.device_id for lamp in CITY.of_kind("streetlight") if lamp.circuit in circuits} - others == dark


def test_a_lamp_cannot_be_flipped() -> None:
    lamp = CITY.of_kind("streetlight")[0]
    with pytest.raises(ValueError, match="cannot befall the streetlight"):
        fault(FaultKind.COVER_FLIPPED, lamp, TEN_AT_NIGHT, TEN_AT_NIGHT + MINUTE)
