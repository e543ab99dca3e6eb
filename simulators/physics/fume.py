"""What a monitor at a restaurant's flue measures."""

import math
from collections.abc import Collection
from datetime import datetime
from random import Random

from simulators.device import Device
from simulators.faults import Fault, FaultKind
from simulators.physics.daytime import day_number, hour
from simulators.physics.metrics import Metrics
from simulators.physics.weather import air_temperature

# Local hours in which a kitchen cooks, less or more a quarter of an hour by its own habit.
_MEALS = ((10.5, 13.5), (16.5, 20.5))
_NIGHT_MEAL = (21.5, 25.0)  # of those that close at two
_HABIT_H = 0.5
_CLEANED_EVERY_D = 28


def measure(device: Device, at: datetime, faults: Collection[Fault], random: Random) -> Metrics:
    """One report: fan and purifier run together while the kitchen cooks."""
    kinds = {fault.kind for fault in faults}
    without_purifier, dirty = FaultKind.PURIFIER_OFF in kinds, FaultKind.DIRTY_PURIFIER in kinds
    fan = is_cooking(device, at) or without_purifier or dirty
    purifier = fan and not without_purifier
    # The fume that leaves stays below the national 2.0 mg/m³ as long as the purifier runs.
    fume = min(1.9, math.exp(random.gauss(-0.5, 0.3))) if fan else random.uniform(0.04, 0.12)
    strength = 2.5 if without_purifier else 5.0 if dirty else 1.0
    return {
        "fume": round(fume * strength, 2),
        "pm": round(fume * strength * random.uniform(1.2, 2.2), 2),
        "nmhc": round(fume * strength * random.uniform(2.0, 4.0), 2),
        "fan_current": round(4 + 8 * device.trait + random.uniform(-0.5, 0.5), 2) if fan else 0.0,
        "purifier_current": round(1 + device.trait + random.uniform(-0.1, 0.1), 2) if purifier else 0.0,
        "purifier_hv": round(random.uniform(9.5, 11.0), 1) if purifier else 0.0,
        "fan_on": fan,
        "purifier_on": purifier,
        "flue_temp": round(random.uniform(40, 52) if fan else air_temperature(at), 1),
        "flue_rh": round(random.uniform(55, 80) if fan else random.uniform(40, 65), 1),
        "days_since_clean": (day_number(at) + int(device.trait * _CLEANED_EVERY_D)) % _CLEANED_EVERY_D,
    }


def is_cooking(device: Device, at: datetime) -> bool:
    """Whether it is this kitchen's time to cook."""
    now = hour(at) + (device.trait - 0.5) * _HABIT_H
    meals = [*_MEALS, _NIGHT_MEAL] if device.word("business_close") == "02:00" else _MEALS
    return any(start <= now < end or start <= now + 24 < end for start, end in meals)
