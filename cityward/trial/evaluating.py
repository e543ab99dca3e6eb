"""What alarms were worth: the truth of a scenario against what was raised. Pure.

An alarm is right where a label of its device, or of a member of its group, expects or allows its rule at that time. A
label's expectation is met by an alarm of its rule in time, or by one that is active when it begins; late by one that
comes after, missed without. An alarm that was hushed has noticed it, and bothers nobody. A case that a label under
permit led to is a false dispatch although its alarm is right. A storm speaks of alarms: it is right where most of them
are.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from alarms import storms
from alarms.policy import Storm
from simulators.labels import Label

# After what was wrong has ended, an alarm about it may still come: what was sent late, a window that closes.
AFTERMATH = timedelta(minutes=45)
_STORM = timedelta(microseconds=Storm().within)


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm as long as it was active; times are aware.

    Attributes:
        rule: Its rule.
        device: Its device or group (``circuit:…``).
        at: When what it speaks of happened.
        dispatched: Whether a case was opened for it.
        noticed: When Cityward said so; ``at`` where None.
        ended: Until when it was active; None where nobody knows.
        number: Its number.
        hushed: Whether nobody was told, because another alarm explains it or a permit covers it.
    """

    rule: str
    device: str
    at: datetime
    dispatched: bool = True
    noticed: datetime | None = None
    ended: datetime | None = None
    number: int = 0
    hushed: bool = False

    @property
    def known(self) -> datetime:
        """Since when people could know."""
        return self.noticed or self.at


@dataclass(frozen=True, slots=True)
class RuleScore:
    """How one rule did; shares are None where there was nothing to find or nothing was said."""

    expected: int
    in_time: int
    late: int
    alarms: int
    right: int
    delays_s: tuple[float, ...]  # of those found, in order of size

    @property
    def recall(self) -> float | None:
        """Share of what it should have noticed that it noticed in time."""
        return self.in_time / self.expected if self.expected else None

    @property
    def precision(self) -> float | None:
        """Share of its alarms that were right."""
        return self.right / self.alarms if self.alarms else None

    def delay_s(self, share: float) -> float | None:
        """The delay that so large a share of its finds did not exceed."""
        if not self.delays_s:
            return None
        return self.delays_s[max(0, math.ceil(share * len(self.delays_s)) - 1)]


@dataclass(frozen=True, slots=True)
class Score:
    """How all rules did together."""

    rules: Mapping[str, RuleScore]
    device_days: float
    missed: tuple[tuple[str, str], ...]  # label and rule
    late: tuple[tuple[str, str, float], ...]  # and after how many seconds
    false: tuple[Raised, ...]
    unwanted: tuple[Raised, ...]  # for which somebody was sent: the false ones, and those of permitted work

    @property
    def concerned(self) -> Mapping[str, RuleScore]:
        """The rules that had something to notice or spoke."""
        return {name: rule for name, rule in self.rules.items() if rule.expected or rule.alarms}

    @property
    def recall(self) -> float | None:
        """Over all rules."""
        expected = sum(each.expected for each in self.rules.values())
        return sum(each.in_time for each in self.rules.values()) / expected if expected else None

    @property
    def false_dispatches(self) -> int:
        """How often a crew was sent for nothing."""
        return len(self.unwanted)

    @property
    def false_per_1000_device_days(self) -> float:
        """Crews that were sent for nothing."""
        return 1000 * self.false_dispatches / self.device_days


