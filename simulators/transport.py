"""What happens to messages between the device and the broker: lost, late, twice, spoilt, by a wrong clock.

Every decision follows from the device, its counter or the day, so it does not matter in which portions they are asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from devices.moments import MICROS
from devices.readings import MESSAGE_TYPES, Floats, Ints
from simulators.chance import HOUR, Chance, Keys
from simulators.physics.daytime import DAY, day_of, midnight
from simulators.population import Population
from simulators.reports import Reports

Bools = NDArray[np.bool_]

_EVENT = MESSAGE_TYPES.index("event")
_COPY_WITHIN_S = 20.0
# What cannot wait is sent again until the network has confirmed it (CoAP, MQTT): nothing but an outage holds it longer.
_SENT_AGAIN_S = (2.0, 30.0)
_REPEATS_AFTER_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How the messages of one kind travel. Shares are of messages, unless said otherwise; spans are seconds."""

    loss: float = 0.0  # never arrive
    duplicates: float = 0.0  # arrive a second time within 20 s
    garbage: float = 0.0  # a spoilt copy follows
    latency_s: float = 0.0  # usual time on the way, at most twice that
    late: float = 0.0  # are held up on their way
    late_by_s: float = 3600.0  # for so long at most, half of them for less than an eighth of it
    outages_a_day: float = 0.0  # of each gateway; what it holds meanwhile arrives at once afterwards
    outage_s: float = 1200.0
    clocks_off: float = 0.0  # share of devices whose clock is wrong
    clock_off_by_s: float = 45.0  # at most, either way
    clock_jumps_a_day: float = 0.0  # of each device: its clock is behind for an hour
    clock_jump_s: float = 7200.0
    gateway_repeats: float = 0.0  # the gateway says it again under a new time
    reboots_a_day: float = 0.0  # of each device: it counts from 1 again
    sleep_s: float = 0.0  # the radio wakes only so often; what cannot wait wakes it


PERFECT = Line()
LINE_KEYS = tuple(field.name for field in fields(Line))


