"""What comes due by the clock: windows that have closed, for devices and for groups, and jobs.

Progress is kept in the database with what was found, so a dispatcher that was away goes on where it stopped, window by
window, and one that is killed in the middle has judged each window once. What nobody has collected yet is waited for:
devices are judged when what was sent to their partition is stored, for half an hour at most.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import structlog

from cityward.clock import Clock
from devices.hearers import Hears, stored_until
from devices.moments import MICROS, moment
from devices.registry import Membership, Registry
from rules.closing import close, dissolved
from rules.frame import Frame
from rules.jobs import Moments, judge_figures
from rules.local_time import LocalTime
from rules.measures import Measure
from rules.remembering import Memory
from rules.rule import Rule
from rules.series import Series, joined, parted, series_of
from rules.spells import Spells
from rules.verdicts import Key, RuleState, Verdicts
from rules.windows import blank, frame_of
from storage import alarm_store, judged_store, measures, reading_writer, rule_states, worked_off
from storage.connection import Connection

_log = structlog.get_logger(__name__)
HOLDER = "dispatch"
# At most so much of the city's time is judged in one transaction, and so many readings are read back at once.
PIECE = 3600 * MICROS
READINGS_AT_ONCE = 200_000
# Project default: so long windows and jobs wait for a partition that nobody collects or whose backlog lasts, µs.
LONGEST = 30 * 60 * MICROS
_NO_ROWS = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)


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
        heard_by: Which partition hears a device.
        lateness: How long readings of a kind wait for late ones, µs.
    """

    def __init__(
        self,
        connection: Connection,
        rules: Iterable[Rule],
        registry: Registry,
        local_time: LocalTime,
        known: Mapping[str, Measure],
        clock: Clock,
        permits: Spells,
        *,
        heard_by: Hears,
        lateness: Mapping[str, int],
    ) -> None:
        self._connection = connection
        self._registry = registry
        self._local_time = local_time
        self._measures = known
        self._clock = clock
        self._permits = permits
        whole = series_of(rules, lateness)
        self._memories = _memories(whole, rule_states.load_states(connection))
        self._behind: set[str] = set()
        stored, now = judged_store.judged(connection), clock.micros()
        parts = list(parted(whole, registry, heard_by))
        # A rule that was never judged begins with what ends from now on.
        new = {key: now - part.grace for part in parts for key in part.keys if key not in stored}
        if new:
            judged_store.save_judged(connection, new)
        # What was judged by a clock that was ahead had not been sent yet.
        self._series, self._until = joined(parts, {key: min(at, now) for key, at in (stored | new).items()})
        self._dissolve(whole, now)

    def judge(self) -> bool:
        """Judge some of what is due, in one transaction; whether more is.

        No series runs ahead of another by more than a piece, so that who asks for alarms of other rules finds them.
        """
        ready = self._ready(self._clock.micros())
        begun = min(self._until.values(), default=0)
        reached: dict[tuple[str, ...], int] = {}
        judged: dict[str, int] = {}
        found = Verdicts()
        with self._connection.transaction():
            for series in self._series:
                since, until = self._until[series.keys], min(ready[series.heard_by] - series.grace, begun + PIECE)
                if until <= since:
                    continue
                reached[series.keys] = until
                if moments := series.due(self._local_time, since, until):
                    judged |= dict.fromkeys(series.keys, until)
                    self._record(self._judge(series, moments), found)
            if judged:
                judged_store.save_judged(self._connection, judged)
        self._until |= reached
        self._remember(found)
        return any(self._until[series.keys] < ready[series.heard_by] - series.grace for series in self._series)

    def _ready(self, now: int) -> dict[frozenset[str], int]:
        """Until when what each series looks at is stored; says whom it no longer waits for."""
        reached = worked_off.load_all(self._connection)
        parts = {series.heard_by for series in self._series}
        behind = {name for part in parts for name in part if reached.get(name, now) < now - LONGEST}
        for name in sorted(behind - self._behind):
            since = f"{moment(reached[name]):%Y-%m-%d %H:%M:%S} UTC"
            _log.warning("judging_without", partition=name, since=since, hint="windows and jobs go on without it")
        for name in sorted(self._behind - behind):
            _log.info("judging_with", partition=name)
        self._behind = behind
        return {part: max(stored_until(part, reached, now), now - LONGEST) for part in parts}

    def _dissolve(self, series: Iterable[Series], now: int) -> None:
        """End what is active for groups that have lost their last member."""
        found = Verdicts()
        grouped = [rule for each in series for rule in each.rules if rule.group]
        with self._connection.transaction():
            ended = (
                dissolved(rule, self._memories[rule.id], self._registry.membership(rule.kind, rule.group), now)
                for rule in grouped
            )
            self._record(ended, found)
        self._remember(found)

    def _judge(self, series: Series, moments: Sequence[tuple[int, int]]) -> Iterator[Verdicts]:
        """What each rule of a series finds, in order of time for each device."""
        if series.window is None:
            yield from (self._ask(rule, series.members(self._registry), moments) for rule in series.rules)
            return
        start, end = min(start for start, _ in moments), moments[-1][1]
        asked = {name for rule in series.rules for name in rule.asked}
        alarms = judged_store.alarm_spells(self._connection, asked, start)
        metrics = {name for rule in series.rules for condition in rule.conditions for name in condition.metrics}
        kind = self._registry.kinds[series.rules[0].kind]
        most = READINGS_AT_ONCE * kind.interval.total_seconds() * MICROS / (end - start)
        verdicts = {rule.id: Verdicts() for rule in series.rules}
        nowhere = Frame(blank(kind, *_NO_ROWS), self._registry, self._local_time, self._permits)
        for devices in series.portions(self._registry, max(int(most), 1)):
            readings = reading_writer.read_back(self._connection, kind, devices, start, end, metrics)
            frame = frame_of(readings, moments, nowhere)
            for rule in series.rules:
                if not verdicts[rule.id].crashes:
                    verdicts[rule.id] = _joined(
                        verdicts[rule.id], close(rule, frame, self._memories[rule.id], alarms=alarms)
                    )
        yield from verdicts.values()

    def _ask(self, rule: Rule, members: Membership, moments: Sequence[tuple[int, int]]) -> Verdicts:
        """What a job finds at each of its moments."""
        measure = self._measures[rule.measure]
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


def _memories(series: Iterable[Series], states: Mapping[Key, RuleState]) -> dict[str, Memory]:
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
