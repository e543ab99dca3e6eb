"""Rules over history: what they would have found, had they been in force. What judges the city judges here.

Pure. History comes in slices of time, each with what its windows reach back to; what is remembered goes on from slice
to slice, as it does from batch to batch in the city. Of the time before the first it is known who was heard when.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from devices.errors import Permanent
from devices.moments import MICROS
from devices.quality import Quality
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
from rules.windows import Window, blank, frame_of

WATCHED_EVERY = 5 * 60 * MICROS  # a silence is found up to so much later than in the city
_FOREVER = np.iinfo(np.int64).max
_TURNS = tuple(Input)  # readings first, then what may ask for their alarms

# The figures of a rule's measure at a moment (µs since 1970 UTC), by number of the group.
Ask = Callable[[Rule, int], Mapping[int, Mapping[str, float | None]]]


class HindsightError(Permanent):
    """A rule crashed over history; it would have been benched in the city."""


@dataclass(frozen=True, slots=True)
class _Arrivals:
    """Signs of life in order of device and time; those of ``devices[i]`` begin at ``starts[i]``."""

    ts: Ints
    devices: Ints
    starts: Ints

    @classmethod
    def of_readings(cls, readings: Readings) -> "_Arrivals":
        """What a gateway repeats is none."""
        own = readings.where((readings.quality & int(Quality.REPEATED)) == 0)
        return cls(own.ts, *np.unique(own.device, return_index=True))

    @property
    def ends(self) -> Ints:
        """Where those of each device end."""
        return np.append(self.starts, len(self.ts))[1:]

    def of(self, device: int) -> Ints:
        """The times of one device."""
        place = int(np.searchsorted(self.devices, device))
        if place == len(self.devices) or self.devices[place] != device:
            return self.ts[:0]
        return self.ts[self.starts[place] : self.ends[place]]

    def gaps(self, before: Ints, until: int) -> Ints:
        """The longest time between two signs of life of each device, from ``before`` (0: none) until ``until``."""
        since = np.diff(self.ts, prepend=0)
        first = self.ts[self.starts]
        since[self.starts] = np.where(before > 0, first - before, 0)
        longest: Ints = np.maximum(np.maximum.reduceat(since, self.starts), until - self.ts[self.ends - 1])
        return longest


class Hindsight:
    """One set of rules about one kind, told its history slice by slice.

    Args:
        rules: Rules of one kind.
        registry: The devices, their groups and their limits, as they shall count.
        local_time: The city's clock.
        permits: The work permits of that time.
        ask: Answers for measures; without it jobs are passed over.
        heard: When each device was heard last before the beginning, µs since 1970 UTC, by number.
        watched_every: How often it is looked who is silent, µs: at multiples of it.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        registry: Registry,
        local_time: LocalTime,
        *,
        permits: Spells = NONE,
        ask: Ask | None = None,
        heard: Mapping[int, int] = MappingProxyType({}),
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
        self._silences: dict[Key, SilenceAlarm] = {}
        self._last, self._count = (np.zeros(max(registry.devices, default=0) + 1, dtype=np.int64) for _ in range(2))
        for device, at in heard.items():
            self._last[device], self._count[device] = at, 1
        self._spells: dict[Key, list[Spell]] = {}

    @property
    def reach(self) -> int:
        """How far a slice must reach back before its start, µs: the longest window."""
        return max((rule.window.length for rule in self._rules if rule.window), default=0)

    def slice(self, readings: Readings, since: int, until: int) -> list[Transition]:
        """What the rules find between two moments (µs since 1970 UTC), in order of time.

        What happens at ``since`` belongs to this slice, and so do windows and jobs that come due at ``until``.

        Args:
            readings: Of all devices from ``since - reach`` until before ``until``, in order of device and time.
            since: Where the last slice ended, or the beginning.
            until: The end of this one.

        Raises:
            HindsightError: naming the rule that crashed.
        """
        fresh = readings.where(readings.ts >= since)
        arrivals = _Arrivals.of_readings(fresh)
        found = Verdicts()
        if len(fresh):
            judged = self._engine.step([fresh])
            self._engine.apply(judged)
            self._add(found, judged)
        for rule in self._rules:
            if rule.input is Input.SILENCE:
                self._listen(rule, arrivals, since, until, found)
            elif rule.window is not None and len(readings):
                self._close(rule, rule.window, readings, since, until, found)
            elif rule.input is Input.JOB and self._ask is not None:
                self._inquire(rule, self._ask, since, until, found)
        self._last[arrivals.devices] = arrivals.ts[arrivals.ends - 1]
        self._count[arrivals.devices] += arrivals.ends - arrivals.starts
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

    def _listen(self, rule: Rule, fresh: _Arrivals, since: int, until: int, found: Verdicts) -> None:
        """The watchdog, for those who are silent, by the devices' own times."""
        alarms = self._alarms(rule)
        for device in self._silent(rule, fresh, until):
            self._watch(device, rule, alarms, fresh.of(device), since, until, found)

    def _silent(self, rule: Rule, fresh: _Arrivals, until: int) -> list[int]:
        """Devices with a gap that is too long, or an alarm that may end."""
        longest = np.where(self._last > 0, until - self._last, 0)
        if len(fresh.devices):
            longest[fresh.devices] = fresh.gaps(self._last[fresh.devices], until)
        quiet = np.flatnonzero(longest > rule.patience).tolist()
        return sorted({*quiet, *(device for rule_id, device in self._silences if rule_id == rule.id)})

    def _watch(
        self, device: int, rule: Rule, alarms: Spells, times: Ints, since: int, until: int, found: Verdicts
    ) -> None:
        """One device, at every look that may change anything."""
        minded = self._minded(device, rule, alarms, since, until)
        count, last = int(self._count[device]), int(self._last[device])
        key, now = (rule.id, device), since
        while (now := self._look(now)) < until:
            seen = int(np.searchsorted(times, now, side="right"))
            heard = Heard(int(times[seen - 1]) if seen else last, count + seen)
            if key in self._silences:
                ends = self._silences[key].readings + rule.clear_messages - count  # so many of this slice end it
                if seen < ends:
                    if len(times) < ends:
                        return
                    now = int(times[ends - 1])
                    continue
            elif not heard.readings and seen == len(times):
                return
            elif not heard.readings or now - heard.last <= rule.patience:
                now = (heard.last if heard.readings else int(times[seen])) + rule.patience + 1
                continue
            elif now - heard.last <= minded[(now - self._look(since)) // self._every]:
                now += 1
                continue
            verdicts = watch(
                [rule], self._registry, self._local_time, {device: heard}, self._silences, now, alarms=alarms,
                permits=self._permits,
            )  # fmt: skip
            for change in verdicts.transitions:
                if change.change is Change.RAISED:
                    self._silences[key] = SilenceAlarm(heard.readings)
                else:
                    self._silences.pop(key, None)
            self._add(found, verdicts)
            now += 1

    def _minded(self, device: int, rule: Rule, alarms: Spells, since: int, until: int) -> list[int]:
        """For how long a device may be silent at each look before a branch minds whose condition holds then, µs."""
        looks = np.arange(self._look(since), until, self._every)
        moments = blank(self._registry.kinds[rule.kind], np.full(len(looks), device), looks)
        frame = Frame(moments, self._registry, self._local_time, self._permits, alarms=alarms)
        minded = np.full(len(looks), _FOREVER)
        try:
            for branch in rule.branches:
                holds = branch.when.truth(frame).true if branch.when is not None else True
                minded = np.where(holds, np.minimum(minded, branch.silent), minded)
        except Exception as error:
            raise HindsightError(f"{rule.id} crashed: {type(error).__name__}: {error}") from error
        return list(minded.tolist())

    def _look(self, at: int) -> int:
        """The first look of the watchdog that is not before this."""
        return -(-at // self._every) * self._every


def _in_turn(rules: Sequence[Rule]) -> list[Rule]:
    """Rules after those of whose alarms they ask."""
    by_id = {rule.id: rule for rule in rules}

    def depth(rule: Rule) -> int:
        return 1 + max((depth(by_id[name]) for name in rule.asked & by_id.keys()), default=0)

    return sorted(rules, key=lambda rule: (depth(rule), _TURNS.index(rule.input), rule.id))
