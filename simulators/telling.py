"""A scenario told of one city: which devices, when to the millisecond; pure, the same for the same seed."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

import numpy as np

from devices.errors import DescriptionError
from devices.moments import MICROS
from simulators.city import PretendCity, build_city
from simulators.device import Device
from simulators.faults import DAY, HOUR, MINUTE, Fault, nature_of
from simulators.physics.daytime import day_of, midnight
from simulators.physics.traffic import Crowd
from simulators.physics.weather import Gale, Rain
from simulators.scenario import FaultEntry, Scenario, Where, seconds
from simulators.story import Permit, Story

_METRES_A_DEGREE = 111_000.0
_MOST = 1000  # devices of the largest city that is looked at for one that has enough
_APART = HOUR  # between two faults of one device, so that nobody takes the end of one for the other


def tell(scenario: Scenario, city: PretendCity, start: datetime, seed: int) -> Story:
    """The story of a scenario in a city from a moment on; what would have begun before it is left out.

    Day 1 is the local day of ``start``. No device has two faults at a time.

    Raises:
        DescriptionError: naming the entry for which the city has no device at all, and how many devices would do.
    """
    try:
        return _told(scenario, city, start, seed)
    except _NoneThereError as error:
        here = f"{error}: the city of {len(city.devices)} devices has none that this could befall"
        raise DescriptionError(
            f"scenario {scenario.name}", [f"{here}; {_enough(scenario, city, start, seed)}"]
        ) from error


def shortage(scenario: Scenario, city: PretendCity, story: Story, start: datetime, seed: int) -> str:
    """What befell fewer devices than the scenario asks for, and how many devices would do; empty if nothing did."""
    if not story.short:
        return ""
    few = f"{len(city.devices)} devices are too few for {', '.join(story.short)}"
    return f"{few}; {_enough(scenario, city, start, seed)}"


class _NoneThereError(Exception):
    """Which entry the city has no device for."""


def _enough(scenario: Scenario, city: PretendCity, start: datetime, seed: int) -> str:
    """How many devices have everything that the scenario asks for, in tens."""
    for devices in range(len(city.devices) // 10 * 10 + 10, _MOST + 1, 10):
        with suppress(_NoneThereError):
            if not _told(scenario, build_city(seed, devices, city.kinds), start, seed).short:
                return f"--devices {devices} has enough for all of it"
    return f"not even --devices {_MOST} has enough"


def _told(scenario: Scenario, city: PretendCity, start: datetime, seed: int) -> Story:
    teller = _Teller(scenario, city, round(start.timestamp() * 1000) * 1000, seed)
    faults, permits = teller.faults()
    return Story(
        faults=faults,
        permits=permits,
        rains=tuple(teller.rains()),
        gales=tuple(Gale(*teller.span(each.at, each.lasts), each.m_per_s) for each in scenario.gales),
        crowds=tuple(Crowd(*teller.span(each.at, each.lasts), each.times) for each in scenario.crowds),
        lines=scenario.transport,
        short=tuple(teller.short),
    )


@dataclass(slots=True)
class _Teller:
    scenario: Scenario
    city: PretendCity
    start: int
    seed: int
    taken: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    short: list[str] = field(default_factory=list)

    def faults(self) -> tuple[tuple[Fault, ...], tuple[Permit, ...]]:
        found: list[Fault] = []
        permits: list[Permit] = []
        for number, entry in enumerate(self.scenario.faults):
            here = f"{number + 1:02}-{entry.kind}"
            made = [each for each in self._entry(entry, here) if each.start >= self.start]
            found += made
            if entry.permit:
                permits += [
                    Permit(entry.permit, each.devices, each.start, each.end, self.scenario.title) for each in made
                ]
        return tuple(found), tuple(permits)

    def rains(self) -> Iterator[Rain]:
        for number, entry in enumerate(self.scenario.rains):
            span = self.span(entry.at, entry.lasts)
            if entry.where is None:
                yield Rain(*span, entry.mm_per_h)
                continue
            there = self._chosen(entry.where, self.city.of_kind("manhole"), f"rain[{number}]")
            lon, lat = (float(np.mean([getattr(each, name) for each in there])) for name in ("lon", "lat"))
            yield Rain(*span, entry.mm_per_h, lon, lat, entry.radius_m / _METRES_A_DEGREE)

    def span(self, at: str, lasts: str) -> tuple[int, int]:
        """From and until in µs."""
        begins = self.moment(at)
        return begins, begins + round(seconds(lasts) * MICROS)

    def moment(self, at: str) -> int:
        """``+5m`` after the start, or ``d2 22:30`` of the second day, local time."""
        if at.startswith("+"):
            return self.start + round(seconds(at[1:]) * MICROS)
        day, _, clock = at.removeprefix("d").partition(" ")
        hours, _, minutes = clock.partition(":")
        first = int(midnight(day_of(np.array([self.start])))[0])
        return first + (int(day) - 1) * DAY + int(hours) * HOUR + int(minutes) * MINUTE

    def _entry(self, entry: FaultEntry, here: str) -> Iterator[Fault]:
        random = Random(f"{self.seed} {here}")
        fitting = [
            device
            for device in self.city.devices
            if nature_of(entry.kind, device) and entry.device_kind in {"", device.kind}
        ]
        devices = self._chosen(entry.where, fitting, here)
        random.shuffle(devices)
        first, lasts = self.moment(entry.at), round(seconds(entry.lasts) * MICROS)
        again, spread = round(seconds(entry.every) * MICROS), seconds(entry.spread) * MICROS
        turns = [first + turn * again for turn in range(entry.times)]
        if entry.together:
            names = tuple(sorted(device.device_id for device in devices))
            for turn, begins in enumerate(turns):
                yield self._fault(entry, names, begins, begins + lasts, f"{here}-{turn + 1}")
            return
        wanted = entry.count or (round(entry.share * len(devices)) if entry.share is not None else len(devices))
        number = 0
        for device in devices:
            if number == wanted:
                break
            late = int(random.random() * spread) // 1000 * 1000
            spans = [(begins + late, begins + late + lasts) for begins in turns]
            if self._free(device.device_id, spans):
                number += 1
                for turn, (begins, ends) in enumerate(spans):
                    yield self._fault(entry, (device.device_id,), begins, ends, f"{here}-{number}-{turn + 1}")
        if entry.count and number < entry.count:
            self.short.append(f"{here} ({number} of {entry.count})")

    def _fault(self, entry: FaultEntry, names: tuple[str, ...], begins: int, ends: int, label: str) -> Fault:
        for name in names:
            self.taken[name].append((begins, ends))
        return Fault(entry.kind, names, begins, ends, entry.size, label, under_permit=bool(entry.permit))

    def _free(self, name: str, spans: Iterable[tuple[int, int]]) -> bool:
        return not any(
            begins < until + _APART and since < ends + _APART
            for begins, ends in spans
            for since, until in self.taken[name]
        )

    def _chosen(self, where: Where, devices: Sequence[Device], here: str) -> list[Device]:
        found = [device for device in devices if _is_there(device, where)]
        if where.fullest and found:
            groups = Counter(group_of(device, where.fullest) for device in found)
            del groups[""]
            fullest = max(sorted(groups), key=groups.__getitem__, default="")
            found = [device for device in found if group_of(device, where.fullest) == fullest != ""]
        if not found:
            raise _NoneThereError(here)
        return found


def group_of(device: Device, group: str) -> str:
    """The group of that sort that a device belongs to; empty where it belongs to none."""
    return device.word("bridge") if group == "bridge" else str(getattr(device, group))


def _is_there(device: Device, where: Where) -> bool:
    named = ("district", "road", "road_class", "component_class", "circuit")
    return all(getattr(where, name) in {"", getattr(device, name)} for name in named) and all(
        device.word(name) == value for name, value in where.attributes.items()
    )
