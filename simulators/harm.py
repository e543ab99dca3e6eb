"""Which of many readings are taken while something is wrong with their device."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from devices.moments import MICROS
from devices.readings import Floats, Ints
from simulators.faults import MINUTE, REPEATS, Fault, FaultKind
from simulators.population import Population

Bools = NDArray[np.bool_]
_ASKED = 3  # reports that a crew waits for


@dataclass(frozen=True, slots=True)
class Struck:
    """For each reading whether the fault is there, since how many seconds, for how many in all, and how bad."""

    active: Bools
    elapsed: Floats
    lasts: Floats
    size: Floats

    def ramp(self, seconds: float) -> Floats:
        """How far a fault that grows has come: 0 at its start and elsewhere, 1 when so many seconds have passed."""
        return np.where(self.active, np.minimum(1.0, self.elapsed / seconds), 0.0)


@dataclass(frozen=True, slots=True)
class _Blow:
    start: int
    end: int
    size: float
    rows: Ints
    hit: Bools  # by row of the population


class Harm:
    """The faults of one kind of device."""

    def __init__(self, population: Population, faults: Sequence[Fault]) -> None:
        self._size = len(population)
        self._population = population
        self._asked: list[tuple[Ints, int]] = []
        self._blows: dict[FaultKind, list[_Blow]] = defaultdict(list)
        for fault in faults:
            rows = self._rows(fault.devices)
            if len(rows):
                hit = np.zeros(self._size, dtype=bool)
                hit[rows] = True
                self._blows[fault.kind].append(_Blow(fault.start, fault.end, fault.size, rows, hit))

    def repair(self, devices: Collection[str], at: int) -> None:
        """End what is wrong at ``at`` (µs) with any of these devices, for all that it befell."""
        rows = self._rows(devices)
        for kind, blows in self._blows.items():
            self._blows[kind] = [
                replace(blow, end=at) if blow.start < at < blow.end and blow.hit[rows].any() else blow for blow in blows
            ]

    def ask(self, devices: Collection[str], at: int) -> None:
        """Have these devices report from ``at`` (µs) on, thrice, a minute apart, as who stands before them can."""
        self._asked = [each for each in self._asked if each[1] >= at]  # what was before has been made
        if len(rows := self._rows(devices)):
            self._asked += [(rows, at + turn * MINUTE) for turn in range(_ASKED)]

    def _rows(self, devices: Collection[str]) -> Ints:
        found = [self._population.row[each] for each in devices if each in self._population.row]
        return np.array(found, dtype=np.int64)

    def find(self, kind: FaultKind, rows: Ints, at: Ints) -> Struck | None:
        """Readings of these devices at these times that the fault shows in; None where it shows in none."""
        found: Struck | None = None
        for blow in self._meanwhile(kind, at):
            now = blow.hit[rows] & (blow.start <= at) & (at < blow.end)
            if not now.any():
                continue
            if found is None:
                nothing = (np.zeros(len(rows)) for _ in range(3))
                found = Struck(np.zeros(len(rows), dtype=bool), *nothing)
            found.active[now] = True
            found.elapsed[now] = (at[now] - blow.start) / MICROS
            found.lasts[now] = (blow.end - blow.start) / MICROS
            found.size[now] = blow.size
        return found

    def calls(self, since: int, until: int) -> Iterator[tuple[Ints, int]]:
        """Who reports out of turn, and when: as a fault begins, again and again, when it is over; when asked."""
        yield from ((rows, at) for rows, at in self._asked if since <= at < until)
        for kind, every in REPEATS.items():
            for blow in self._blows.get(kind, ()):
                if blow.start < until and blow.end >= since:
                    first = max(0, -((blow.start - since) // every))
                    for at in range(blow.start + first * every, min(until, blow.end), every):
                        yield blow.rows, at
                    if since <= blow.end < until:
                        yield blow.rows, blow.end

    def ends(self, kind: FaultKind, since: int, until: int) -> Iterator[tuple[Ints, int]]:
        """Devices for which such a fault ends, and when."""
        for blow in self._blows.get(kind, ()):
            if since <= blow.end < until:
                yield blow.rows, blow.end

    def _meanwhile(self, kind: FaultKind, at: Ints) -> Iterator[_Blow]:
        if kind in self._blows and len(at):
            first, last = at.min(), at.max()
            yield from (blow for blow in self._blows[kind] if blow.start <= last and blow.end > first)