def evaluate(
    labels: Sequence[Label],
    alarms: Sequence[Raised],
    *,
    rules: Iterable[str],
    device_days: float,
    until: datetime,
    groups: Mapping[str, Collection[str]] = MappingProxyType({}),
    reach: Mapping[str, timedelta] = MappingProxyType({}),
    tick: timedelta = timedelta(),
) -> Score:
    """Score alarms against labels.

    Args:
        labels: What was wrong, and what only looked so.
        alarms: What was raised.
        rules: The rules in force: what nobody could have noticed is not missed.
        device_days: Devices times days that were watched; above 0.
        until: Until when it was watched (aware): what may still be noticed later is not missed.
        groups: The ids of the groups that each device belongs to, and of its desk.
        reach: How far rules look back, where that is far: a rule about days speaks of yesterday.
        tick: How coarse the time is by which alarms were noticed: one that much too late is in time.
    """
    in_force = set(rules)
    by_place: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        for place in {*label.devices, label.group, *_groups(label, groups)} - {""}:
            by_place[place].append(label)
    by_rule: dict[str, list[Raised]] = defaultdict(list)
    for alarm in sorted(alarms, key=lambda each: each.known):
        by_rule[alarm.rule].append(alarm)
    told = [alarm for alarm in alarms if not alarm.hushed]
    aftermath = {
        rule: AFTERMATH + reach.get(rule, timedelta()) for rule in {*in_force, *(each.rule for each in alarms)}
    }
    covering = {alarm: _covering(alarm, by_place[alarm.device], aftermath[alarm.rule]) for alarm in alarms}
    covering |= {storm: _behind(storm, covering, groups) for storm in by_rule[storms.RULE]}
    found = _found(labels, by_rule, aftermath, in_force, until, groups, tick)
    false = [alarm for alarm in told if not covering[alarm]]
    unwanted = [alarm for alarm in told if alarm.dispatched and all(label.under_permit for label in covering[alarm])]
    return Score(
        rules={
            rule: _scored(
                [delay for _, named, delay in found if named == rule],
                [bool(covering[alarm]) for alarm in by_rule[rule] if not alarm.hushed],
            )
            for rule in sorted(in_force)
        },
        device_days=device_days,
        missed=tuple((label.id, rule) for label, rule, delay in found if delay is None),
        late=tuple((label.id, rule, delay.seconds) for label, rule, delay in found if delay and not delay.in_time),
        false=tuple(false),
        unwanted=tuple(unwanted),
    )


@dataclass(frozen=True, slots=True)
class _Delay:
    seconds: float
    in_time: bool


def _covering(alarm: Raised, labels: Iterable[Label], aftermath: timedelta) -> list[Label]:
    """The labels by which the alarm is right."""
    return [
        label
        for label in labels
        if label.start <= alarm.known
        and alarm.at <= max([label.end, *(each.by for each in label.expects)]) + aftermath
        and alarm.rule in {*(each.rule for each in label.expects), *label.allows}
    ]


def _behind(
    storm: Raised, covering: Mapping[Raised, list[Label]], groups: Mapping[str, Collection[str]]
) -> list[Label]:
    """The labels by which most of the alarms are right that a storm of their desk speaks of."""
    counted = [
        labels
        for alarm, labels in covering.items()
        if storm.device in groups.get(alarm.device, ()) and storm.known - _STORM <= alarm.known <= storm.known
    ]
    right = [label for labels in counted for label in labels]
    return right if 2 * sum(map(bool, counted)) > len(counted) else []


def _groups(label: Label, groups: Mapping[str, Collection[str]]) -> set[str]:
    """The groups that have a member among the label's devices; of a label of a group as a whole that one alone."""
    found = {group for device in label.devices for group in groups.get(device, ())}
    return {each for each in found if each.startswith(f"{label.group}:")} if label.group else found


def _found(
    labels: Iterable[Label],
    by_rule: Mapping[str, Sequence[Raised]],
    aftermath: Mapping[str, timedelta],
    in_force: set[str],
    until: datetime,
    groups: Mapping[str, Collection[str]],
    tick: timedelta,
) -> list[tuple[Label, str, _Delay | None]]:
    """For every expectation of a rule in force how soon it was met."""
    found: list[tuple[Label, str, _Delay | None]] = []
    for label in labels:
        places = _groups(label, groups) | ({label.group} if label.group else {*label.devices})
        for expected in label.expects:
            if expected.rule in in_force and expected.by <= until:
                there = [alarm for alarm in by_rule.get(expected.rule, ()) if alarm.device in places]
                latest = max(label.end, expected.by) + aftermath[expected.rule]
                first = next(
                    (alarm.known for alarm in there if label.start <= alarm.known and alarm.at <= latest), None
                )
                if any(_active(alarm, label.start) for alarm in there):
                    first = label.start
                delay = _Delay((first - label.start).total_seconds(), first - tick <= expected.by) if first else None
                found.append((label, expected.rule, delay))
    return found


def _active(alarm: Raised, at: datetime) -> bool:
    return alarm.known < at and alarm.ended is not None and alarm.ended > at


def _scored(delays: Sequence[_Delay | None], right: Sequence[bool]) -> RuleScore:
    met = [delay for delay in delays if delay is not None]
    in_time = sum(delay.in_time for delay in met)
    return RuleScore(
        expected=len(delays),
        in_time=in_time,
        late=len(met) - in_time,
        alarms=len(right),
        right=sum(right),
        delays_s=tuple(sorted(delay.seconds for delay in met)),
    )
