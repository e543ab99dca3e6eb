"""The devices of one kind as columns, which physics works on."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from devices.kind import Kind
from devices.readings import Floats
from simulators.chance import Keys, keys_of
from simulators.device import Device


class Population:
    """The devices of one kind; a device is a row, in the order of the city's registry."""

    def __init__(self, kind: Kind, devices: Sequence[Device]) -> None:
        self.kind = kind
        self.devices = devices
        self.key = keys_of([device.device_id for device in devices])
        self.trait = np.array([device.trait for device in devices])
        self.lon = np.array([device.lon for device in devices])
        self.lat = np.array([device.lat for device in devices])
        self.row = {device.device_id: row for row, device in enumerate(devices)}
        self._numbers: dict[tuple[str, float], Floats] = {}
        self._words: dict[str, NDArray[np.str_]] = {}

    def __len__(self) -> int:
        return len(self.devices)

    @cached_property
    def road(self) -> Keys:
        """Keys of the roads: neighbours share their traffic."""
        return self._shared([device.road for device in self.devices])

    @cached_property
    def cabinet(self) -> Keys:
        """Keys of the cabinets: lamps on one share their voltage."""
        return self._shared([device.cabinet for device in self.devices])

    @cached_property
    def gateway(self) -> Keys:
        """Keys of the gateways; a device without one is its own."""
        return self._shared([device.gateway or device.device_id for device in self.devices])

    @cached_property
    def bridge(self) -> Keys:
        """Keys of the bridges: the sensors of one feel the same vehicles."""
        return self._shared([device.word("bridge") for device in self.devices])

    def number(self, attribute: str, default: float) -> Floats:
        """A numeric attribute of every device."""
        if (attribute, default) not in self._numbers:
            found = np.array([device.number(attribute, default) for device in self.devices])
            self._numbers[attribute, default] = found
        return self._numbers[attribute, default]

    def limit(self, name: str) -> Floats:
        """A limit of every device: its own, else the kind's."""
        if (f"limit.{name}", 0.0) not in self._numbers:
            default = self.kind.limits[name]
            found = [
                device.limits.get(name, default.resolve({default.by: self._by(device, default.by)}))
                for device in self.devices
            ]
            self._numbers[f"limit.{name}", 0.0] = np.array(found, dtype=np.float64)
        return self._numbers[f"limit.{name}", 0.0]

    def word(self, attribute: str) -> NDArray[np.str_]:
        """A textual attribute of every device, or its component class; empty where it has none of its own."""
        if attribute not in self._words:
            found = [
                device.component_class if attribute == "component_class" else device.word(attribute)
                for device in self.devices
            ]
            self._words[attribute] = np.array(found, dtype=np.str_)
        return self._words[attribute]

    def _by(self, device: Device, attribute: str) -> object:
        return device.attributes.get(attribute, self.kind.attributes[attribute].default) if attribute else None

    @staticmethod
    def _shared(names: list[str]) -> Keys:
        found, where = np.unique(np.array(names, dtype=np.str_), return_inverse=True)
        return keys_of(found.tolist())[where]
