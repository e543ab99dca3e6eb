"""The truth about a story: what was wrong where and when, and what should be noticed by when."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import numpy as np

from devices.moments import MICROS
from devices.readings import Floats, Ints
from simulators.city import PretendCity
from simulators.device import Device
from simulators.faults import HOUR, MINUTE, Fault, FaultKind, nature_of
from simulators.fleet import Fleet
from simulators.story import Permit, Story

_LOOKS_EVERY = 10 * MINUTE
_DRAINS_H = 6  # hours after a rain in which wells are still full
_HIGH, _FULL = 0.8, 0.95  # of the depth
_LOOKS = 4  # as often it must stand high to be noticed by all means
_FLOOD = 5  # covers of one grid
_NOTICED = 30 * MINUTE


class Expected(msgspec.Struct, frozen=True):
    """A rule that should notice it, and until when."""

    rule: str
    by: datetime


class Label(msgspec.Struct, frozen=True):
    """One thing that was wrong, or looked as if it were.

    An alarm of a rule in ``expects`` or ``allows`` for one of ``devices``, or for the ``group`` as a whole
    (``circuit:…``, ``grid:…``), between ``start`` and ``end`` is right; any other alarm of these devices is not.
    ``under_permit``: alarms are right but nobody's duty, cases are not.
    """

    id: str
    kind: str
    devices: tuple[str, ...]
    start: datetime
    end: datetime
    expects: tuple[Expected, ...] = ()
    allows: tuple[str, ...] = ()
    group: str = ""
    under_permit: bool = False


class PermitRecord(msgspec.Struct, frozen=True):
    """Work that the city has allowed."""

    kind: str
    devices: tuple[str, ...]
    start: datetime
    end: datetime
    reason: str


class Truth(msgspec.Struct, frozen=True):
    """What goes with a story as one document."""

    labels: tuple[Label, ...]
    permits: tuple[PermitRecord, ...]


def truth(story: Story, city: PretendCity, seed: int) -> Truth:
    """The labels of a story in a city: of its faults, and of the wells that its rains fill."""
    labels = [_label(fault, city, number) for number, fault in enumerate(story.faults, start=1)]
    labels += _floods(story, city, seed)
    labels.sort(key=lambda label: (label.start, label.id))
    return Truth(tuple(labels), tuple(_record(permit) for permit in story.permits))


def _label(fault: Fault, city: PretendCity, number: int) -> Label:
    by_id = city.by_id
    natures = {device.kind: nature_of(fault.kind, device) for device in map(by_id.__getitem__, fault.devices)}
    known = [nature for nature in natures.values() if nature is not None]
    circuits = {by_id[name].circuit for name in fault.devices}
    is_circuit = fault.kind is FaultKind.DARK_CIRCUIT and len(circuits) == 1
    return Label(
        id=fault.label or f"{number:04}-{fault.kind}",
        kind=fault.kind.value,
        devices=fault.devices,
        start=_aware(fault.start),
        end=_aware(fault.end),
        expects=()
        if fault.under_permit
        else tuple(
            Expected(rule, _aware(fault.start + within)) for nature in known for rule, within in nature.expects.items()
        ),
        allows=tuple(rule for nature in known for rule in (*nature.expects, *nature.allows)),
        group=f"circuit:{circuits.pop()}" if is_circuit else "",
        under_permit=fault.under_permit,
    )


def _floods(story: Story, city: PretendCity, seed: int) -> Iterator[Label]:
    """Wells that the rains of a story fill, found by looking into every one of them every ten minutes."""
    covers = city.of_kind("manhole")
    if not story.rains or not covers:
        return
    fleet = Fleet(city, story, seed)
    for number, (begins, ends) in enumerate(_wet_spells(story), start=1):
        times = np.arange(begins, ends, _LOOKS_EVERY)
        share = _water(fleet, city, times)
        for row, cover in enumerate(covers):
            for rule, kind, level in (("MH-05", "high_water", _HIGH), ("MH-06", "overflow", _FULL)):
                stands = np.flatnonzero(share[:, row] >= level)
                if len(stands):
                    label = f"rain-{number}-{kind}-{cover.device_id}"
                    yield _well(label, kind, cover, times[stands], rule if len(stands) >= _LOOKS else "")
        yield from _flooded_grids(city, share, times, number)


def _wet_spells(story: Story) -> list[tuple[int, int]]:
    """When rain of the story falls or has not yet run off; rains that follow each other are one spell."""
    spells: list[tuple[int, int]] = []
    for rain in sorted(story.rains, key=lambda each: each.start):
        ends = rain.end + _DRAINS_H * HOUR
        if spells and rain.start <= spells[-1][1]:
            spells[-1] = spells[-1][0], max(ends, spells[-1][1])
        else:
            spells.append((rain.start, ends))
    return spells


def _well(label: str, kind: str, cover: Device, times: Ints, rule: str) -> Label:
    """A well that stood high at these times; without a rule it was too short to be noticed by all means."""
    begins, ends = int(times[0]), int(times[-1])
    return Label(
        id=label,
        kind=kind,
        devices=(cover.device_id,),
        start=_aware(begins - _LOOKS_EVERY),
        end=_aware(ends + _LOOKS_EVERY),
        expects=(Expected(rule, _aware(begins + _NOTICED)),) if rule else (),
        allows=("MH-05", "MH-06"),
    )


def _flooded_grids(city: PretendCity, share: Floats, times: Ints, number: int) -> Iterator[Label]:
    grids: dict[str, list[int]] = defaultdict(list)
    for row, cover in enumerate(city.of_kind("manhole")):
        grids[cover.grid].append(row)
    for grid, rows in sorted(grids.items()):
        wet = np.flatnonzero((share[:, rows] >= _HIGH).sum(axis=1) >= _FLOOD)
        if len(wet):
            begins = int(times[wet[0]])
            yield Label(
                id=f"rain-{number}-flood-{grid}",
                kind="flood",
                devices=tuple(city.of_kind("manhole")[row].device_id for row in rows),
                start=_aware(begins - _LOOKS_EVERY),
                end=_aware(int(times[wet[-1]]) + _LOOKS_EVERY),
                expects=(Expected("MH-07", _aware(begins + _NOTICED)),),
                allows=("MH-05", "MH-06"),
                group=f"grid:{grid}",
            )


def _water(fleet: Fleet, city: PretendCity, times: Ints) -> Floats:
    """Share of the depth that stands in every well: one row a time, one column a cover."""
    covers = city.of_kind("manhole")
    rows = np.tile(np.arange(len(covers)), len(times))
    level = fleet.measure("manhole", rows, np.repeat(times, len(covers)))["water_level"]
    depth = np.array([cover.number("well_depth", 3.0) for cover in covers])
    return np.asarray(level.reshape(len(times), len(covers)) / depth)


def _record(permit: Permit) -> PermitRecord:
    return PermitRecord(permit.kind, permit.devices, _aware(permit.start), _aware(permit.end), permit.reason)


def _aware(at: int) -> datetime:
    return datetime.fromtimestamp(at / MICROS, UTC)
