"""Groups of devices: the lamps of a circuit, the covers of a grid, the sensors of a bridge's member.

A group is a facility of its own, registered under a number like a device, so that alarms and cases can speak of it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec

from devices.device import Description, Device
from devices.kind import AttributeType, Kind, Metric, MetricType
from devices.readings import Ints
from devices.registry import GROUP_FIELDS, GROUP_KIND, Registry

_SHARED = ("district", "grid", "road", "road_class", "component_class", "supervisor", "owner", "maintainer")
_of_shared = attrgetter(*_SHARED)


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


def facility(group: str, registry: Registry, members: Ints) -> Description:
    """A group's description: in the middle of its members; of everything else what most of them have."""
    columns, places = registry.devices.columns, registry.devices.places(members)
    # In order of the members: of words that are as frequent as others the first one's counts.
    often = Counter(columns.common[places].tolist())
    words = zip(*(_of_shared(columns.commons[code]) for code in often), strict=True)
    shared: dict[str, Any] = {
        field: column[0] if len(set(column)) == 1 else _most(column, often.values())
        for field, column in zip(_SHARED, words, strict=True)
    }
    return Description(
        device_id=group,
        kind=GROUP.name,
        name=group.split(":")[1],
        lon=sum(columns.lon[places].tolist()) / len(members),
        lat=sum(columns.lat[places].tolist()) / len(members),
        **shared,
    )


def _most(words: Iterable[str], often: Iterable[int]) -> str:
    counted: dict[str, int] = defaultdict(int)
    for word, times in zip(words, often, strict=True):
        counted[word] += times
    return max(counted, key=counted.__getitem__)


def grouped(registry: Registry, groupings: Iterable[tuple[str, tuple[str, ...]]]) -> Registry:
    """The registry with a facility for every group that devices of a kind form by some fields.

    Those that are not registered yet get the numbers after the last.
    """
    described = {
        group: facility(group, registry, members)
        for kind, by in sorted(set(groupings))
        for group, members in registry.members(kind, by).items()
        if group not in registry.groups
    }
    numbers = [*registry.devices.columns.number[-1:].tolist(), *(group.id for group in registry.groups.values())]
    first = max(numbers, default=0) + 1
    new = [
        Device(id=number, **msgspec.structs.asdict(each)) for number, each in enumerate(described.values(), start=first)
    ]
    return registry.with_groups([*registry.groups.values(), *new]) if new else registry
