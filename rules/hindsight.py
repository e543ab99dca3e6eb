"""Rules over history: what they would have found, had they been in force. The engine that judges the city.

Pure. History comes in slices of time, each with what its windows reach back to; what is remembered goes on from slice
to slice, as it does from batch to batch in the city.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from devices.readings import Ints, Readings
from devices.registry import Registry
from rules.closing import close
from rules.durations import MICROS
from rules.engine import Engine
from rules.frame import Frame
from rules.local_time import LocalTime
from rules.remembering import Memory
from rules.rule import Input, Rule
from rules.silence import Heard, SilenceAlarm, watch
from rules.spells import OPEN, Spell, Spells
from rules.verdicts import Change, Key, Transition, Verdicts
from rules.windows import Window, frame_of

WATCHED_EVERY = 5 * 60 * MICROS  # a silence is found up to so much later than in the city
_FIRST = (Input.READING, Input.SILENCE, Input.WINDOW, Input.GROUP)


class HindsightError(Exception):
    """A rule crashed over history; it would have been benched in the city."""


@dataclass(slots=True)
class _Arrivals:
    """How often and when each device has been heard, by number."""

    heard: dict[int, Heard] = field(default_factory=dict)
    active: dict[Key, SilenceAlarm] = field(default_factory=dict)


class Hindsight:
    """One set of rules about one kind, told its history slice by slice.

    Args:
        rules: Rules of one kind; jobs, which ask the database, are passed over.
        registry: The devices and their limits, as they shall count.
        local_time: The city's clock.
    """

    def __init__(self, rules: Iterable[Rule], registry: Registry, local_time: LocalTime) -> None:
        self._registry = registry
        self._local_time = local_time
        self._rules = sorted(
            (rule for rule in rules if rule.input in _FIRST), key=lambda rule: _FIRST.index(rule.input)
        )
        self._engine = Engine(self._rules, registry, local_time)
        self._memories = {rule.id: Memory() for rule in self._rules}
        self._arrivals = _Arrivals()
        self._spells: dict[Key, list[Spell]] = {}

    @property
    def reach(self) -> int:
        """How far a slice must reach back before its start, µs: the longest window."""
        return max((rule.window.length for rule in self._rules if rule.window), default=0)

    def slice(self, readings: Readings, since: int, until: int) -> list[Transition]:
        """What the rules find between two moments (µs since 1970 UTC, the end excluded), in order of time.

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
            _add(found, judged)
        self._listen(fresh, since, until, found)
        for rule in self._rules:
            if rule.window is not None and len(readings):
                self._close(rule, rule.window, readings, since, until, found)
        for crash in found.crashes:
            raise HindsightError(f"{crash.rule_id} crashed: {crash.detail}")
        return sorted(found.transitions, key=lambda change: change.at)

    def _close(self, rule: Rule, window: Window, readings: Readings, since: int, until: int, found: Verdicts) -> None:
        moments = window.between(self._local_time, since, until)
        if not moments:
            return
        frame = frame_of(readings, moments, Frame(readings, self._registry, self._local_time))
        self._note(found.transitions)
        alarms = Spells.of(spell for (name, _), own in self._spells.items() if name in rule.asked for spell in own)
        verdicts = close(rule, frame, self._memories[rule.id], alarms=alarms)
        for (_, subject), state in verdicts.states.items():
            self._memories[rule.id].keep(subject, state)
        _add(found, verdicts)

    def _note(self, transitions: Sequence[Transition]) -> None:
        """Spells of alarms, for rules that ask for alarms of others; the latest of each rule and device."""
        for change in transitions:
            key = (change.rule_id, change.device)
            spells = self._spells.setdefault(key, [])
            if change.change is Change.RAISED and not (spells and spells[-1].since >= change.at):
                spells[:] = [*spells[-1:], Spell(*key, change.at, OPEN)]
            elif change.change is Change.CLEARED and spells and spells[-1].until == OPEN:
                spells[-1] = Spell(*key, spells[-1].since, change.at)

    def _listen(self, fresh: Readings, since: int, until: int, found: Verdicts) -> None:
        """The watchdog, for those who are silent, by the devices' own times."""
        rules = [rule for rule in self._rules if rule.input is Input.SILENCE]
        if not rules:
            return
        quiet = min(branch.silent for rule in rules for branch in rule.branches)
        arrivals = _by_device(fresh)
        for device in self._silent(arrivals, until, quiet):
            self._watch(device, rules, arrivals.get(device, np.zeros(0, dtype=np.int64)), since, until, found)
        for device, times in arrivals.items():
            before = self._arrivals.heard.get(device)
            self._arrivals.heard[device] = Heard(int(times[-1]), (before.readings if before else 0) + len(times))

    def _silent(self, arrivals: dict[int, Ints], until: int, quiet: int) -> Iterator[int]:
        """Devices with a gap longer than ``quiet``, or an alarm that may end."""
        for device in sorted(arrivals.keys() | self._arrivals.heard.keys()):
            before = self._arrivals.heard.get(device)
            times = [*([before.last] if before else []), *arrivals.get(device, ()), until]
            if np.diff(times).max(initial=0) > quiet or any(key[1] == device for key in self._arrivals.active):
                yield device

    def _watch(self, device: int, rules: Sequence[Rule], times: Ints, since: int, until: int, found: Verdicts) -> None:
        alone = Registry(self._registry.kinds, [self._registry.devices[device]])
        before = self._arrivals.heard.get(device)
        count, last = (before.readings, before.last) if before else (0, 0)
        mine = {key: alarm for key, alarm in self._arrivals.active.items() if key[1] == device}
        quiet = min(branch.silent for rule in rules for branch in rule.branches)
        now = since + WATCHED_EVERY
        while now <= until:
            seen = int(np.searchsorted(times, now, side="right"))
            heard = Heard(int(times[seen - 1]) if seen else last, count + seen)
            if heard.readings and (mine or now - heard.last > quiet):
                verdicts = watch(rules, alone, self._local_time, {device: heard}, mine, now)
                for change in verdicts.transitions:
                    if change.change is Change.RAISED:
                        mine[change.rule_id, device] = SilenceAlarm(heard.readings)
                    else:
                        mine.pop((change.rule_id, device), None)
                _add(found, verdicts)
                now += WATCHED_EVERY
            else:  # nobody can be missed before then
                now += WATCHED_EVERY * max(1, (heard.last + quiet - now) // WATCHED_EVERY)
        kept = {key: alarm for key, alarm in self._arrivals.active.items() if key[1] != device}
        self._arrivals.active = kept | mine


def _by_device(readings: Readings) -> dict[int, Ints]:
    devices, starts = np.unique(readings.device, return_index=True)
    return dict(zip(devices.tolist(), np.split(readings.ts, starts[1:]), strict=True))


def _add(found: Verdicts, more: Verdicts) -> None:
    found.transitions.extend(more.transitions)
    found.crashes.extend(more.crashes)
