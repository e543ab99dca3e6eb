"""What the sensors of a bridge measure, each its own quantity."""

import string
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from random import Random

from simulators.device import Device
from simulators.faults import Fault, FaultKind
from simulators.physics.daytime import bustle, daily_wave, hour
from simulators.physics.metrics import Metrics
from simulators.physics.weather import air_temperature, humidity, wander, wind

_DESIGN_STRAIN = 300.0
_STRAIN_GROWS = timedelta(minutes=10)
_LAWFUL_T = 49.0  # GB 1589 for six axles
_TRUCKS = 0.2
_OVERLOADED = 0.2  # of the vehicles, while the fault lasts
# Seconds from one weighed vehicle to the next, on average.
_HEADWAY_DAY_S, _HEADWAY_NIGHT_S = 30.0, 90.0
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # plates know no I and no O


def measure(device: Device, at: datetime, faults: Collection[Fault], random: Random) -> Metrics:
    """One report of the quantity that the sensor is there for."""
    return _SENSORS[device.word("sensor_type")](device, at, {fault.kind: fault for fault in faults}, random)


def headway(at: datetime, random: Random) -> timedelta:
    """Time until the next vehicle crosses the scale."""
    mean = _HEADWAY_DAY_S if 6 <= hour(at) < 22 else _HEADWAY_NIGHT_S
    return timedelta(milliseconds=1000 + int(1000 * random.expovariate(1 / mean)))


_Faults = Mapping[FaultKind, Fault]


def _strain(device: Device, at: datetime, faults: _Faults, random: Random) -> Metrics:
    limit = device.limits.get("strain", _DESIGN_STRAIN)
    heat = (70 + 40 * device.trait) * daily_wave(at, peak=15)
    strain = heat + random.uniform(2, 10 + 40 * bustle(at)) + random.uniform(-4, 4)
    if fault := faults.get(FaultKind.STRAIN_OVER_LIMIT):
        strain = limit * (0.7 + 0.35 * fault.ramp(at, _STRAIN_GROWS) + random.uniform(-0.01, 0.01))
    return {"strain": round(strain, 1), "structure_temp": _structure_temperature(at)}


def _deflection(device: Device, at: datetime, _faults: _Faults, random: Random) -> Metrics:
    deflection = 4 + 4 * device.trait + 2 * daily_wave(at, peak=15) + random.uniform(0, 6) * bustle(at)
    return {"deflection": round(deflection, 2)}


def _displacement(device: Device, at: datetime, _faults: _Faults, random: Random) -> Metrics:
    heat = 0.8 * (air_temperature(at) - 17)
    return {"displacement": round(heat + 4 * device.trait + random.gauss(0, 0.05), 2)}


def _tilt(device: Device, at: datetime, _faults: _Faults, random: Random) -> Metrics:
    tilt = 0.01 * daily_wave(at, peak=15) + 0.01 * (device.trait - 0.5) + random.uniform(-0.004, 0.004)
    return {"tilt": round(tilt, 3)}


def _acceleration(device: Device, at: datetime, _faults: _Faults, random: Random) -> Metrics:
    rms = 0.01 + 0.05 * bustle(at) * random.random()
    frequency = device.number("baseline_frequency", 3.0) * (1 + random.uniform(-0.01, 0.01))
    return {
        "acceleration_rms": round(rms, 3),
        "acceleration_peak": round(rms * random.uniform(3, 5), 3),
        "frequency": round(frequency, 2),
    }


def _cable_force(device: Device, at: datetime, _faults: _Faults, random: Random) -> Metrics:
    force = (2500 + 600 * device.trait) * (1 + 0.01 * daily_wave(at, peak=3) + random.uniform(-0.005, 0.005))
    return {"cable_force": round(force, 1)}


def _crack(device: Device, at: datetime, _faults: _Faults, random: Random) -> Metrics:
    width = 0.04 + 0.08 * device.trait + 0.01 * daily_wave(at, peak=3) + random.uniform(-0.005, 0.005)
    return {"crack_width": round(width, 2)}


def _temperature(_device: Device, at: datetime, _faults: _Faults, random: Random) -> Metrics:
    return {
        "structure_temp": _structure_temperature(at),
        "air_temp": round(air_temperature(at) + random.gauss(0, 0.1), 1),
        "humidity": round(humidity(at), 1),
    }


def _wind(device: Device, at: datetime, faults: _Faults, random: Random) -> Metrics:
    mean = wind(at) * (0.9 + 0.2 * device.trait)
    if FaultKind.STRONG_WIND in faults:
        mean = random.uniform(17, 22)
    direction = 180 + 170 * wander(f"direction {device.device_id}", at, hours=6)
    return {
        "wind_speed": round(mean, 1),
        "wind_gust": round(mean * random.uniform(1.15, 1.35), 1),
        "wind_direction": round(direction),
        "air_temp": round(air_temperature(at), 1),
    }


def _vehicle(device: Device, _at: datetime, faults: _Faults, random: Random) -> Metrics:
    heaviest = 0.95 * device.limits.get("gross_t", _LAWFUL_T)
    axles, gross = 2, random.uniform(1.1, 2.6)
    if random.random() < _TRUCKS:
        axles = random.choice([2, 3, 4, 6])
        gross = random.uniform(3, min(heaviest, 8.0 * axles))
    if FaultKind.OVERLOAD_TRUCK in faults and random.random() < _OVERLOADED:
        axles, gross = 6, random.uniform(60, 100)
    return {
        "gross_t": round(gross, 2),
        "axles": axles,
        "speed_kmh": round(random.uniform(30, 65), 1),
        "lane": random.randint(1, 4),
        "plate": _plate(random),
    }


def _water_level(device: Device, at: datetime, _faults: _Faults, random: Random) -> Metrics:
    return {"water_level": round(3 + wander(device.device_id, at, hours=48) + random.gauss(0, 0.02), 2)}


def _structure_temperature(at: datetime) -> float:
    """Follows the air and does not reach 40 °C."""
    return round(air_temperature(at) + 1.5 + 1.5 * daily_wave(at, peak=16), 1)


def _plate(random: Random) -> str:
    """A plate that no province issues."""
    return "测" + random.choice(_LETTERS) + "".join(random.choices(_LETTERS + string.digits, k=5))


_SENSORS: Mapping[str, Callable[[Device, datetime, _Faults, Random], Metrics]] = {
    "strain": _strain,
    "deflection": _deflection,
    "displacement": _displacement,
    "tilt": _tilt,
    "acceleration": _acceleration,
    "cable_force": _cable_force,
    "crack": _crack,
    "temperature": _temperature,
    "wind": _wind,
    "wim": _vehicle,
    "water_level": _water_level,
}
