"""The registry: an immutable snapshot of what is out there, indexed for the decoder and the rules."""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from devices.columns import AttributeValue, Columns, Common
from devices.device import Device, Devices, columns_of, highest
from devices.kind import AttributeType, Kind, LimitStep
from devices.readings import Floats, Ints
from devices.topics import CHANNELS, DeviceTopic, device_topic

_MOST_TOPICS = 2**18  # remembered with their devices, some 50 MB; beyond it the memory begins anew


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
        devices: The devices, and groups among them; those of a kind that is not installed are left out, and so
            quarantined.
        revision: Grows with every change of the registry; tells a snapshot from a newer one.
        groups: More groups.

    Attributes:
        devices: By number.
        groups: By their ids.
        by_topic: By the topics on which devices have been heard; ``publisher`` fills it.
    """

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        devices: Iterable[Device] | Columns,
        revision: int = 0,
        groups: Iterable[Device] = (),
    ) -> None:
        self.kinds = kinds
        self.revision = revision
        known = devices if isinstance(devices, Columns) else columns_of(devices)
        of_group = np.array([each.kind == GROUP_KIND for each in known.commons], dtype=bool)
        installed = np.array([each.kind in kinds for each in known.commons], dtype=bool)
        self.devices = Devices(known.where((installed & ~of_group)[known.common]))
        grouped = Devices(known.where(of_group[known.common]))
        self.groups = {each.device_id: each for each in (*grouped.values(), *groups)}
        self.by_topic: dict[str, Device] = {}
        self._samples: list[Common | None] = [None]  # of each profile a device; the first is nobody's
        self._profile = self._sorted()
        self._numbers: dict[tuple[str, str], Floats] = {}
        self._limits: dict[tuple[str, str], tuple[Ints, Floats]] = {}
        self._words: dict[tuple[str, str], NDArray[np.object_]] = {}
        self._members: dict[tuple[str, tuple[str, ...]], dict[str, Ints]] = {}
        self._memberships: dict[tuple[str, tuple[str, ...]], Membership] = {}

    def with_groups(self, groups: Iterable[Device]) -> "Registry":
        """The same devices, and these groups instead."""
        return Registry(self.kinds, self.devices.columns, self.revision, groups)

    def with_kinds(self, kinds: Mapping[str, Kind]) -> "Registry":
        """The same devices and groups, with kinds whose limits differ."""
        return Registry(kinds, self.devices.columns, self.revision, self.groups.values())

    def publisher(self, topic: DeviceTopic) -> Device | None:
        """The device whose topic this is, whatever its channel; None if none is registered there."""
        device = self.named(topic.device_id)
        if device is None or device.kind != topic.kind or device.district != topic.district:
            return None
        if topic.channel in CHANNELS:
            if len(self.by_topic) >= _MOST_TOPICS:
                self.by_topic.clear()
            self.by_topic[device_topic(topic.district, topic.kind, topic.device_id, topic.channel)] = device
        return device

    def named(self, device_id: str) -> Device | None:
        """The device of this id; None if none is registered."""
        return self.devices.named(device_id)

    def of_kind(self, kind: str, numbers: Ints) -> Ints:
        """Those of these numbers that devices of a kind have."""
        columns, places = self.devices.columns, self.devices.places(numbers)
        known = np.flatnonzero(places >= 0)
        mine = [columns.commons[code].kind == kind for code in columns.common[places[known]].tolist()]
        found: Ints = numbers[known[np.array(mine, dtype=bool)]]
        return found

    def all_of(self, kind: str) -> Ints:
        """The numbers of the devices of a kind, ascending."""
        return self.devices.columns.number[self.places_of(kind)]

    def places_of(self, kind: str) -> Ints:
        """Where in the columns the devices of a kind stand, ascending."""
        columns = self.devices.columns
        mine = np.array([each.kind == kind for each in columns.commons], dtype=bool)
        return np.flatnonzero(mine[columns.common])

    def members(self, kind: str, by: tuple[str, ...]) -> dict[str, Ints]:
        """Numbers of the devices of a kind by the id of their group, ``circuit:C-03:streetlight``, by their position.

        Groups are in the order of their first members.
        """
        if (kind, by) not in self._members:
            self._members[kind, by] = self._grouped(kind, by)
        return self._members[kind, by]

    def _grouped(self, kind: str, by: tuple[str, ...]) -> dict[str, Ints]:
        columns, places = self.devices.columns, self.places_of(kind)
        names: dict[str, int] = {}
        group = np.full(len(columns.commons), -1, dtype=np.int64)
        position = np.full(len(columns.commons), math.inf)
        for code in np.unique(columns.common[places]).tolist():
            common = columns.commons[code]
            if "position" in common.attributes:
                position[code] = _position(common)
            words = [self._group_word(common, field) for field in by]
            if all(words):
                group[code] = names.setdefault("/".join(words), len(names))
        places = places[np.argsort(position[columns.common[places]], kind="stable")]
        groups = group[columns.common[places]]
        places, groups = places[groups >= 0], groups[groups >= 0]
        found, first, size = np.unique(groups, return_index=True, return_counts=True)
        members = np.split(columns.number[places[np.argsort(groups, kind="stable")]], np.cumsum(size)[:-1])
        ids = [f"{'/'.join(by)}:{name}:{kind}" for name in names]
        return {ids[found[place]]: members[place] for place in np.argsort(first).tolist()}

    def membership(self, kind: str, by: tuple[str, ...]) -> Membership:
        """The members of a kind as columns; those of groups that are not registered left out."""
        if (kind, by) not in self._memberships:
            registered = [
                (self.groups[group].id, members)
                for group, members in self.members(kind, by).items()
                if group in self.groups
            ]
            registered.sort(key=lambda pair: pair[0])
            nobody = np.zeros(0, dtype=np.int64)
            self._memberships[kind, by] = Membership(
                np.concatenate([nobody, *(members for _, members in registered)]),
                np.concatenate([nobody, *(np.full(len(members), group) for group, members in registered)]),
            )
        return self._memberships[kind, by]

    def _group_word(self, device: Common, field: str) -> str:
        if field == "city":
            return _WHOLE_CITY
        if field in GROUP_FIELDS:
            return str(getattr(device, field))
        return str(self.attribute(device, field) or "")

    def limit(self, device: Common, name: str, day: date) -> LimitStep:
        """The limit in force for a device on a local day: its own, else the kind's default."""
        in_force = LimitStep(None, None, "")
        for step in self._steps(device, name):
            if step.valid_from is None or step.valid_from <= day:
                in_force = step
        return in_force

    def _steps(self, device: Common, name: str) -> list[LimitStep]:
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

    def attribute(self, device: Common, name: str) -> AttributeValue | None:
        """An attribute of a device, else the kind's default; also the fields of its description by name."""
        if name in DESCRIBED:
            return str(getattr(device, name)) or None
        return device.attributes.get(name, self.kinds[device.kind].attributes[name].default)

    def attributes(self, device: Common) -> dict[str, AttributeValue | None]:
        """All attributes of a device with the kind's defaults filled in."""
        return {name: self.attribute(device, name) for name in self.kinds[device.kind].attributes}

    def positions_of(self, devices: Ints) -> tuple[Floats, Floats]:
        """Latitude and longitude of each of these devices, degrees."""
        columns, places = self.devices.columns, self.devices.places(devices)
        lat, lon = np.full(len(devices), np.nan), np.full(len(devices), np.nan)
        known = places >= 0
        lat[known], lon[known] = columns.lat[places[known]], columns.lon[places[known]]
        return lat, lon

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

    def _sorted(self) -> NDArray[np.int32]:
        """By number of device or group the profile, which all share who have the same of what rules may ask for."""
        known: dict[tuple[object, ...], int] = {}

        def profile(device: Common) -> int:
            # The storage gives equal documents as one object.
            documents = id(device.limits), id(device.limit_changes), id(device.attributes)
            key = (device.kind, *documents, *[getattr(device, name) for name in DESCRIBED])
            if key not in known:
                known[key] = len(self._samples)
                self._samples.append(device)
            return known[key]

        columns = self.devices.columns
        last = max([highest(columns.number), *(group.id for group in self.groups.values())])
        profiles = np.zeros(last + 1, dtype=np.int32)
        in_use = np.unique(columns.common)
        of_common = np.zeros(len(columns.commons), dtype=np.int32)
        of_common[in_use] = [profile(columns.commons[code]) for code in in_use.tolist()]
        profiles[columns.number] = of_common[columns.common]
        for group in self.groups.values():
            profiles[group.id] = profile(group)
        return profiles

    def _samples_of(self, kind: str) -> Iterator[tuple[int, Common]]:
        for profile, sample in enumerate(self._samples):
            if sample is not None and sample.kind == kind:
                yield profile, sample


def _position(device: Common) -> float:
    """Where a device stands among its neighbours; at the end where nobody says, in order of registration."""
    value = device.attributes["position"]
    return float(value) if isinstance(value, int | float) else math.inf


# Fields of a description that rules may ask for by name, all of them words.
DESCRIBED = ("district", "road_class", "component_class")


def attribute_type(kind: Kind, name: str) -> AttributeType | None:
    """The type of an attribute as rules see it; None if a device of this kind has no such attribute."""
    if name in DESCRIBED:
        return AttributeType.TEXT
    attribute = kind.attributes.get(name)
    return attribute.type if attribute else None
