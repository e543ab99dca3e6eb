"""Rules over history: what they would have found, had they been in force. What judges the city judges here.

Pure. History comes in slices of time, each with what its windows reach back to; what is remembered goes on from slice
to slice, as it does from batch to batch in the city. Nothing is remembered from before the first.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from devices.errors import Permanent
from devices.moments import MICROS
from devices.readings import Ints, Readings
from devices.registry import Registry
from rules.closing import close
from rules.engine import Engine
from rules.frame import Frame
from rules.jobs import due, judge_figures
from rules.local_time import LocalTime
from rules.measures import load_measures
from rules.remembering import Memory
from rules.rule import Input, Rule
from rules.silence import Heard, SilenceAlarm, watch
from rules.spells import NONE, OPEN, Spell, Spells
from rules.verdicts import Change, Key, Transition, Verdicts
from rules.windows import Window, frame_of

WATCHED_EVERY = 5 * 60 * MICROS  # a silence is found up to so much later than in the city
_TURNS = tuple(Input)  # readings first, then what may ask for their alarms

# The figures of a rule's measure at a moment (µs since 1970 UTC), by number of the group.
Ask = Callable[[Rule, int], Mapping[int, Mapping[str, float | None]]]


class HindsightError(Permanent):
    """A rule crashed over history; it would have been benched in the city."""


@dataclass(slots=True)
class _Arrivals:
    """How often and when each device has been heard, by number."""

    heard: dict[int, Heard] = field(default_factory=dict)
    active: dict[Key, SilenceAlarm] = field(default_factory=dict)


class Hindsight:
    """One set of rules about one kind, told its history slice by slice.

    Args:
        rules: Rules of one kind.
        registry: The devices, their groups and their limits, as they shall count.
        local_time: The city's clock.
        permits: The work permits of that time.
        ask: Answers for measures; without it jobs are passed over.
        watched_every: How often it is looked who is silent, µs.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        registry: Registry,
        local_time: LocalTime,
        *,
        permits: Spells = NONE,
        ask: Ask | None = None,
        watched_every: int = WATCHED_EVERY,
    ) -> None:
        self._registry = registry
        self._local_time = local_time
        self._permits = permits
        self._ask = ask
        self._every = watched_every
        self._rules = _in_turn([rule for rule in rules if rule.input is not Input.JOB or ask])
        self._engine = Engine(self._rules, registry, local_time, permits=permits)
        self._memories = {rule.id: Memory() for rule in self._rules}
        self._measures = load_measures()
        self._arrivals = _Arrivals()
        self._spells: dict[Key, list[Spell]] = {}

    @property
    def reach(self) -> int:
        """How far a slice must reach back before its start, µs: the longest window."""
        return max((rule.window.length for rule in self._rules if rule.window), default=0)

    def slice(self, readings: Readings, since: int, until: int) -> list[Transition]:
        """What the rules find between two moments (µs since 1970 UTC), in order of time.

        What happens at ``since`` belongs to this slice, and so does what comes due at ``until``.

        Args:
            readings: Of all devices from ``since - reach`` until before ``until``, in order of device and time.
            since: Where the last slice ended, or the beginning.
            until: The end of this one.

        Raises:
            HindsightError: naming the rule that crashed.
        """
        fresh = readings.where(readings.ts >= since)
        found = Verdicts()
        if len(fresh):
            judged = self._engine.step([fresh])
            self._engine.apply(judged)
            self._add(found, judged)
        for rule in self._rules:
            if rule.input is Input.SILENCE:
                self._listen(rule, fresh, since, until, found)
            elif rule.window is not None and len(readings):
                self._close(rule, rule.window, readings, since, until, found)
            elif rule.input is Input.JOB and self._ask is not None:
                self._inquire(rule, self._ask, since, until, found)
        for device, times in _by_device(fresh).items():
            before = self._arrivals.heard.get(device)
            self._arrivals.heard[device] = Heard(int(times[-1]), (before.readings if before else 0) + len(times))
        self._forget(until - self.reach)
        return sorted(found.transitions, key=lambda change: change.at)

    def _close(self, rule: Rule, window: Window, readings: Readings, since: int, until: int, found: Verdicts) -> None:
        moments = window.between(self._local_time, since, until)
        if not moments:
            return
        frame = frame_of(readings, moments, Frame(readings, self._registry, self._local_time, self._permits))
        self._conclude(close(rule, frame, self._memories[rule.id], alarms=self._alarms(rule)), found)

    def _inquire(self, rule: Rule, ask: Ask, since: int, until: int, found: Verdicts) -> None:
        """The figures of each day, as the dispatcher asks for them."""
        memory, measure = self._memories[rule.id], self._measures[rule.measure]
        for at in due(self._local_time, rule.at, since, until) if rule.at else ():
            figures = ask(rule, at)
            verdicts = judge_figures(
                rule, measure, at, figures, self._registry, self._local_time, memory, permits=self._permits
            )
            self._conclude(verdicts, found)

    def _conclude(self, verdicts: Verdicts, found: Verdicts) -> None:
        for (rule_id, subject), state in verdicts.states.items():
            self._memories[rule_id].keep(subject, state)
        self._add(found, verdicts)

    def _add(self, found: Verdicts, more: Verdicts) -> None:
        for crash in more.crashes:
            raise HindsightError(f"{crash.rule_id} crashed: {crash.detail}")
        found.transitions.extend(more.transitions)
        for change in more.transitions:
            spells = self._spells.setdefault((change.rule_id, change.device), [])
            if change.change is Change.RAISED:
                spells.append(Spell(change.rule_id, change.device, change.at, OPEN))
            elif change.change is Change.CLEARED and spells:
                spells[-1] = Spell(change.rule_id, change.device, spells[-1].since, change.at)

    def _alarms(self, rule: Rule) -> Spells:
        """When alarms were active that a rule asks for."""
        return Spells.of(spell for (name, _), own in self._spells.items() if name in rule.asked for spell in own)

    def _forget(self, before: int) -> None:
        """Spells that no window reaches any more."""
        self._spells = {
            key: kept for key, own in self._spells.items() if (kept := [each for each in own if each.until >= before])
        }

    def _listen(self, rule: Rule, fresh: Readings, since: int, until: int, found: Verdicts) -> None:
        """The watchdog, for those who are silent, by the devices' own times."""
        arrivals, alarms = _by_device(fresh), self._alarms(rule)
        for device in self._silent(rule, arrivals, until):
            self._watch(device, rule, alarms, arrivals.get(device, np.zeros(0, dtype=np.int64)), since, until, found)

    def _silent(self, rule: Rule, arrivals: dict[int, Ints], until: int) -> Iterator[int]:
        """Devices with a gap that is too long, or an alarm that may end."""
        quiet = min(branch.silent for branch in rule.branches)
        for device in sorted(arrivals.keys() | self._arrivals.heard.keys()):
            before = self._arrivals.heard.get(device)
            times = [*([before.last] if before else []), *arrivals.get(device, ()), until]
            if np.diff(times).max(initial=0) > quiet or (rule.id, device) in self._arrivals.active:
                yield device

    def _watch(
        self, device: int, rule: Rule, alarms: Spells, times: Ints, since: int, until: int, found: Verdicts
    ) -> None:
        alone = Registry(self._registry.kinds, [self._registry.devices[device]])
        before = self._arrivals.heard.get(device)
        count, last = (before.readings, before.last) if before else (0, 0)
        active, quiet = self._arrivals.active, min(branch.silent for branch in rule.branches)
        now = since + self._every
        while now <= until:
            seen = int(np.searchsorted(times, now, side="right"))
            heard = Heard(int(times[seen - 1]) if seen else last, count + seen)
            if heard.readings and ((rule.id, device) in active or now - heard.last > quiet):
                verdicts = watch(
                    [rule], alone, self._local_time, {device: heard}, active, now, alarms=alarms, permits=self._permits
                )
                for change in verdicts.transitions:
                    if change.change is Change.RAISED:
                        active[rule.id, device] = SilenceAlarm(heard.readings)
                    else:
                        active.pop((rule.id, device), None)
                self._add(found, verdicts)
                now += self._every
            else:  # nobody can be missed before then
                now += self._every * max(1, (heard.last + quiet - now) // self._every)


def _in_turn(rules: Sequence[Rule]) -> list[Rule]:
    """Rules after those of whose alarms they ask."""
    by_id = {rule.id: rule for rule in rules}

    def depth(rule: Rule) -> int:
        return 1 + max((depth(by_id[name]) for name in rule.asked & by_id.keys()), default=0)

    return sorted(rules, key=lambda rule: (depth(rule), _TURNS.index(rule.input), rule.id))


def _by_device(readings: Readings) -> dict[int, Ints]:
    if not len(readings):
        return {}
    devices, starts = np.unique(readings.device, return_index=True)
    return dict(zip(devices.tolist(), np.split(readings.ts, starts[1:]), strict=True))
