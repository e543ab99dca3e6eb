"""What a rule's text speaks of: the metrics of a device and the limits that hold for it. Pure."""

import re
from dataclasses import dataclass
from datetime import date

from devices.device import Device
from devices.kind import LimitStep
from devices.registry import Registry

_LIMIT = re.compile(r"\blimit\.(\w+)")
_WORD = re.compile(r"[a-z_]\w*")


@dataclass(frozen=True, slots=True)
class LimitSaid:
    """A limit that a rule asked for, as it was in force for the device, and since when."""

    name: str
    step: LimitStep
    unit: str
    own: bool


def limits(text: str, device: Device, registry: Registry, day: date) -> list[LimitSaid]:
    """The limits that a rule's text names, as they were on a local day."""
    kind = registry.kinds[device.kind]
    return [
        LimitSaid(
            name=name,
            step=registry.limit(device, name, day),
            unit=kind.limits[name].unit,
            own=name in device.limits or name in device.limit_changes,
        )
        for name in dict.fromkeys(_LIMIT.findall(text))
        if name in kind.limits
    ]


def metrics(text: str, device: Device, registry: Registry) -> list[str]:
    """The metrics that a rule's text names, in the kind's order."""
    words = set(_WORD.findall(text))
    return [metric.name for metric in registry.kinds[device.kind].metrics if metric.name in words]
