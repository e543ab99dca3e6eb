"""The registry: an immutable snapshot of what is out there, indexed for the decoder and the rules."""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.kind import AttributeType, Kind, LimitChange, LimitStep
from devices.readings import Floats, Ints
from devices.topics import CHANNELS, DeviceTopic, device_topic

AttributeValue = float | str | bool
_MOST_TOPICS = 2**18  # remembered with their devices, some 50 MB; beyond it the memory begins anew


class Description(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A device as a registry file describes it.

    Position in degrees (CGCS2000, which equals WGS84 within a metre). ``supervisor``, ``owner`` and ``maintainer``
    are the three organisations of GB/T 30428: 主管, 权属 and 养护; empty where unknown. ``circuit``, ``cabinet`` and
    ``gateway`` name the parents whose failure explains this device's silence. ``limits`` and ``attributes`` hold
    what differs from the kind's defaults; ``limit_changes`` what its own limits change to, and when.
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
    limits: Mapping[str, float] = {}
    limit_changes: Mapping[str, tuple[LimitChange, ...]] = {}
    attributes: Mapping[str, AttributeValue] = {}


class Device(Description, frozen=True, kw_only=True, gc=False):
    """A registered device: its description and the number that stands for it in every table."""

    id: int


# The kind of facilities that are no devices themselves: the lamps of a circuit, the covers of a grid.
GROUP_KIND = "group"
# By what devices of every kind are grouped; attributes of a kind may serve as well.
GROUP_FIELDS = ("circuit", "cabinet", "gateway", "grid", "road", "road_class", "district", "city")
_WHOLE_CITY = "all"
REGISTERED = "registry"  # where a device's own limit stands, if nothing else is said
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Membership:
    """Who is a member of which registered group: numbers of devices, groups together, each in order of position."""

    device: Ints
    group: Ints


class Registry:
    """All devices at one revision, and the groups of them, which send nothing.

    What differs from device to device is kept once for all that have it in common: a city of a million devices has
    some thousands of such profiles.

    Args:
        kinds: Every kind by name.
        devices: The devices; those of a kind that is not installed are left out, and so quarantined.
        revision: Grows with every change of the registry; tells a snapshot from a newer one.

    Attributes:
        devices: By number.
        groups: By their ids.
        by_topic: By the topics on which devices have been heard; ``publisher`` fills it.
    """

    def __init__(self, kinds: Mapping[str, Kind], devices: Iterable[Device], revision: int = 0) -> None:
        self.kinds = kinds
        self.revision = revision
        self.devices: dict[int, Device] = {}
        self.groups: dict[str, Device] = {}
        for device in devices:
            if device.kind == GROUP_KIND:
                self.groups[device.device_id] = device
            elif device.kind in kinds:
                self.devices[device.id] = device
        self.by_topic: dict[str, Device] = {}
        self._by_name = {device.device_id: device for device in self.devices.values()}
        self._profile: NDArray[np.int32] = np.zeros(
            max([*self.devices, *(group.id for group in self.groups.values())], default=0) + 1, dtype=np.int32
        )
        self._samples: list[Device | None] = [None]  # of each profile a device; the first is nobody's
        self._sort()
        self._positions: tuple[Floats, Floats] | None = None
        self._numbers: dict[tuple[str, str], Floats] = {}
        self._limits: dict[tuple[str, str], tuple[Ints, Floats]] = {}
        self._words: dict[tuple[str, str], NDArray[np.object_]] = {}
        self._memberships: dict[tuple[str, tuple[str, ...]], Membership] = {}

    def publisher(self, topic: DeviceTopic) -> Device | None:
        """The device whose topic this is, whatever its channel; None if none is registered there."""
        device = self._by_name.get(topic.device_id)
        if device is None or device.kind != topic.kind or device.district != topic.district:
            return None
        if topic.channel in CHANNELS:
            if len(self.by_topic) >= _MOST_TOPICS:
                self.by_topic.clear()
            self.by_topic[device_topic(topic.district, topic.kind, topic.device_id, topic.channel)] = device
        return device

    def named(self, device_id: str) -> Device | None:
        """The device of this id; None if none is registered."""
        return self._by_name.get(device_id)

    def of_kind(self, kind: str) -> list[Device]:
        """The devices of a kind, by number."""
        return [device for device in self.devices.values() if device.kind == kind]

    def all_of(self, kind: str) -> Ints:
        """The numbers of the devices of a kind, ascending."""
        return np.array(sorted(device.id for device in self.of_kind(kind)), dtype=np.int64)

    def members(self, kind: str, by: tuple[str, ...]) -> dict[str, list[Device]]:
        """The devices of a kind by the id of their group, ``circuit:C-03:streetlight``, in order of position."""
        found: dict[str, list[Device]] = {}
        for device in sorted(self.of_kind(kind), key=_position):
            names = [self._group_name(device, field) for field in by]
            if all(names):
                found.setdefault(f"{'/'.join(by)}:{'/'.join(names)}:{kind}", []).append(device)
        return found

    def membership(self, kind: str, by: tuple[str, ...]) -> Membership:
        """The members of a kind as columns; those of groups that are not registered left out."""
        if (kind, by) not in self._memberships:
            pairs = [
                (device.id, self.groups[group].id)
                for group, devices in self.members(kind, by).items()
                if group in self.groups
                for device in devices
            ]
            pairs.sort(key=lambda pair: pair[1])
            columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
            self._memberships[kind, by] = Membership(columns[0], columns[1])
        return self._memberships[kind, by]

    def _group_name(self, device: Device, field: str) -> str:
        if field == "city":
            return _WHOLE_CITY
        if field in GROUP_FIELDS:
            return str(getattr(device, field))
        return str(self.attribute(device, field) or "")

    def limit(self, device: Device, name: str, day: date) -> LimitStep:
        """The limit in force for a device on a local day: its own, else the kind's default."""
        in_force = LimitStep(None, None, "")
        for step in self._steps(device, name):
            if step.valid_from is None or step.valid_from <= day:
                in_force = step
        return in_force

    def _steps(self, device: Device, name: str) -> list[LimitStep]:
        if name in device.limits:
            steps = [LimitStep(device.limits[name], None, REGISTERED)]
        else:
            steps = self.kinds[device.kind].limits[name].steps(self.attributes(device))
        own = [
            LimitStep(change.value, change.valid_from, change.standard_ref or REGISTERED)
            for change in device.limit_changes.get(name, ())
        ]
        first = own[0].valid_from if own else None
        return [*(step for step in steps if first is None or (step.valid_from or date.min) < first), *own]

    def attribute(self, device: Device, name: str) -> AttributeValue | None:
        """An attribute of a device, else the kind's default; also the fields of its description by name."""
        if name in DESCRIBED:
            return str(getattr(device, name)) or None
        return device.attributes.get(name, self.kinds[device.kind].attributes[name].default)

    def attributes(self, device: Device) -> dict[str, AttributeValue | None]:
        """All attributes of a device with the kind's defaults filled in."""
        return {name: self.attribute(device, name) for name in self.kinds[device.kind].attributes}

    def positions_of(self, devices: Ints) -> tuple[Floats, Floats]:
        """Latitude and longitude of each of these devices, degrees."""
        if self._positions is None:
            self._positions = np.full(len(self._profile), np.nan), np.full(len(self._profile), np.nan)
            for column, degrees in zip(self._positions, ("lat", "lon"), strict=True):
                column[[*self.devices]] = [getattr(device, degrees) for device in self.devices.values()]
        lat, lon = self._positions
        return lat[devices], lon[devices]

    def limits_of(self, kind: str, name: str, devices: Ints, days: Callable[[], Ints]) -> Floats:
        """A limit for each of these devices of a kind; NaN where there is none.

        ``days`` gives a local day for each, counted from 1970; it is asked only where the limit changes with time.
        """
        changes, table = self._limits_of(kind, name)
        step = np.searchsorted(changes, days(), side="right") if len(changes) else 0
        limits: Floats = table[self._profile[devices], step]
        return limits

    def _limits_of(self, kind: str, name: str) -> tuple[Ints, Floats]:
        """The days on which a limit changes for somebody, and by profile its value before and after each."""
        key = (kind, name)
        if key not in self._limits:
            steps = {profile: self._steps(sample, name) for profile, sample in self._samples_of(kind)}
            days = sorted({step.valid_from for each in steps.values() for step in each if step.valid_from is not None})
            table = np.full((len(self._samples), len(days) + 1), np.nan)
            for profile, each in steps.items():
                for step in each:
                    since = bisect_right(days, step.valid_from) if step.valid_from is not None else 0
                    table[profile, since:] = np.nan if step.value is None else step.value
            self._limits[key] = np.array([(day - _EPOCH).days for day in days], dtype=np.int64), table
        return self._limits[key]

    def numbers_of(self, kind: str, name: str, devices: Ints) -> Floats:
        """A numeric or boolean attribute for each of these devices of a kind; NaN where unknown."""
        return self._numbers_of(kind, name)[self._profile[devices]]

    def words_of(self, kind: str, name: str, devices: Ints) -> NDArray[np.object_]:
        """A textual attribute for each of these devices of a kind; None where unknown."""
        key = (kind, name)
        if key not in self._words:
            column = np.full(len(self._samples), None, dtype=object)
            for profile, sample in self._samples_of(kind):
                column[profile] = self.attribute(sample, name)
            self._words[key] = column
        return self._words[key][self._profile[devices]]

    def _numbers_of(self, kind: str, name: str) -> Floats:
        """By profile."""
        key = (kind, name)
        if key not in self._numbers:
            column = np.full(len(self._samples), np.nan)
            for profile, sample in self._samples_of(kind):
                value = self.attribute(sample, name)
                if value is not None:
                    column[profile] = float(value)
            self._numbers[key] = column
        return self._numbers[key]

    def _sort(self) -> None:
        """Give devices that have everything in common that rules may ask for the same profile."""
        known: dict[tuple[object, ...], int] = {}
        for device in (*self.devices.values(), *self.groups.values()):
            # The storage gives equal documents as one object.
            documents = id(device.limits), id(device.limit_changes), id(device.attributes)
            key = (device.kind, *documents, *[getattr(device, name) for name in DESCRIBED])
            profile = known.get(key)
            if profile is None:
                profile = known[key] = len(self._samples)
                self._samples.append(device)
            self._profile[device.id] = profile

    def _samples_of(self, kind: str) -> Iterator[tuple[int, Device]]:
        for profile, sample in enumerate(self._samples):
            if sample is not None and sample.kind == kind:
                yield profile, sample


def _position(device: Device) -> tuple[float, int]:
    """Where a device stands among its neighbours; at the end, in order of registration, where nobody says."""
    value = device.attributes.get("position", "")
    return (float(value) if isinstance(value, int | float) else math.inf, device.id)


# Fields of a description that rules may ask for by name, all of them words.
DESCRIBED = ("district", "road_class", "component_class")


def attribute_type(kind: Kind, name: str) -> AttributeType | None:
    """The type of an attribute as rules see it; None if a device of this kind has no such attribute."""
    if name in DESCRIBED:
        return AttributeType.TEXT
    attribute = kind.attributes.get(name)
    return attribute.type if attribute else None
