"""What a healthy device may send, taken from the limits in its kind's description."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from astral import Observer
from astral.sun import elevation

from devices.kind import Kind
from simulators.city import PretendCity
from simulators.device import Device
from simulators.physics.daytime import LOCAL

_SUN_IS_DOWN, _SUN_IS_WELL_UP = -0.83, 6.0  # degrees of the sun's centre


Metrics = dict[str, Any]
Complaints = Callable[[PretendCity, Device, datetime, Metrics], list[str]]
Unbelievable = Callable[[Kind, Metrics], list[str]]


@pytest.fixture(scope="session")
def complaints() -> Complaints:
    """What a rule could object to in a reading."""
    return _complaints


@pytest.fixture(scope="session")
def unbelievable() -> Unbelievable:
    """Metrics outside what the kind's instruments can deliver."""
    return _unbelievable


def _unbelievable(kind: Kind, metrics: Metrics) -> list[str]:
    return [
        name
        for name, value in metrics.items()
        if (bounds := kind.metric(name).range) and not bounds[0] <= float(value) <= bounds[1]
    ]


def _complaints(city: PretendCity, device: Device, at: datetime, metrics: Metrics) -> list[str]:
    checks = {
        "manhole": _manhole, "fume": _fume, "noise": _noise, "streetlight": _streetlight, "bridge": _bridge,
    }  # fmt: skip
    read = _Reading(city, device, metrics)
    return [
        f"{device.device_id} at {at}: {text}, but {metrics}" for text, fine in checks[device.kind](read, at) if not fine
    ]


class _Reading:
    def __init__(self, city: PretendCity, device: Device, metrics: Metrics) -> None:
        self.device = device
        self.metrics = metrics
        self._kind = city.kinds[device.kind]

    def __contains__(self, metric: str) -> bool:
        return metric in self.metrics

    def __getitem__(self, metric: str) -> float:
        return float(self.metrics[metric])

    def attribute(self, name: str) -> float | str | bool | None:
        return self.device.attributes.get(name, self._kind.attributes[name].default)

    def limit(self, name: str) -> float:
        if name in self.device.limits:
            return self.device.limits[name]
        default = self._kind.limits[name]
        limit = default.resolve({default.by: self.attribute(default.by)} if default.by else {})
        assert limit is not None, name
        return limit


_Checks = Iterator[tuple[str, bool]]


def _manhole(read: _Reading, _at: datetime) -> _Checks:
    baseline, depth = read.attribute("baseline_tilt"), read.attribute("well_depth")
    assert isinstance(baseline, float | int)
    assert isinstance(depth, float | int)
    yield "closed", read.metrics["open_state"] == "closed"
    yield "level", abs(read["tilt"] - baseline) < read.limit("tilt_clear")
    yield "not settled", abs(read["tilt"] - baseline) < read.limit("settlement")
    yield "quiet", read["vibration_count"] < read.limit("vibration_count")
    yield "water low", read["water_level"] < read.limit("water_level_ok") * depth
    yield "water far", read["water_distance"] > read.limit("overflow_distance")
    yield "no methane", read["ch4"] < read.limit("ch4")
    yield "no hydrogen sulphide", read["h2s"] < read.limit("h2s")
    yield "charged", read["battery_pct"] > read.limit("battery_pct_ok")
    yield "full voltage", read["battery_v"] > read.limit("battery_v_ok")
    yield "heard well", read["rsrp"] > read.limit("rsrp_low")


def _fume(read: _Reading, _at: datetime) -> _Checks:
    yield "little fume but for a flare", read["fume"] < 3 * read.limit("fume")
    yield "purifier with fan", read.metrics["fan_on"] is read.metrics["purifier_on"]
    yield "fan as its current", (read["fan_current"] > read.limit("fan_off_current")) == read["fan_on"]
    on = read["purifier_current"] > read.limit("purifier_off_current")
    yield "purifier as its current", on == read["purifier_on"]
    yield "inlet open", not read["fan_on"] or read["fume"] > read.limit("fume_too_low")
    yield "cool flue", read["flue_temp"] < read.limit("flue_temp")
    yield "clean", read["days_since_clean"] < read.limit("days_since_clean")


def _noise(read: _Reading, at: datetime) -> _Checks:
    night = not 6 <= at.astimezone(LOCAL).hour < 22
    limit = read.limit("night" if night else "day")
    yield "quiet enough for one minute", read["laeq"] <= limit + 4
    burst_limit = read.limit("night") + read.limit("night_burst_margin")
    yield "no burst", not night or read["lmax"] < burst_limit
    yield "ordered", read["lmin"] <= read["l95"] <= read["l50"] <= read["l5"] <= read["lmax"]
    yield "no gale", read["wind_speed"] < read.limit("wind_valid")


def _streetlight(read: _Reading, at: datetime) -> _Checks:
    rated, dim = read.attribute("rated_power"), read["dim_level"]
    assert isinstance(rated, float | int)
    sun = elevation(Observer(read.device.lat, read.device.lon), at)
    yield "lit in the dark", sun > _SUN_IS_DOWN or dim > 0
    yield "off by day", sun < _SUN_IS_WELL_UP or dim == 0
    expected = rated * dim / 100
    close = abs(read["active_power"] - expected) < read.limit("power_deviation_ok") * expected
    yield "power as expected", close if dim else read["active_power"] < read.limit("power_dark") * rated
    yield "power factor", dim == 0 or read["power_factor"] > read.limit("power_factor_ok")
    yield "voltage", read.limit("voltage_low_ok") < read["voltage"] < read.limit("voltage_high_ok")
    yield "insulated", read["leakage_ma"] < read.limit("leakage_clear_ma")
    yield "cool gear", read["gear_temp"] < read.limit("gear_temp")
    yield "upright", read["pole_tilt"] < read.limit("pole_tilt")
    yield "sound", read.metrics["lamp_failure"] is False
    yield "state as level", read.metrics["lamp_state"] == ("on" if dim else "off")


def _bridge(read: _Reading, _at: datetime) -> _Checks:
    for metric in ("strain", "deflection", "displacement", "tilt", "cable_force"):
        if metric in read:
            yield metric, abs(read[metric]) < read.limit("ratio_yellow") * read.limit(metric)
    for metric, limit in (
        ("tilt", "pier_tilt_clear"),
        ("acceleration_rms", "acceleration_rms"),
        ("crack_width", "crack_width"),
        ("structure_temp", "structure_temp"),
        ("wind_speed", "wind_warn_clear"),
        ("gross_t", "gross_t"),
    ):
        if metric in read:
            yield metric, abs(read[metric]) < read.limit(limit)
    if "frequency" in read:
        baseline = read.device.number("baseline_frequency", 0)
        yield "frequency", abs(read["frequency"] / baseline - 1) < read.limit("frequency_shift")
