"""Who reports when: every kind's own habit, and what a fault makes its devices say out of turn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from devices.moments import MICROS
from devices.readings import MESSAGE_TYPES, Floats, Ints
from simulators.chance import Keys
from simulators.faults import SILENCES, FaultKind
from simulators.harm import Harm
from simulators.observation import Observation, World
from simulators.physics import manhole, streetlight
from simulators.physics.daytime import day_of
from simulators.population import Population

PERIODIC, EVENT, HEARTBEAT = range(len(MESSAGE_TYPES))
_MICROSECOND = timedelta(microseconds=1)
_MS = 1000
_WET_TICK = 600 * MICROS  # how often a cover's probe looks
_DAY_TICKS = 6  # a lamp that does not burn reports every sixth time, which is half an hour
_HEARTBEAT_JITTER = 0.05  # of a day: cheap clocks
_JITTER = 300 * _MS
# Vehicles on a scale: at most one in each span, in the busiest hour in this share of them.
_LANE_CELL = 6 * MICROS
_BUSY, _HEADWAY = 0.32, MICROS


@dataclass(frozen=True, slots=True)
class Due:
    """Reports to be made, one a row: the device's row, the time (µs, whole ms), the message's type."""

    rows: Ints
    at: Ints
    type: Ints

    @classmethod
    def joined(cls, *parts: "Due") -> "Due":
        """Several as one, in order of device and time; of two at once the later one is put off a millisecond."""
        rows, at, kind = (np.concatenate([getattr(part, name) for part in parts]) for name in ("rows", "at", "type"))
        order = np.lexsort((kind, at, rows))
        rows, at, kind = rows[order], at[order], kind[order]
        while True:
            clash = (rows[1:] == rows[:-1]) & (at[1:] <= at[:-1])
            if not clash.any():
                return cls(rows, at, kind)
            at[1:][clash] = at[:-1][clash] + _MS

    def take(self, kept: NDArray[np.bool_]) -> "Due":
        """Some of them."""
        return Due(self.rows[kept], self.at[kept], self.type[kept])


class Schedule:
    """When the devices of one kind report."""

    def __init__(self, world: World, population: Population, harm: Harm) -> None:
        self._world = world
        self._population = population
        self._harm = harm
        self._interval = population.kind.interval // _MICROSECOND
        self._habit = _HABITS.get(population.kind.name, Schedule._steadily)
        self._phases: dict[int, Ints] = {}

    def due(self, since: int, until: int) -> Due:
        """All reports from ``since`` on and before ``until``, in order of device and time."""
        calls = [
            Due(rows, np.full(len(rows), at), np.full(len(rows), EVENT)) for rows, at in self._harm.calls(since, until)
        ]
        due = Due.joined(*self._habit(self, since, until), *calls)
        silent = self._seen(due).ill(*SILENCES)
        return due.take(~silent) if silent.any() else due

    def rate(self) -> float:
        """Reports a second in the busiest hour, about."""
        interval = self._interval / MICROS
        return len(self._population) / interval

    def _seen(self, due: Due) -> Observation:
        return Observation(self._world, self._population, self._harm, due.rows, due.at, due.type == EVENT)

    def _steadily(self, since: int, until: int) -> list[Due]:
        return [self._ticks(self._interval, _JITTER, since, until, PERIODIC)[0]]

    def _covers(self, since: int, until: int) -> list[Due]:
        beats, _ = self._ticks(self._interval, round(self._interval * _HEARTBEAT_JITTER), since, until, HEARTBEAT)
        looks, _ = self._ticks(_WET_TICK, _JITTER, since, until, PERIODIC)
        return [beats, looks.take(manhole.is_wet(self._seen(looks)))]

    def _lamps(self, since: int, until: int) -> list[Due]:
        ticks, turn = self._ticks(self._interval, _JITTER, since, until, PERIODIC)
        on, off = streetlight.switching(self._population, ticks.rows, ticks.at)
        lit = (on <= ticks.at) & (ticks.at < off)
        lit |= self._seen(ticks).ill(FaultKind.DAY_BURNER, FaultKind.LEAKAGE, FaultKind.LEAKAGE_SHOCK)
        return [ticks.take(lit | (turn % _DAY_TICKS == 0)), *self._switchings(since, until)]

    def _switchings(self, since: int, until: int) -> list[Due]:
        """A lamp tells at once that it has been switched on or off."""
        told = []
        first = int(day_of(np.array([since]))[0]) - 1
        last = int(day_of(np.array([until]))[0])
        for evening in range(first, last + 1):
            for at in streetlight.night(self._population, evening):
                rows = np.flatnonzero((since <= at) & (at < until))
                told.append(Due(rows, at[rows], np.full(len(rows), EVENT)))
        return told

    def _bridges(self, since: int, until: int) -> list[Due]:
        scale = self._population.word("sensor_type") == "wim"
        ticks, _ = self._ticks(self._interval, _JITTER, since, until, PERIODIC)
        return [ticks.take(~scale[ticks.rows]), self._vehicles(np.flatnonzero(scale), since, until)]

    def _vehicles(self, scales: Ints, since: int, until: int) -> Due:
        chance, population = self._world.chance, self._population
        spans = np.arange(since // _LANE_CELL, -(-until // _LANE_CELL))
        rows, span = np.repeat(scales, len(spans)), np.tile(spans, len(scales))
        key = population.key[rows]
        at = span * _LANE_CELL + _whole_ms(chance.uniform("crosses", key, span) * (_LANE_CELL - _HEADWAY))
        flow = self._world.traffic.flow(population.road[rows], at)
        busy = _BUSY * (0.4 + 0.6 * population.trait[rows])
        comes = chance.uniform("comes", key, span) < busy * flow
        kept = comes & (since <= at) & (at < until)
        return Due(rows[kept], at[kept], np.full(int(kept.sum()), EVENT))

    def _ticks(self, interval: int, jitter: int, since: int, until: int, kind: int) -> tuple[Due, Ints]:
        """Every device once an interval, each at its own phase and by a cheap clock; and which turn it is."""
        key, phase = self._population.key, self._phase(interval)
        first = -((phase - since + jitter) // interval)
        turns = np.maximum(0, -((phase - until) // interval) - first)
        rows = np.repeat(np.arange(len(phase)), turns)
        turn = first[rows] + np.arange(len(rows)) - np.repeat(np.cumsum(turns) - turns, turns)
        early = self._world.chance.uniform("jitter", key[rows], turn)
        at = phase[rows] + turn * interval + _whole_ms(early * jitter)
        kept = (since <= at) & (at < until)
        rows, at, turn = rows[kept], at[kept], turn[kept]
        return Due(rows, at, np.full(len(rows), kind)), turn

    def _phase(self, interval: int) -> Ints:
        if interval not in self._phases:
            key: Keys = self._population.key
            share = self._world.chance.uniform(f"phase {interval}", key, np.zeros(len(key), dtype=np.int64))
            self._phases[interval] = _whole_ms(share * interval)
        return self._phases[interval]


_HABITS: Mapping[str, Callable[[Schedule, int, int], list[Due]]] = {
    "manhole": Schedule._covers,  # noqa: SLF001 - its own
    "streetlight": Schedule._lamps,  # noqa: SLF001
    "bridge": Schedule._bridges,  # noqa: SLF001
}


def _whole_ms(micros: Floats) -> Ints:
    whole: Ints = (micros // _MS).astype(np.int64) * _MS
    return whole
