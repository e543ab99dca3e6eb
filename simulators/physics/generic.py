"""What a device of a kind without physics of its own measures: healthy values, slowly wandering."""

from datetime import datetime
from random import Random

from devices.kind import Kind, Metric, MetricType
from simulators.device import Device
from simulators.physics.metrics import Metrics
from simulators.physics.weather import wander

_WHOLE = {MetricType.SMALLINT, MetricType.INTEGER}


def measure(kind: Kind, device: Device, at: datetime, random: Random) -> Metrics:
    """Every number and enumeration of the kind; texts and switches say nothing of health and are left out."""
    metrics: Metrics = {}
    for metric in kind.metrics:
        if metric.is_number:
            metrics[metric.name] = _number(metric, device, at, random)
        elif metric.type is MetricType.ENUM:
            metrics[metric.name] = metric.values[0]
    return metrics


def _number(metric: Metric, device: Device, at: datetime, random: Random) -> float | int:
    low, high = metric.typical or metric.range or (0.0, 1.0)
    slow = wander(f"{device.device_id} {metric.name}", at, hours=6)
    share = min(1.0, max(0.0, 0.5 + 0.3 * slow + random.gauss(0, 0.05)))
    value = low + (high - low) * share
    return round(value) if metric.type in _WHOLE else round(value, 3)
