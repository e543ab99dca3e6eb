"""What a device of a kind without physics of its own measures: healthy values, slowly wandering."""

import numpy as np

from devices.kind import Metric, MetricType
from devices.readings import Floats
from simulators.observation import Columns, Observation

_WHOLE = {MetricType.SMALLINT, MetricType.INTEGER}


def measure(o: Observation) -> Columns:
    """Every number and enumeration of the kind; texts and switches say nothing of health and are left out."""
    columns: Columns = {}
    for metric in o.population.kind.metrics:
        if metric.is_number:
            columns[metric.name] = _number(metric, o)
        elif metric.type is MetricType.ENUM:
            columns[metric.name] = np.zeros(len(o))
    return columns


def _number(metric: Metric, o: Observation) -> Floats:
    low, high = metric.typical or metric.range or (0.0, 1.0)
    share = 0.5 + 0.3 * o.wander(metric.name, hours=6) + 0.05 * o.normal(metric.name)
    value = low + (high - low) * np.clip(share, 0, 1)
    return np.asarray(np.round(value) if metric.type in _WHOLE else np.round(value, 3))
