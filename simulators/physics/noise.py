"""What a noise meter measures."""

from collections.abc import Collection
from datetime import datetime
from random import Random

from simulators.device import Device
from simulators.faults import Fault, FaultKind
from simulators.physics.daytime import bustle
from simulators.physics.metrics import Metrics
from simulators.physics.weather import air_temperature, humidity, wander, wind

# Usual level in dB(A) by day and by night in each zone of GB 3096: 6 to 7 below what is allowed.
_USUAL = {
    "0": (43.5, 33.5),
    "1": (48.5, 38.5),
    "2": (53.5, 43.5),
    "3": (58.5, 48.5),
    "4a": (63.5, 48.5),
    "4b": (63.5, 53.5),
}
_FLOOR = 30.0  # what the meter can resolve
_BURSTS_A_MINUTE = 0.25
_TOO_LOUD = 11.0  # above what is usual by night, some 5 above what is allowed
_PILING = 66.0


def measure(device: Device, at: datetime, faults: Collection[Fault], random: Random) -> Metrics:
    """One minute's levels, and the weather that could void them."""
    day, night = _USUAL[device.word("noise_zone") or "2"]
    usual = night + (day - night) * bustle(at)
    level = usual + 1.5 * wander(device.device_id, at, hours=2) + max(-2.5, min(2.5, random.gauss(0, 1)))
    peak = level + 3 + min(7.0, random.expovariate(0.5))
    kinds = {fault.kind for fault in faults}
    if FaultKind.LOUD_NIGHT in kinds:
        level = (_PILING if device.word("site") == "construction" else night + _TOO_LOUD) + random.uniform(-1, 1)
        peak = level + random.uniform(2, 5)
    burst = FaultKind.NIGHT_BURST in kinds and random.random() < _BURSTS_A_MINUTE
    if burst:  # a fraction of a second: hardly heard in the minute's mean, loud enough to wake people
        level += 2
        peak = night + random.uniform(27, 35)
    metrics: Metrics = {
        "la": _db(level + random.gauss(0, 1)),
        "laeq": _db(level),
        "lmax": _db(peak),
        "lmin": _db(level - 6),
        "l5": _db(level + 3),
        "l10": _db(level + 2),
        "l50": _db(level - 1),
        "l90": _db(level - 4),
        "l95": _db(level - 5),
        "sd": round(random.uniform(1.5, 3.5), 1),
        "wind_speed": round(0.4 * wind(at), 1),
        "rain": 0.0,
        "temperature": round(air_temperature(at), 1),
        "humidity": round(humidity(at), 1),
    }
    if burst:
        metrics |= {"audio_class": "construction", "audio_score": round(random.uniform(0.7, 0.98), 2)}
    return metrics


def _db(level: float) -> float:
    return round(max(_FLOOR, level), 1)