class Transport:
    """The way of one kind's messages."""

    def __init__(self, chance: Chance, population: Population, line: Line) -> None:
        self._chance = chance
        self._population = population
        self._line = line

    def reboots(self, since: int, until: int) -> list[tuple[int, int]]:
        """Which devices start anew in this span, and when."""
        found: list[tuple[int, int]] = []
        if self._line.reboots_a_day:
            for day in range(int(day_of(np.array([since]))[0]), int(day_of(np.array([until - 1]))[0]) + 1):
                rows, at = self._today("reboot", self._population.key, day, self._line.reboots_a_day)
                here = (since <= at) & (at < until)
                found += zip(rows[here].tolist(), at[here].tolist(), strict=True)
        return found

    def carried(self, reports: Reports) -> Reports:
        """What arrives, when, and by which time of the device."""
        line, key = self._line, self._population.key[reports.rows]
        if line == PERFECT:
            return reports
        arrives = reports.ts + self._delay(reports, key)
        carried = replace(reports, ts=self._shown(reports.ts, key), arrives=arrives)
        if line.gateway_repeats:
            carried = self._with_repeats(carried)
        return carried.take(~self._lost(carried)) if line.loss else carried

    def copies(self, reports: Reports) -> tuple[Ints, Ints]:
        """Positions of messages that arrive a second time, and when."""
        twice = np.flatnonzero(self._share("copied", reports) < self._line.duplicates)
        key, seq = self._population.key[reports.rows[twice]], reports.seq[twice]
        later = self._chance.between("copied after", key, seq, 0.5, _COPY_WITHIN_S) * MICROS
        return twice, reports.arrives[twice] + _whole_ms(later)

    def spoilt(self, reports: Reports) -> Ints:
        """Positions of messages that a spoilt copy follows."""
        return np.flatnonzero(self._share("spoilt", reports) < self._line.garbage)

    def _lost(self, reports: Reports) -> Bools:
        return np.asarray((self._share("loss", reports) < self._line.loss) & (reports.type != _EVENT))

    def _share(self, what: str, reports: Reports) -> Floats:
        return self._chance.uniform(what, self._population.key[reports.rows], reports.ts // 1000)

    def _delay(self, reports: Reports, key: Keys) -> Ints:
        line, chance, step = self._line, self._chance, reports.ts // 1000
        delay = line.latency_s * chance.between("latency", key, step, 0.5, 2)
        held = line.late_by_s * chance.uniform("late by", key, step) ** 3
        again = chance.between("again", key, step, *_SENT_AGAIN_S)
        is_event = reports.type == _EVENT
        troubled = chance.uniform("late", key, step) < line.late
        troubled |= is_event & (chance.uniform("loss", key, step) < line.loss)
        delay = delay + troubled * np.where(is_event, again, held)
        arrives = reports.ts + _whole_ms(delay * MICROS)
        if line.sleep_s:
            span = round(line.sleep_s * MICROS)
            phase = _whole_ms(chance.uniform("wakes", key, np.zeros_like(step)) * span)
            woken = arrives - (arrives - phase) % -span
            arrives = np.where(is_event, arrives, woken)
        if line.outages_a_day:
            arrives = self._held_back(arrives, self._population.gateway[reports.rows])
        return arrives - reports.ts

    def _held_back(self, arrives: Ints, gateway: Keys) -> Ints:
        """What reaches a gateway that is cut off comes in one burst when it is back, within a second or so."""
        chance, line = self._chance, self._line
        day = day_of(arrives)
        cut = chance.uniform("outage", gateway, day) < line.outages_a_day
        begins = midnight(day) + _whole_ms(chance.uniform("outage at", gateway, day) * (DAY - 2 * HOUR))
        lasts = _whole_ms(chance.between("outage lasts", gateway, day, 0.3, 1.0) * line.outage_s * MICROS)
        held = cut & (begins <= arrives) & (arrives < begins + lasts)
        behind = _whole_ms((arrives - begins) / np.maximum(1, lasts) * MICROS)  # in the order in which they came
        return np.where(held, begins + lasts + behind, arrives)

    def _shown(self, ts: Ints, key: Keys) -> Ints:
        """The time by the device's own clock."""
        chance, line = self._chance, self._line
        shown = ts
        if line.clocks_off:
            wrong = chance.uniform("clock off", key, np.zeros_like(ts)) < line.clocks_off
            by = chance.between("clock off by", key, np.zeros_like(ts), -line.clock_off_by_s, line.clock_off_by_s)
            shown = shown + np.where(wrong, _whole_ms(by * MICROS), 0)
        if line.clock_jumps_a_day:
            day = day_of(ts)
            jumps = chance.uniform("clock jumps", key, day) < line.clock_jumps_a_day
            begins = midnight(day) + _whole_ms(chance.uniform("clock jumps at", key, day) * (DAY - HOUR))
            now = jumps & (begins <= ts) & (ts < begins + HOUR)
            shown = shown - np.where(now, round(line.clock_jump_s * MICROS), 0)
        return shown

    def _with_repeats(self, reports: Reports) -> Reports:
        """A gateway that has not heard from a device says its last reading once more, a minute later."""
        again = np.flatnonzero(self._share("repeated", reports) < self._line.gateway_repeats)
        if not len(again):
            return reports
        order = np.sort(np.concatenate([np.arange(len(reports)), again]))
        is_copy = np.zeros(len(order), dtype=bool)
        is_copy[1:] = order[1:] == order[:-1]
        both = reports.take(order)
        later = np.where(is_copy, _REPEATS_AFTER_S * MICROS // 2, 0)
        return replace(both, ts=both.ts + later, arrives=both.arrives + later)

    def _today(self, what: str, key: Keys, day: int, share: float) -> tuple[Ints, Ints]:
        step = np.full(len(key), day)
        rows = np.flatnonzero(self._chance.uniform(what, key, step) < share)
        at = midnight(step[rows]) + _whole_ms(self._chance.uniform(f"{what} at", key[rows], step[rows]) * DAY)
        return rows, at


def lines(table: Mapping[str, Mapping[str, float]], kind: str) -> Line:
    """The line of a kind: what is said of all kinds, then of this one."""
    return Line(**{**table.get("all", {}), **table.get(kind, {})})


def _whole_ms(micros: Floats) -> Ints:
    whole: Ints = (micros // 1000).astype(np.int64) * 1000
    return whole
