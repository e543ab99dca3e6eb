"""Which partition hears which device, and how far what they heard is stored. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from devices.device import Device
from devices.readings import Ints
from devices.registry import Registry


@dataclass(frozen=True, slots=True)
class Hears:
    """Which partition hears whom.

    Attributes:
        of: The partition of a device; None if none hears it.
        by_district: Whether all devices of a kind and district share one.
    """

    of: Callable[[Device], str | None]
    by_district: bool = True


# As if each district had a partition of its name.
DISTRICTS = Hears(lambda device: device.district)


def heard_in(registry: Registry, hears: Hears, partition: str, kind: str) -> list[int]:
    """The numbers of the devices of a kind that a partition hears."""
    numbers, codes, names = _heard_by(registry, kind, hears)
    return numbers[codes == names.index(partition)].tolist() if partition in names else []


def _heard_by(registry: Registry, kind: str, hears: Hears) -> tuple[Ints, Ints, list[str]]:
    """The devices of a kind, ascending, for each the place of its partition's name, and the names; empty for none."""
    columns, places = registry.devices.columns, registry.places_of(kind)
    alike = np.arange(len(places))
    if hears.by_district:
        districts = {common.district: place for place, common in enumerate(columns.commons)}
        alike = np.array([districts[common.district] for common in columns.commons], dtype=np.int64)
        alike = alike[columns.common[places]]
    _, first, of_device = np.unique(alike, return_index=True, return_inverse=True)
    heard = [hears.of(registry.devices.at(place)) or "" for place in places[first].tolist()]
    names = sorted({*heard})
    return columns.number[places], np.array([names.index(name) for name in heard], dtype=np.int64)[of_device], names


class Hearers:
    """Who hears the subjects of rules: the devices, and all members of a group together.

    Args:
        registry: The devices and the registered groups.
        hears: Which partition hears a device.
    """

    def __init__(self, registry: Registry, hears: Hears) -> None:
        self._registry = registry
        self._hears = hears
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
            self._needed(1 << code): devices[places[codes[places] == code]].tolist()
            for code in np.unique(codes[places]).tolist()
        }

    def _by_needs(self, kind: str, by: tuple[str, ...]) -> dict[frozenset[str], Ints]:
        devices, codes = self._coded(kind)
        if not by:
            return {self._needed(1 << code): devices[codes == code] for code in np.unique(codes).tolist()}
        members = self._registry.membership(kind, by)
        subjects, codes = members.group, codes[np.searchsorted(devices, members.device)]
        subject, of_subject = np.unique(subjects, return_inverse=True)
        bits = np.zeros(len(subject), dtype=object)  # as many bits as there are partitions
        for code in np.unique(codes).tolist():
            bits[np.unique(of_subject[codes == code])] |= 1 << code
        return {self._needed(need): subject[bits == need] for need in dict.fromkeys(bits.tolist())}

    def _needed(self, bits: int) -> frozenset[str]:
        return frozenset(name for code, name in enumerate(self._names) if name and bits >> code & 1)

    def _coded(self, kind: str) -> tuple[Ints, Ints]:
        """Numbers of the devices of a kind, ascending, and of the name of each one's partition."""
        if kind not in self._codes:
            numbers, codes, names = _heard_by(self._registry, kind, self._hears)
            self._names += sorted({*names} - {*self._names})
            place = np.array([self._names.index(name) for name in names], dtype=np.int64)
            self._codes[kind] = numbers, place[codes] if names else codes
        return self._codes[kind]


def stored_until(heard_by: Iterable[str], worked_off: Mapping[str, int], now: int) -> int:
    """Until when (µs since 1970 UTC) all that was sent to these partitions is stored; ``now`` where none is behind.

    A partition that was neither prepared nor collected holds nobody up, and nobody has come further than ``now``,
    whatever a collector's clock says.
    """
    return min([now, *(worked_off[name] for name in heard_by if name in worked_off)])
