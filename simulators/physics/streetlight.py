"""What the controller of a streetlight measures."""

from collections.abc import Collection
from datetime import datetime, timedelta
from random import Random

from simulators.device import Device
from simulators.faults import Fault, FaultKind
from simulators.physics.daytime import day_number, hour, sun_elevation
from simulators.physics.metrics import Metrics
from simulators.physics.weather import air_temperature

# Lamps go on while there is still light: the sun 1.5° up, some 5 to 10 min before it sets.
_ON_BELOW_DEG = 1.5
_DIMMED_FROM_H = 23.0
_RATED_W = 120.0
_LEAKAGE_GROWS = timedelta(minutes=20)
_DARK = {FaultKind.DARK_LAMP, FaultKind.DARK_CIRCUIT}
_FLICKERS_S = 120
_WORN = 1.35
_INSTALLED = 739_000  # day number in April 2024
# An average night for the meter: full power from 17:30 to 23:00, half until 06:30.
_FULL_H, _HALF_H = 5.5, 7.5


def measure(device: Device, at: datetime, faults: Collection[Fault], random: Random) -> Metrics:
    """One report: the lamp draws its rated power times its dimming level, within 8 %."""
    lit = is_lit(device, at)
    dim = 0.0 if not lit else 100.0 if 12 <= hour(at) < _DIMMED_FROM_H else 50.0
    kinds = {fault.kind for fault in faults}
    power = device.number("rated_power", _RATED_W) * dim / 100 * random.uniform(0.92, 1.08)
    if FaultKind.WORN_LAMP in kinds:
        power *= _WORN
    dark = bool(kinds & _DARK) or (FaultKind.FLICKERING_LAMP in kinds and int(at.timestamp()) // _FLICKERS_S % 2 == 1)
    if not lit or dark:
        power = random.uniform(0.1, 0.5)  # what the controller itself draws
    if lit and kinds & _DARK:
        dim = 100.0
    voltage = random.uniform(216, 230)
    factor = 0.97 if dim == 100 else 0.92
    metrics: Metrics = {
        "voltage": round(voltage, 1),
        "current": round(power / voltage / factor, 3),
        "active_power": round(power, 1),
        "energy": round(_energy(device, at), 3),
        "dim_level": dim,
        "dim_command": dim,
        "lamp_state": "on" if lit else "off",
        "lamp_failure": False,
        "leakage_ma": round(_leakage(at, faults, random), 1),
        "gear_temp": round(air_temperature(at) + 0.25 * dim, 1),
        "pole_tilt": round(1.5 * device.trait, 1),
    }
    if lit:
        metrics["power_factor"] = factor
    return metrics


def is_lit(device: Device, at: datetime) -> bool:
    """Whether the lamp should burn there and then."""
    return sun_elevation(device.lat, device.lon, at) < _ON_BELOW_DEG


def _leakage(at: datetime, faults: Collection[Fault], random: Random) -> float:
    leakage = random.uniform(0.5, 3)
    for fault in faults:
        if fault.kind is FaultKind.LEAKAGE:
            leakage = 2 + 58 * fault.ramp(at, _LEAKAGE_GROWS) + random.uniform(-1, 1)
        if fault.kind is FaultKind.LEAKAGE_SHOCK:
            leakage = random.uniform(115, 125)
    return leakage


def _energy(device: Device, at: datetime) -> float:
    """The meter in kWh, which never falls; by average nights, so a fault does not show in it."""
    now = hour(at) - 12
    nights = day_number(at) - _INSTALLED
    if now < 0:  # the night began yesterday
        now, nights = now + 24, nights - 1
    burnt = min(_FULL_H, max(0.0, now - 5.5)) + 0.5 * min(_HALF_H, max(0.0, now - 11))
    return device.number("rated_power", _RATED_W) / 1000 * (nights * (_FULL_H + 0.5 * _HALF_H) + burnt)
