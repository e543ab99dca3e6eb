"""The registry: an immutable snapshot of what is out there, indexed for the decoder and the rules."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from devices.kind import AttributeType, Kind
from devices.readings import Floats
from devices.topics import CHANNELS, device_topic

AttributeValue = float | str | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A device as a registry file describes it.

    Position in degrees (CGCS2000, which equals WGS84 within a metre). ``supervisor``, ``owner`` and ``maintainer``
    are the three organisations of GB/T 30428: 主管, 权属 and 养护; empty where unknown. ``circuit``, ``cabinet`` and
    ``gateway`` name the parents whose failure explains this device's silence. ``limits`` and ``attributes`` hold
    what differs from the kind's defaults.
    """

    device_id: str
    kind: str
    name: str
    district: str
    grid: str = ""
    lon: float
    lat: float
    road: str = ""
    road_class: str = ""
    component_class: str = ""
    circuit: str = ""
    cabinet: str = ""
    gateway: str = ""
    supervisor: str = ""
    owner: str = ""
    maintainer: str = ""
    limits: Mapping[str, float] = field(default_factory=dict)
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device(Description):
    """A registered device: its description and the number that stands for it in every table."""

    id: int


class Registry:
    """All devices at one revision.

    Args:
        kinds: Every kind by name.
        devices: The devices; those of a kind that is not installed are left out, and so quarantined.
        revision: Grows with every change of the registry; tells a snapshot from a newer one.
    """

    def __init__(self, kinds: Mapping[str, Kind], devices: Iterable[Device], revision: int = 0) -> None:
        self.kinds = kinds
        self.revision = revision
        self.devices: dict[int, Device] = {device.id: device for device in devices if device.kind in kinds}
        self.by_topic: dict[str, Device] = {
            device_topic(device.district, device.kind, device.device_id, channel): device
            for device in self.devices.values()
            for channel in CHANNELS
        }
        self._size = max(self.devices, default=0) + 1
        self._numbers: dict[tuple[str, str], Floats] = {}
        self._words: dict[tuple[str, str], NDArray[np.object_]] = {}

    def of_kind(self, kind: str) -> list[Device]:
        """The devices of a kind, by number."""
        return [device for device in self.devices.values() if device.kind == kind]

    def limit(self, device: Device, name: str) -> float | None:
        """The limit in force for a device: its own, else the kind's default."""
        if name in device.limits:
            return device.limits[name]
        kind = self.kinds[device.kind]
        return kind.limits[name].resolve(self.attributes(device))

    def attribute(self, device: Device, name: str) -> AttributeValue | None:
        """An attribute of a device, else the kind's default; also the fields of its description by name."""
        if name in DESCRIBED:
            return str(getattr(device, name)) or None
        return device.attributes.get(name, self.kinds[device.kind].attributes[name].default)

    def attributes(self, device: Device) -> dict[str, AttributeValue | None]:
        """All attributes of a device with the kind's defaults filled in."""
        return {name: self.attribute(device, name) for name in self.kinds[device.kind].attributes}

    def limit_column(self, kind: str, name: str) -> Floats:
        """A limit for every device of a kind, indexed by device number; NaN where there is none."""
        return self._number_column(kind, f"limit.{name}")

    def number_column(self, kind: str, name: str) -> Floats:
        """A numeric or boolean attribute, indexed by device number; NaN where unknown."""
        return self._number_column(kind, name)

    def word_column(self, kind: str, name: str) -> NDArray[np.object_]:
        """A textual attribute, indexed by device number; None where unknown."""
        key = (kind, name)
        if key not in self._words:
            column = np.full(self._size, None, dtype=object)
            for device in self.of_kind(kind):
                column[device.id] = self.attribute(device, name)
            self._words[key] = column
        return self._words[key]

    def _number_column(self, kind: str, name: str) -> Floats:
        key = (kind, name)
        if key not in self._numbers:
            column = np.full(self._size, np.nan)
            for device in self.of_kind(kind):
                value = (
                    self.limit(device, name.removeprefix("limit."))
                    if name.startswith("limit.")
                    else self.attribute(device, name)
                )
                if value is not None:
                    column[device.id] = float(value)
            self._numbers[key] = column
        return self._numbers[key]


# Fields of a description that rules may ask for by name, all of them words.
DESCRIBED = ("district", "road_class", "component_class")


def attribute_type(kind: Kind, name: str) -> AttributeType | None:
    """The type of an attribute as rules see it; None if a device of this kind has no such attribute."""
    if name in DESCRIBED:
        return AttributeType.TEXT
    attribute = kind.attributes.get(name)
    return attribute.type if attribute else None
