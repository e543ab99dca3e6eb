"""Groups of devices: the lamps of a circuit, the covers of a grid, the sensors of a bridge's member.

A group is a facility of its own, registered under a number like a device, so that alarms and cases can speak of it.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import msgspec

from devices.kind import AttributeType, Kind, Metric, MetricType
from devices.registry import GROUP_FIELDS, GROUP_KIND, Description, Device, Registry

_SHARED = ("district", "grid", "road", "road_class", "component_class", "supervisor", "owner", "maintainer")


def _figure(name: str, doc: str) -> Metric:
    return Metric(name=name, type=MetricType.DOUBLE, unit="1", doc=doc)


# What conditions about a group may ask: its figures, and of its facility what every device is described by.
GROUP = Kind(
    name=GROUP_KIND,
    code=0,
    names={"en": "Group", "zh": "设施组"},
    doc="Devices that are judged together.",
    interval=timedelta(minutes=1),
    heartbeat=timedelta(minutes=1),
    component_classes=(),
    metrics=(
        _figure("hits", "Members for which the member condition holds."),
        _figure("known", "Members of which the window tells whether it holds."),
        _figure("members", "Members in the registry."),
        _figure("share", "Hits among the known members; unknown where none is known."),
        _figure("run", "Longest unbroken row of hits among members in order of their attribute position."),
    ),
    limits={},
    attributes={},
    folder=Path(),
)


def groupings(kind: Kind) -> list[str]:
    """By what devices of a kind can be grouped."""
    words = {AttributeType.TEXT, AttributeType.ENUM}
    return [*GROUP_FIELDS, *(name for name, attribute in kind.attributes.items() if attribute.type in words)]


def facility(group: str, devices: Iterable[Device]) -> Description:
    """A group's description: in the middle of its members; of everything else what most of them have."""
    devices = list(devices)
    shared = {name: Counter(getattr(device, name) for device in devices).most_common(1)[0][0] for name in _SHARED}
    return Description(
        device_id=group,
        kind=GROUP.name,
        name=group.split(":")[1],
        lon=sum(device.lon for device in devices) / len(devices),
        lat=sum(device.lat for device in devices) / len(devices),
        **shared,
    )


def grouped(registry: Registry, groupings: Iterable[tuple[str, tuple[str, ...]]]) -> Registry:
    """The registry with a facility for every group that devices of a kind form by some fields.

    Those that are not registered yet get the numbers after the last.
    """
    known = [*registry.devices.values(), *registry.groups.values()]
    described = {
        group: facility(group, members)
        for kind, by in sorted(set(groupings))
        for group, members in registry.members(kind, by).items()
        if group not in registry.groups
    }
    first = max((device.id for device in known), default=0) + 1
    new = [
        Device(id=number, **msgspec.structs.asdict(each)) for number, each in enumerate(described.values(), start=first)
    ]
    return Registry(registry.kinds, [*known, *new], registry.revision) if new else registry
