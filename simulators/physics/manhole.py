"""What a sensor under a manhole cover measures."""

import numpy as np
from numpy.typing import NDArray

from devices.readings import Floats, Ints
from simulators.faults import FaultKind
from simulators.observation import Columns, Observation, rounded
from simulators.physics.daytime import DAY, daily_wave, yearly_wave

Bools = NDArray[np.bool_]

SEWAGE, STORM = "0102", "0103"
_DEPTH_M = 3.0
_HEAVY_RAIN_MM = 45.0  # standing water at which an average drain is full
_RUNS_OFF_H = 1.2
_CELL_YEARS = 5.0  # the cell is changed at 35 %
_WET_SHARE = 0.5  # of the depth, from which the probe reports out of its daily turn
_GROWS_S = 3600.0
_TRUCK_G = 1.3


def measure(o: Observation) -> Columns:
    """A heartbeat carries everything but the accelerations; what is told at once, the cover and what is wrong."""
    tilt, opened, missing = _tilt(o)
    depth = o.number("well_depth", _DEPTH_M)
    water = water_share(o) * depth
    sewage = o.word("component_class") == SEWAGE
    low = o.ill(FaultKind.LOW_BATTERY)
    charge = np.where(low, o.uniform("charge", 8, 18), _charge(o))
    warm = 17 + 6 * yearly_wave(o.at) + 0.6 * daily_wave(o.at, peak=17) + 0.3 * o.normal("warmth")
    rsrp = np.clip(-86 - 22 * o.trait - 3 * (o.rain() > 2) + 1.5 * o.normal("rsrp"), -124, -60)
    shocks = o.flow() * 9 * o.trait * o.uniform("shocks")
    loose = o.ill(FaultKind.LOOSE_COVER)
    routine = np.where(o.is_event, np.nan, 1.0)
    sudden = np.where(o.is_event, 1.0, np.nan)
    gas = sewage * (1.2 + np.maximum(0, 1 + o.wander("gas", hours=9)))
    return {
        "tilt": rounded(tilt, 1),
        "accel_x": rounded(np.sin(np.radians(tilt)), 3) * sudden,
        "accel_y": rounded(0.01 * o.normal("sway"), 3) * sudden,
        "accel_z": rounded(np.cos(np.radians(tilt)) + _jolt(o), 3) * sudden,
        "vibration_count": np.floor(np.where(loose, o.uniform("rattles", 40, 90), shocks)) * routine,
        "open_state": o.codes("open_state", {"open": opened, "missing": missing}, "closed"),
        "water_level": rounded(water, 2) * routine,
        "water_distance": rounded(np.maximum(0, depth - water), 2) * routine,
        "water_immersed": (water > 0.9 * depth) * routine,
        "ch4": rounded(gas, 1) * routine,
        "h2s": rounded(0.5 * gas, 1) * routine,
        "battery_v": rounded(_volts(charge, warm), 2) * np.where(low, 1, routine),
        "battery_pct": rounded(charge) * np.where(low, 1, routine),
        "temperature": rounded(warm, 1) * routine,
        "rsrp": rounded(rsrp),
        "csq": np.clip(rounded((rsrp + 113) / 2), 0, 31),
        "snr": rounded(16 - 12 * o.trait + o.normal("snr"), 1) * routine,
    }


def is_wet(o: Observation) -> Bools:
    """Where the probe reports every ten minutes instead of daily."""
    wet: Bools = water_share(o) >= _WET_SHARE
    return wet


def water_share(o: Observation) -> Floats:
    """Water as a share of the well's depth: what people send down, what the sky sends, what is in the way."""
    kind = o.word("component_class")
    sewage, storm = kind == SEWAGE, kind == STORM
    mornings_and_evenings = np.maximum(daily_wave(o.at, peak=8.5), daily_wave(o.at, peak=20.5))
    base = np.where(sewage, 0.17 + 0.1 * o.trait + 0.06 * mornings_and_evenings, 0.03 + 0.05 * o.trait)
    fills = np.where(storm, 0.95, np.where(sewage, 0.8, 0.25)) * (0.75 + 0.5 * o.trait)
    share = base + fills * o.standing(_RUNS_OFF_H) / _HEAVY_RAIN_MM + 0.012 * o.wander("waves", hours=0.5)
    for kind_of_fault, reaches in ((FaultKind.HIGH_WATER, 0.88), (FaultKind.OVERFLOW, 0.99)):
        if struck := o.struck(kind_of_fault):
            share = np.where(struck.active, share + (reaches - share) * struck.ramp(_GROWS_S), share)
    return np.clip(share, 0, 1.0)


def battery_pct(key_trait: Floats, at: Ints) -> Floats:
    """Charge left: falls over years, faster when it is cold, and starts anew when the cell is changed."""
    years = (at / DAY) / 365.25 + key_trait * _CELL_YEARS
    winter = 0.006 * (1 - yearly_wave(at))
    return np.asarray(100 - 65 * (years / _CELL_YEARS % 1) - 100 * winter)


def _charge(o: Observation) -> Floats:
    return battery_pct(o.trait, o.at)


def _volts(charge: Floats, warm: Floats) -> Floats:
    """A Li-SOCl2 cell holds its voltage for nearly all of its life and falls at the end; cold takes a little."""
    return np.asarray(
        3.64 - 0.55 * np.exp(-charge / 11) - 0.08 * np.exp(-charge / 60) - 0.002 * np.maximum(0, 15 - warm)
    )


def _tilt(o: Observation) -> tuple[Floats, Bools, Bools]:
    rest = o.number("baseline_tilt", 0)
    tilt = rest + np.minimum(1.5, np.abs(0.35 * o.normal("tilt")))
    if settled := o.struck(FaultKind.SETTLEMENT):
        tilt = tilt + (3.4 + 2 * o.trait) * settled.size * settled.ramp(6 * 3600)
    if trucks := o.struck(FaultKind.TRUCK_SHOCKS):
        tilt = np.where(trucks.active & o.is_event, rest + o.uniform("truck", 3, 8), tilt)
    opened, flipped = o.ill(FaultKind.COVER_OPENED), o.ill(FaultKind.COVER_FLIPPED)
    stolen = o.ill(FaultKind.COVER_STOLEN)
    tilt = np.where(opened, 70 + 3 * o.wander("leans", hours=0.3), tilt)
    tilt = np.where(flipped | stolen, 145 + 22 * o.wander("lies", hours=0.5), tilt)
    return tilt, opened | flipped, stolen


def _jolt(o: Observation) -> Floats:
    jolt = np.where(o.ill(FaultKind.LOOSE_COVER), o.uniform("jolt", 1.7, 3.2), 0.0)
    return np.where(o.ill(FaultKind.TRUCK_SHOCKS), o.uniform("jolt", 0.3, _TRUCK_G), jolt)
