"""Rules that are due at the same moments: by the districts and partitions of what they look at. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import time

import numpy as np

from devices.hearers import DISTRICTS, Hearers, Hears
from devices.readings import Ints
from devices.registry import Membership, Registry
from rules.jobs import due
from rules.local_time import LocalTime
from rules.rule import Input, Rule
from rules.windows import GRACE, Window


@dataclass(frozen=True, slots=True)
class Series:
    """Rules that are due at the same moments and look at the same readings.

    ``subjects`` are the devices or groups whose readings the partitions ``heard_by`` bring. Progress is kept under each
    of ``keys``: by districts, which stay where they are when partitions are cut anew.
    """

    name: str
    rules: list[Rule]
    window: Window | None = None
    at: time = time()
    lateness: int = 0
    heard_by: frozenset[str] = frozenset()
    subjects: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    keys: tuple[str, ...] = ()

    @property
    def grace(self) -> int:
        """How long after a moment it is due, µs: readings that wait for late ones have been judged by then."""
        return (self.window.grace if self.window else GRACE) + self.lateness

    def due(self, local_time: LocalTime, since: int, until: int) -> list[tuple[int, int]]:
        """What ends after ``since`` and not after ``until``: windows, or moments of a job as windows without length."""
        if self.window is not None:
            return self.window.between(local_time, since, until)
        return [(at, at) for at in due(local_time, self.at, since, until)]

    def members(self, registry: Registry) -> Membership:
        """The devices in its groups."""
        rule = self.rules[0]
        members = registry.membership(rule.kind, rule.group)
        mine = np.isin(members.group, self.subjects)
        return Membership(members.device[mine], members.group[mine])

    def portions(self, registry: Registry, most: int) -> Iterator[list[int]]:
        """Its devices some at a time, those of a group never apart."""
        if self.rules[0].input is not Input.GROUP:
            yield from (self.subjects[start : start + most].tolist() for start in range(0, len(self.subjects), most))
            return
        members = self.members(registry)
        portion: list[int] = []
        last = -1
        for device, group in zip(members.device.tolist(), members.group.tolist(), strict=True):
            if len(portion) >= most and group != last:
                yield portion
                portion = []
            portion.append(device)
            last = group
        if portion:
            yield portion


def series_of(rules: Iterable[Rule], lateness: Mapping[str, int]) -> list[Series]:
    """Devices before groups, short windows before long ones, jobs last: who asks for alarms finds them written."""
    found: dict[str, Series] = {}
    for rule in rules:
        late = lateness.get(rule.kind, 0)
        if rule.window is not None:
            by = f" by {'/'.join(rule.group)}" if rule.group else ""
            name = f"{rule.kind}{by} {rule.window.label}"
            found.setdefault(name, Series(name, [], rule.window, lateness=late)).rules.append(rule)
        elif rule.at is not None:
            name = f"{rule.id} at {rule.at:%H:%M:%S}"
            found[name] = Series(name, [rule], at=rule.at, lateness=late)
    return sorted(found.values(), key=_turn)


def _turn(series: Series) -> tuple[bool, bool, int]:
    return series.window is None, bool(series.rules[0].group), series.window.length if series.window else 0


def parted(whole: Iterable[Series], registry: Registry, hears: Hears) -> Iterator[Series]:
    """Each series by the districts that its subjects lie in, and by the partitions that bring their readings."""
    hearers, places = Hearers(registry, hears), Hearers(registry, DISTRICTS)
    for series in whole:
        rule = series.rules[0]
        heard = hearers.subjects(rule.kind, rule.group)
        for districts, there in places.subjects(rule.kind, rule.group).items():
            parts = {heard_by: there[np.isin(there, subjects)] for heard_by, subjects in heard.items()}
            found = {heard_by: subjects for heard_by, subjects in parts.items() if len(subjects)}
            for heard_by, subjects in found.items():
                # Where a district is cut in pieces, each goes by its partitions.
                apart = sorted(heard_by) if len(found) > 1 else []
                key = " ".join([series.name, *sorted(districts), *apart])
                yield replace(series, heard_by=heard_by, subjects=subjects, keys=(key,))


def joined(parts: Iterable[Series], progress: Mapping[str, int]) -> tuple[list[Series], dict[tuple[str, ...], int]]:
    """Parts that go by the same partitions and have come equally far, together; and how far each has come.

    Where partitions were merged, districts that were behind are so still: none of their windows is passed over.
    """
    found: dict[tuple[str, frozenset[str], int], list[Series]] = {}
    for part in parts:
        found.setdefault((part.name, part.heard_by, progress[part.keys[0]]), []).append(part)
    until: dict[tuple[str, ...], int] = {}
    whole = []
    for (_, _, reached), same in found.items():
        keys = tuple(key for part in same for key in part.keys)
        subjects = np.sort(np.concatenate([part.subjects for part in same]))
        whole.append(replace(same[0], subjects=subjects, keys=keys))
        until[keys] = reached
    return whole, until
