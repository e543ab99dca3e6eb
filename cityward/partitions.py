"""Which partition hears which device, and how far what they heard is stored."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from cityward.settings import Settings
from devices.kind import Kind
from devices.readings import Ints
from devices.registry import Device, Registry
from devices.topics import device_topic


class Partitions:
    """The partitions of a city. Devices of a kind and district mostly share one, so that is looked up once for all."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        filters = [each.split("/") for name in settings.partitions for each in settings.filters(name)]
        self._by_device = any(len(levels) > 3 and levels[3] not in {"+", "#"} for levels in filters)
        self._known: dict[tuple[str, str, str], str | None] = {}

    def of(self, device: Device) -> str | None:
        """The partition that hears a device; None if none does."""
        key = (device.district, device.kind, device.device_id if self._by_device else "")
        if key not in self._known:
            topic = device_topic(device.district, device.kind, device.device_id)
            self._known[key] = self._settings.partition_of(topic)
        return self._known[key]

    def devices(self, registry: Registry, partition: str, kind: Kind) -> list[int]:
        """The numbers of the devices of a kind that a partition hears."""
        return [device.id for device in registry.of_kind(kind.name) if self.of(device) == partition]


def nobody(_device: Device) -> None:
    """The partition of a device where nothing is collected: nothing is waited for."""


class Hearers:
    """Who hears the subjects of rules: the devices, and all members of a group together.

    Args:
        registry: The devices and the registered groups.
        partition_of: The partition that hears a device, if any does.
    """

    def __init__(self, registry: Registry, partition_of: Callable[[Device], str | None]) -> None:
        self._registry = registry
        self._partition_of = partition_of
        self._names: list[str] = []
        self._codes: dict[str, tuple[Ints, Ints]] = {}
        self._found: dict[tuple[str, tuple[str, ...]], dict[frozenset[str], Ints]] = {}

    def subjects(self, kind: str, by: tuple[str, ...]) -> Mapping[frozenset[str], Ints]:
        """The numbers of the groups of a kind, of its devices where it is not grouped, by the partitions they need."""
        if (kind, by) not in self._found:
            self._found[kind, by] = self._by_needs(kind, by)
        return self._found[kind, by]

    def among(self, kind: str, numbers: Iterable[int]) -> dict[frozenset[str], list[int]]:
        """Those of these devices that are of a kind, by the partition they need, ascending."""
        devices, codes = self._coded(kind)
        asked = np.array(sorted(numbers), dtype=np.int64)
        places = np.searchsorted(devices, asked)
        places = places[devices[np.minimum(places, len(devices) - 1)] == asked] if len(devices) else places[:0]
        return {
            frozenset({self._names[code]} - {""}): devices[places[codes[places] == code]].tolist()
            for code in np.unique(codes[places]).tolist()
        }

    def _by_needs(self, kind: str, by: tuple[str, ...]) -> dict[frozenset[str], Ints]:
        devices, codes = self._coded(kind)
        subjects = devices
        if by:
            members = self._registry.membership(kind, by)
            subjects, codes = members.group, codes[np.searchsorted(devices, members.device)]
        needs: dict[int, int] = defaultdict(int)  # bit by bit
        for subject, code in np.unique(np.stack([subjects, codes]), axis=1).T.tolist():
            needs[subject] |= 1 << code
        found: dict[int, list[int]] = defaultdict(list)
        for subject, bits in needs.items():
            found[bits].append(subject)
        return {
            frozenset(name for code, name in enumerate(self._names) if name and bits >> code & 1): np.array(mine)
            for bits, mine in found.items()
        }

    def _coded(self, kind: str) -> tuple[Ints, Ints]:
        """Numbers of the devices of a kind, ascending, and of the name of each one's partition."""
        if kind not in self._codes:
            devices = self._registry.of_kind(kind)
            names = [self._partition_of(device) or "" for device in devices]
            self._names += sorted({*names} - {*self._names})
            place = {name: code for code, name in enumerate(self._names)}
            numbers = np.array([device.id for device in devices], dtype=np.int64)
            codes = np.array([place[name] for name in names], dtype=np.int64)
            order = np.argsort(numbers)
            self._codes[kind] = numbers[order], codes[order]
        return self._codes[kind]


def stored_until(heard_by: Iterable[str], worked_off: Mapping[str, int], now: int) -> int:
    """Until when (µs since 1970 UTC) all that was sent to these partitions is stored; ``now`` where none is behind.

    A partition that was never collected holds nobody up.
    """
    return min((worked_off[name] for name in heard_by if name in worked_off), default=now)
