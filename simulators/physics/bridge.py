"""What the sensors of a bridge measure, each its own quantity; all sensors of one feel the same lorries and heat."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from devices.moments import MICROS
from devices.readings import Floats
from simulators.chance import HOUR
from simulators.faults import FaultKind
from simulators.observation import Columns, Observation, rounded
from simulators.physics.daytime import DAY, daily_wave

_STRAIN_GROWS_S = 600.0
_STEEL_LAG = 2 * HOUR  # the deck follows the air


def measure(o: Observation) -> Columns:
    """One report of the quantity that each sensor is there for."""
    sorts = o.word("sensor_type")
    columns: Columns = {}
    for sort in np.unique(sorts).tolist():
        here = np.flatnonzero(sorts == sort)
        part = replace(o, rows=o.rows[here], at=o.at[here], is_event=o.is_event[here])
        for metric, values in _spoilt(part, SENSORS[sort](part)).items():
            columns.setdefault(metric, np.full(len(o), np.nan))[here] = values
    return columns


def structure_temperature(o: Observation) -> Floats:
    """Follows the air with a lag, warmed by the sun, and does not reach 40 °C."""
    weather = o.world.weather
    lagged = 0.5 * (weather.air_temperature(o.at) + weather.air_temperature(o.at - _STEEL_LAG))
    return np.minimum(39.5, lagged + 1.5 + 1.5 * daily_wave(o.at, peak=16))


def lorries(o: Observation) -> Floats:
    """The heaviest load of the minute before, 0 to about 1: the same for all sensors of a bridge."""
    chance, bridge, flow = o.world.chance, o.population.bridge[o.rows], o.flow()
    minute = o.at // (60 * MICROS)
    usual = flow * (0.25 + 0.25 * chance.uniform("axles", bridge, minute))
    heavy = chance.uniform("lorry", bridge, minute) < 0.35 * flow
    return np.where(heavy, np.maximum(usual, chance.between("lorry t", bridge, minute, 0.5, 1.0)), usual)


def _strain(o: Observation) -> Columns:
    heat = structure_temperature(o)
    strain = (3.2 + 1.6 * o.trait) * (heat - 17) + 4 + 48 * lorries(o) + 1.2 * o.normal("strain")
    limit = o.limit("strain")
    strain = np.clip(strain, -0.62 * limit, 0.62 * limit)
    if over := o.struck(FaultKind.STRAIN_OVER_LIMIT):
        grown = limit * (0.7 + 0.35 * over.size * over.ramp(_STRAIN_GROWS_S) + o.uniform("creeps", -0.01, 0.01))
        strain = np.where(over.active, grown, strain)
    return {"strain": rounded(strain, 1), "structure_temp": rounded(heat, 1)}


def _deflection(o: Observation) -> Columns:
    heat = structure_temperature(o)
    deflection = 4 + 4 * o.trait + 0.12 * (heat - 17) + 9 * lorries(o) + 0.1 * o.normal("sags")
    return {"deflection": rounded(deflection, 2)}


def _displacement(o: Observation) -> Columns:
    moved = 0.8 * (structure_temperature(o) - 17) + 4 * o.trait + 0.04 * o.normal("bearing")
    return {"displacement": rounded(moved, 2)}


def _tilt(o: Observation) -> Columns:
    tilt = 0.007 * daily_wave(o.at, peak=15) + 0.008 * (o.trait - 0.5) + 0.006 * (lorries(o) - 0.3)
    tilt = tilt + 0.0008 * o.normal("tilt")
    if leans := o.struck(FaultKind.PIER_TILT):
        tilt = tilt + 0.14 * leans.size * leans.ramp(420)
    return {"tilt": rounded(tilt, 3)}


def _acceleration(o: Observation) -> Columns:
    rms = 0.008 + 0.05 * lorries(o) + 0.004 * o.uniform("shakes")
    if shaken := o.struck(FaultKind.VIBRATION):
        rms = np.where(shaken.active, 0.36 + 0.08 * o.uniform("shaken"), rms)
    # Warm steel is softer; a loaded deck is heavier.
    softer = 1 - 0.0006 * (structure_temperature(o) - 17) - 0.002 * lorries(o) + 0.0015 * o.normal("mode")
    return {
        "acceleration_rms": rounded(rms, 3),
        "acceleration_peak": rounded(rms * o.uniform("peak", 3, 5), 3),
        "frequency": rounded(o.number("baseline_frequency", 3.0) * softer, 3),
    }


def _cable_force(o: Observation) -> Columns:
    share = 1 - 0.0008 * (structure_temperature(o) - 17) + 0.012 * lorries(o) + 0.0006 * o.normal("hanger")
    return {"cable_force": rounded((2500 + 600 * o.trait) * share, 1)}


def _crack(o: Observation) -> Columns:
    """Opens in the cold; one that lives grows from day to day."""
    width = 0.04 + 0.07 * o.trait - 0.0012 * (structure_temperature(o) - 17) + 0.002 * o.normal("crack")
    if grows := o.struck(FaultKind.CRACK_GROWTH):
        width = width + np.where(grows.active, 0.018 * grows.size * grows.elapsed * MICROS / DAY, 0)
    return {"crack_width": rounded(np.clip(width, 0, 5), 2)}


def _temperature(o: Observation) -> Columns:
    air = o.world.weather.air_temperature(o.at)
    return {
        "structure_temp": rounded(structure_temperature(o), 1),
        "air_temp": rounded(air + 0.1 * o.normal("air"), 1),
        "humidity": rounded(o.world.weather.humidity(o.at, o.rain()) + 0.3 * o.normal("damp"), 1),
    }


def _wind(o: Observation) -> Columns:
    mean = o.world.weather.wind(o.at) * (0.92 + 0.16 * o.trait) + 0.15 * o.normal("air")
    if strong := o.struck(FaultKind.STRONG_WIND):
        mean = np.where(strong.active, 19.5 * strong.size + 1.5 * o.wander("gale", hours=0.2), mean)
    mean = np.clip(mean, 0, 55)
    return {
        "wind_speed": rounded(mean, 1),
        "wind_gust": rounded(mean * o.uniform("gust", 1.15, 1.35), 1),
        "wind_direction": rounded(180 + 170 * o.wander("direction", hours=6)),
        "air_temp": rounded(o.world.weather.air_temperature(o.at), 1),
    }


def _vehicle(o: Observation) -> Columns:
    """One vehicle on the scale: four in five are cars, the others lorries below what is posted there."""
    heaviest = 0.95 * o.limit("gross_t")
    axles = np.array([2, 3, 4, 6])[np.minimum(3, np.floor(4 * o.uniform("axles") ** 1.4)).astype(np.int64)]
    lorry = o.uniform("lorry") < 0.2
    gross = np.where(
        lorry, np.minimum(heaviest, 3 + (7.5 * axles - 3) * o.uniform("load") ** 1.2), o.uniform("car", 1.1, 2.6)
    )
    axles = np.where(lorry, axles, 2)
    if over := o.struck(FaultKind.OVERLOAD_TRUCK):
        heavy = over.active & (o.uniform("overloaded") < 0.2 * over.size)
        gross, axles = np.where(heavy, o.uniform("overload", 60, 100), gross), np.where(heavy, 6, axles)
        lorry = lorry | heavy
    return {
        "gross_t": rounded(gross, 2),
        "axles": axles.astype(np.float64),
        "speed_kmh": rounded(np.where(lorry, 44, 52) + 5 * np.clip(o.normal("speed"), -3, 3), 1),
        "lane": np.where(lorry, 1, 1 + np.floor(2 * o.uniform("lane"))),
    }


def _water_level(o: Observation) -> Columns:
    level = 3 + 0.6 * o.wander("river", hours=48) + o.standing(18.0) / 40 + 0.01 * o.normal("waves")
    return {"water_level": rounded(level, 2)}


SENSORS: Mapping[str, Callable[[Observation], Columns]] = {
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
_STUCK_AT = {"strain": 21.4, "deflection": 6.02, "displacement": -1.37}
_BEYOND = {"strain": 3276.7, "deflection": 655.35, "displacement": -327.68}  # what a broken converter shows


def _spoilt(o: Observation, columns: Columns) -> Columns:
    """What a sensor that is broken itself makes of it."""
    for kind, instead in ((FaultKind.FLATLINE, _STUCK_AT), (FaultKind.OUT_OF_RANGE, _BEYOND)):
        if struck := o.struck(kind):
            for metric, value in instead.items():
                if metric in columns:
                    columns[metric] = np.where(struck.active, value, columns[metric])
    if "structure_temp" in columns and (flat := o.struck(FaultKind.FLATLINE)):
        columns["structure_temp"] = np.where(flat.active, np.nan, columns["structure_temp"])
    return columns
