"""Which batteries are low."""

from collections.abc import Mapping
from typing import Any

from devices.kind import Kind

METRICS = {"battery_pct": "%", "battery_v": "V"}
_LOW = {"battery_pct": 20.0}  # project default, for kinds that set no limit of their own


def is_low(kind: Kind, limits: Mapping[str, Any], latest: Mapping[str, Any]) -> bool:
    """Whether a device's battery is below its limit ``battery_pct_low`` or ``battery_v_low``.

    Args:
        kind: Its kind, whose limits hold where it has none of its own.
        limits: Its own limits.
        latest: The last value of each metric.
    """
    return any(_below(kind, limits, name, latest.get(name)) for name in METRICS)


def _below(kind: Kind, limits: Mapping[str, Any], name: str, value: float | None) -> bool:
    described = kind.limits.get(f"{name}_low")
    usual = described.resolve({}) if described else _LOW.get(name)
    low = limits.get(f"{name}_low", usual)
    return value is not None and low is not None and value < low
