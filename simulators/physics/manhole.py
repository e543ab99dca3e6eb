"""What a sensor under a manhole cover measures."""

import math
from collections.abc import Collection
from datetime import datetime
from random import Random

from simulators.device import Device
from simulators.faults import Fault, FaultKind
from simulators.physics.daytime import yearly_wave
from simulators.physics.metrics import Metrics
from simulators.physics.weather import wander

_SEWAGE = "0102"  # gas forms here
_DEPTH_M = 3.0


def measure(device: Device, at: datetime, faults: Collection[Fault], random: Random) -> Metrics:
    """One report of everything the sensor has."""
    kinds = {fault.kind for fault in faults}
    tilt = device.number("baseline_tilt", 0) + min(1.5, abs(random.gauss(0, 0.4)))
    if FaultKind.COVER_OPENED in kinds:
        tilt = random.uniform(66, 74)
    if FaultKind.COVER_FLIPPED in kinds:
        tilt = random.uniform(120, 170)
    is_open = bool(kinds & {FaultKind.COVER_OPENED, FaultKind.COVER_FLIPPED})
    low = FaultKind.LOW_BATTERY in kinds
    depth = device.number("well_depth", _DEPTH_M)
    water = depth * (0.22 + 0.1 * device.trait + 0.1 * wander(device.device_id, at, hours=8))
    if FaultKind.HIGH_WATER in kinds:
        water = depth * random.uniform(0.84, 0.88)
    sewage = device.component_class == _SEWAGE
    rsrp = -86 - 22 * device.trait + random.gauss(0, 1.5)
    return {
        "tilt": round(tilt, 1),
        "accel_x": round(math.sin(math.radians(tilt)), 3),
        "accel_y": round(random.gauss(0, 0.01), 3),
        "accel_z": round(math.cos(math.radians(tilt)), 3),
        "vibration_count": int(12 * device.trait * random.random()),
        "open_state": "open" if is_open else "closed",
        "water_level": round(water, 2),
        "water_distance": round(depth - water, 2),
        "water_immersed": False,
        "ch4": round(random.uniform(0, 4) if sewage else 0.0, 1),
        "h2s": round(random.uniform(0, 2) if sewage else 0.0, 1),
        "battery_v": round(random.uniform(3.0, 3.15) if low else 3.52 + 0.1 * device.trait, 2),
        "battery_pct": round(random.uniform(8, 18) if low else 55 + 44 * device.trait),
        "temperature": round(17 + 6 * yearly_wave(at) + random.gauss(0, 0.5), 1),
        "rsrp": round(rsrp),
        "csq": max(0, min(31, round((rsrp + 113) / 2))),
        "snr": round(16 - 12 * device.trait + random.gauss(0, 1), 1),
    }
