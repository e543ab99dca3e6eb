"""What comes due by the clock: windows that have closed, for devices and for groups, and jobs.

Progress is kept in the database with what was found, so a dispatcher that was away goes on where it stopped, window by
window, and one that is killed in the middle has judged each window once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time

import numpy as np
import structlog

from cityward.clock import Clock
from devices.registry import Registry
from rules.closing import close
from rules.durations import MICROS
from rules.frame import Frame
from rules.jobs import Moments, due, judge_figures
from rules.local_time import LocalTime
from rules.measures import Measure
from rules.remembering import Memory
from rules.rule import Input, Rule
from rules.spells import NONE, Spells
from rules.verdicts import Key, RuleState, Verdicts
from rules.windows import GRACE, Window, blank, frame_of
from storage import alarm_store, judged_store, measures, reading_writer, rule_states
from storage.connection import Connection

_log = structlog.get_logger(__name__)
HOLDER = "dispatch"
# At most so much of the city's time is judged in one transaction, and so many readings are read back at once.
PIECE = 3600 * MICROS
READINGS_AT_ONCE = 200_000
_NO_ROWS = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Series:
    """Rules that are due at the same moments and look at the same readings."""

    name: str
    rules: list[Rule]
    window: Window | None = None
    at: time = time()

    @property
    def grace(self) -> int:
        """How long after a moment it is due, µs."""
        return self.window.grace if self.window else GRACE


class DueRules:
    """Judges windows, groups and jobs of the city as they come due.

    Args:
        connection: The dispatcher's, in autocommit mode.
        rules: Rules in force; those about readings and silence are passed over.
        registry: The devices and the registered groups.
        local_time: The city's clock.
        known: The measures, by name.
        clock: The time.
        permits: The work permits in force.
    """

    def __init__(
        self,
        connection: Connection,
        rules: Iterable[Rule],
        registry: Registry,
        local_time: LocalTime,
        known: Mapping[str, Measure],
        clock: Clock,
        permits: Spells = NONE,
    ) -> None:
        self._connection = connection
        self._registry = registry
        self._local_time = local_time
        self._measures = known
        self._clock = clock
        self._permits = permits
        self._series = _series(rules)
        self._memories = _memories(self._series, rule_states.load_states(connection))
        stored, now = judged_store.judged(connection), clock.micros()
        # A rule that was never judged begins with what ends from now on.
        new = {series.name: now - series.grace for series in self._series if series.name not in stored}
        if new:
            judged_store.save_judged(connection, new)
        self._until = {series.name: (stored | new)[series.name] for series in self._series}

    def judge(self) -> bool:
        """Judge some of what is due, in one transaction; whether more is.

        No series runs ahead of another by more than a piece, so that who asks for alarms of other rules finds them.
        """
        now = self._clock.micros()
        begun = min(self._until.values(), default=now)
        reached: dict[str, int] = {}
        judged: dict[str, int] = {}
        found = Verdicts()
        with self._connection.transaction():
            for series in self._series:
                since, until = self._until[series.name], min(now - series.grace, begun + PIECE)
                if until <= since:
                    continue
                reached[series.name] = until
                if moments := self._due(series, since, until):
                    judged[series.name] = until
                    self._record(self._judge(series, moments), found)
            if judged:
                judged_store.save_judged(self._connection, judged)
        self._until |= reached
        self._remember(found)
        return any(self._until[series.name] < now - series.grace for series in self._series)

    def _due(self, series: _Series, since: int, until: int) -> list[tuple[int, int]]:
        if series.window is not None:
            return series.window.between(self._local_time, since, until)
        return [(at, at) for at in due(self._local_time, series.at, since, until)]

    def _judge(self, series: _Series, moments: Sequence[tuple[int, int]]) -> Iterator[Verdicts]:
        """What each rule of a series finds, in order of time for each device."""
        if series.window is None:
            yield from (self._ask(rule, moments) for rule in series.rules)
            return
        start, end = min(start for start, _ in moments), moments[-1][1]
        asked = {name for rule in series.rules for name in rule.asked}
        alarms = judged_store.alarm_spells(self._connection, asked, start)
        metrics = {name for rule in series.rules for condition in rule.conditions for name in condition.metrics}
        kind = self._registry.kinds[series.rules[0].kind]
        most = READINGS_AT_ONCE * kind.interval.total_seconds() * MICROS / (end - start)
        verdicts = {rule.id: Verdicts() for rule in series.rules}
        nowhere = Frame(blank(kind, *_NO_ROWS), self._registry, self._local_time, self._permits)
        for devices in self._portions(series.rules[0], max(int(most), 1)):
            readings = reading_writer.read_back(self._connection, kind, devices, start, end, metrics)
            frame = frame_of(readings, moments, nowhere)
            for rule in series.rules:
                if not verdicts[rule.id].crashes:
                    verdicts[rule.id] = _joined(
                        verdicts[rule.id], close(rule, frame, self._memories[rule.id], alarms=alarms)
                    )
        yield from verdicts.values()

    def _portions(self, rule: Rule, most: int) -> Iterator[list[int]]:
        """Devices some at a time, those of a group never apart."""
        if rule.input is not Input.GROUP:
            devices = [device.id for device in self._registry.of_kind(rule.kind)]
            yield from (devices[start : start + most] for start in range(0, len(devices), most))
            return
        members = self._registry.membership(rule.kind, rule.group)
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

    def _ask(self, rule: Rule, moments: Sequence[tuple[int, int]]) -> Verdicts:
        """What a job finds at each of its moments."""
        measure = self._measures[rule.measure]
        members = self._registry.membership(rule.kind, rule.group)
        memory = Memory(self._memories[rule.id].states)
        verdicts = Verdicts()
        for at, _ in moments:
            asked = Moments.of(self._local_time, at)
            figures = measures.ask(
                self._connection, measure, rule.kind, members, self._registry, self._local_time, asked
            )
            found = judge_figures(
                rule, measure, at, figures, self._registry, self._local_time, memory, permits=self._permits
            )
            for (_, group), state in found.states.items():
                memory.keep(group, state)
            verdicts = _joined(verdicts, found)
        return verdicts

    def _record(self, each: Iterable[Verdicts], found: Verdicts) -> None:
        """Write what was found, and note it for the memory to follow the commit."""
        for verdicts in each:
            rule_states.save(self._connection, verdicts.states)
            alarm_store.record(self._connection, verdicts.transitions, self._clock.now())
            rule_states.record_crashes(self._connection, verdicts.crashes, self._clock.now(), HOLDER)
            found.states.update(verdicts.states)
            found.crashes.extend(verdicts.crashes)

    def _remember(self, found: Verdicts) -> None:
        for (rule_id, device), state in found.states.items():
            self._memories[rule_id].keep(device, state)
        for crash in found.crashes:
            _log.error("benched", rule=crash.rule_id, because=crash.detail)
            for series in self._series:
                series.rules[:] = [rule for rule in series.rules if rule.id != crash.rule_id]
        self._series = [series for series in self._series if series.rules]


def _series(rules: Iterable[Rule]) -> list[_Series]:
    """Devices before groups, short windows before long ones, jobs last: who asks for alarms finds them written."""
    found: dict[str, _Series] = {}
    for rule in rules:
        if rule.window is not None:
            by = f" by {'/'.join(rule.group)}" if rule.group else ""
            name = f"{rule.kind}{by} {rule.window.label}"
            found.setdefault(name, _Series(name, [], rule.window)).rules.append(rule)
        elif rule.at is not None:
            name = f"{rule.id} at {rule.at:%H:%M:%S}"
            found[name] = _Series(name, [rule], at=rule.at)
    return sorted(found.values(), key=_turn)


def _turn(series: _Series) -> tuple[bool, bool, int]:
    return series.window is None, bool(series.rules[0].group), series.window.length if series.window else 0


def _memories(series: Iterable[_Series], states: Mapping[Key, RuleState]) -> dict[str, Memory]:
    memories = {rule.id: Memory() for each in series for rule in each.rules}
    for (rule_id, device), state in states.items():
        if rule_id in memories:
            memories[rule_id].keep(device, state)
    return memories


def _joined(before: Verdicts, after: Verdicts) -> Verdicts:
    """Both, one after the other; of a rule that crashed nothing but the crash."""
    if after.crashes:
        return Verdicts(crashes=after.crashes)
    return Verdicts([*before.transitions, *after.transitions], before.states | after.states)
