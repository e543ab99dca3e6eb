"""Rules over history: what they would have raised, against what those in force would have, and what is too much."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import msgspec

from devices.groups import grouped
from devices.kind import Kind
from devices.moments import MICROS
from devices.readings import Readings
from devices.registry import Registry
from rules.advising import Advice, Scene, advise
from rules.episodes import Episode, episodes, worst
from rules.hindsight import Hindsight
from rules.local_time import LocalTime
from rules.rule import Input, Rule
from rules.spells import Spells
from rules.verdicts import Key, Transition

# So many readings are judged at once: columns long enough for NumPy, short enough that a restless device is walked
# reading by reading for hours and not for months.
AT_ONCE = 250_000
# So many of what windows reach back to are kept: of more devices some are judged after the others.
_KEPT = 2 * AT_ONCE
_MOST_AGAIN = 4 * AT_ONCE  # readings of one device or group with which a rule is tried again
_LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What to go through. Times in microseconds since 1970 UTC; no devices: all of the kind."""

    since: int
    until: int
    devices: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class World:
    """What was, whatever rules are tried.

    ``read`` gives the readings of devices of a kind from a moment until before another, in order of device and time,
    with these metrics at least, ``heard`` when each of them was heard last before a moment.
    ``permits`` gives the work permits that were in force from a moment on, ``ask`` the figures of a rule's measure at a
    moment by number of the group; None where nobody can.
    """

    read: Callable[[Kind, Sequence[int], int, int, Collection[str]], Readings]
    heard: Callable[[Kind, Sequence[int], int], Mapping[int, int]]
    local_time: LocalTime
    permits: Callable[[int], Spells]
    ask: Callable[[Registry, Rule, int], Mapping[int, Mapping[str, float | None]]] | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """A set of rules to judge by: those whose alarms count, those of whose alarms they ask, and the limits."""

    rules: Sequence[Rule]
    asked: Sequence[Rule]
    registry: Registry

    @classmethod
    def of(cls, wanted: Collection[str], among: Iterable[Rule], registry: Registry) -> "Side":
        """The wanted rules out of all of a set."""
        by_id = {rule.id: rule for rule in among}
        asked: set[str] = set()
        fresh = {name for each in wanted if each in by_id for name in by_id[each].asked}
        while fresh := (fresh & by_id.keys()) - asked:
            asked |= fresh
            fresh = {name for each in fresh for name in by_id[each].asked}
        return cls(
            [rule for name, rule in by_id.items() if name in wanted],
            [rule for name, rule in by_id.items() if name in asked - {*wanted}],
            registry,
        )

    @property
    def groupings(self) -> set[tuple[str, tuple[str, ...]]]:
        """The groups that its rules speak of."""
        return {(rule.kind, rule.group) for rule in [*self.rules, *self.asked] if rule.group}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it has come: which share of a kind, readings so far, and the seconds that judging them took."""

    kind: str
    share: float
    readings: int
    judging: float

    @property
    def speed(self) -> str:
        """For people."""
        return f"{self.readings / self.judging:,.0f} readings/s" if self.judging else ""


@dataclass(frozen=True, slots=True)
class Found:
    """What two sets of rules make of the same history, and what it cost.

    ``noisy`` are the rules and devices with the most alarms, how many, and what would have made them quieter.
    ``passed_over`` are jobs, where nobody could be asked for their figures. ``registry`` has the groups.
    """

    tried: list[Episode]
    in_force: list[Episode]
    noisy: list[tuple[Key, int, Advice]]
    passed_over: list[str]
    registry: Registry
    readings: int
    judging: float


def with_limits(kinds: Mapping[str, Kind], limits: Mapping[str, float]) -> dict[str, Kind]:
    """Kinds whose limits of these names have these values; devices that have one of their own keep it.

    Raises:
        ValueError: for a name that no kind has.
    """
    if unknown := set(limits) - {name for kind in kinds.values() for name in kind.limits}:
        raise ValueError(f"no kind has a limit called {', '.join(sorted(unknown))}")
    return {name: _with(kind, limits) for name, kind in kinds.items()}


def _with(kind: Kind, limits: Mapping[str, float]) -> Kind:
    tried: dict[str, Any] = {"by": "", "values": {}, "valid_from": None, "changes": ()}
    changed = {
        name: msgspec.structs.replace(limit, value=limits[name], **tried) if name in limits else limit
        for name, limit in kind.limits.items()
    }
    return replace(kind, limits=changed)


def run(world: World, asked: Asked, tried: Side, in_force: Side | None, say: Callable[[Progress], None]) -> Found:
    """Judge the history of every kind that the tried rules are about, with both sets of rules.

    Args:
        world: The history.
        asked: From when to when, and whose.
        tried: The rules and limits to try.
        in_force: Those in force; None where they are the ones to try.
        say: Told after each slice.

    Raises:
        HindsightError: naming the rule that crashed.
    """
    groupings = tried.groupings | (in_force.groupings if in_force else set())
    sides = [replace(side, registry=grouped(side.registry, groupings)) for side in (tried, in_force) if side]
    permits = world.permits(asked.since)
    subjects = _subjects(sides[0].registry, groupings, asked.devices)
    changes: list[list[Transition]] = [[] for _ in sides]
    readings, judging = 0, 0.0
    for kind in sorted({rule.kind for rule in tried.rules}):
        described = sides[0].registry.kinds[kind]
        rules = [rule for side in sides for rule in [*side.rules, *side.asked] if rule.kind == kind]
        metrics, reach = _metrics(rules), max((rule.window.length for rule in rules if rule.window), default=0)
        devices = _devices(sides[0].registry, kind, groupings, subjects)
        # A job asks for the figures of all groups at once.
        jobs = any(rule.input is Input.JOB for rule in rules)
        most = len(devices) if jobs else _most(described, reach)
        portions = _portions(sides[0].registry, kind, groupings, devices, most)
        for number, portion in enumerate(portions):
            heard = world.heard(described, portion, asked.since)
            judges = [_judge(world, side, kind, permits, heard) for side in sides]
            before: list[Readings] = []
            step = _step(described, len(portion))
            for since, until in _steps(asked.since, asked.until, step):
                unread = since if before else since - reach
                fresh = [
                    world.read(described, portion, begins, ends, metrics)
                    for begins, ends in _steps(unread, until, step)
                ]
                history = Readings.joined([*before, *fresh])
                begun = time.perf_counter()
                for judge, told in zip(judges, changes, strict=True):
                    told.extend(judge.slice(history, since, until))
                judging += time.perf_counter() - begun
                readings += int((history.ts >= since).sum())
                past = (until - asked.since) / (asked.until - asked.since)
                say(Progress(kind, (number + past) / len(portions), readings, judging))
                # Windows may be many times as long as a slice: what they reach back to is kept, not read again.
                before = [history.where(history.ts >= until - reach)]
                del fresh, history  # large ones, while the next are made
    found = [_counted(side, told, subjects) for side, told in zip(sides, changes, strict=True)]
    return Found(
        tried=found[0],
        in_force=found[-1],
        noisy=_noisy(world, asked, sides[0], found[0], permits),
        passed_over=[rule.id for rule in tried.rules if rule.input is Input.JOB and world.ask is None],
        registry=sides[0].registry,
        readings=readings,
        judging=judging,
    )


def _judge(world: World, side: Side, kind: str, permits: Spells, heard: Mapping[int, int]) -> Hindsight:
    ask = world.ask
    return Hindsight(
        [rule for rule in [*side.rules, *side.asked] if rule.kind == kind],
        side.registry,
        world.local_time,
        permits=permits,
        ask=(lambda rule, at: ask(side.registry, rule, at)) if ask else None,
        heard=heard,
    )


def _metrics(rules: Iterable[Rule]) -> set[str]:
    """What rules look at, and what they keep as evidence."""
    return {
        name
        for rule in rules
        for names in [rule.evidence, *(condition.metrics for condition in rule.conditions)]
        for name in names
    }


def _counted(side: Side, changes: Sequence[Transition], subjects: set[int]) -> list[Episode]:
    """The episodes of the rules that count, and of those whom was asked about."""
    wanted = {rule.id for rule in side.rules}
    return [each for each in episodes(changes) if each.rule_id in wanted and (not subjects or each.device in subjects)]


def _subjects(
    registry: Registry, groupings: Collection[tuple[str, tuple[str, ...]]], devices: Collection[int]
) -> set[int]:
    """Devices, and the groups that they belong to."""
    found = set(devices)
    for kind, by in groupings if devices else ():
        members = registry.membership(kind, by)
        found |= {
            group
            for device, group in zip(members.device.tolist(), members.group.tolist(), strict=True)
            if device in devices
        }
    return found


def _devices(
    registry: Registry, kind: str, groupings: Collection[tuple[str, tuple[str, ...]]], subjects: set[int]
) -> list[int]:
    """Whose readings must be read: all members of the groups that are asked about, too."""
    wanted = {number for number in registry.all_of(kind).tolist() if not subjects or number in subjects}
    for of_kind, by in groupings if subjects else ():
        if of_kind == kind:
            members = registry.membership(kind, by)
            wanted |= {
                device
                for device, group in zip(members.device.tolist(), members.group.tolist(), strict=True)
                if group in subjects
            }
    return sorted(wanted)


def _most(kind: Kind, reach: int) -> int:
    """How many devices are judged at once."""
    return round(_KEPT * kind.interval.total_seconds() * MICROS / max(reach, 1))


def _portions(
    registry: Registry, kind: str, groupings: Collection[tuple[str, tuple[str, ...]]], devices: Sequence[int], most: int
) -> list[list[int]]:
    """Devices some at a time, those of a group never apart."""
    beside = {device: device for device in devices}  # another one that it stays with, until one stays with itself

    def first(device: int) -> int:
        while beside[device] != device:
            beside[device] = device = beside[beside[device]]
        return device

    for of_kind, by in groupings if len(devices) > most else ():
        for members in registry.members(kind, by).values() if of_kind == kind else ():
            mine = [device for device in members.tolist() if device in beside]
            for device in mine[1:]:
                beside[first(device)] = first(mine[0])
    together: dict[int, list[int]] = {}
    for device in devices:
        together.setdefault(first(device), []).append(device)
    portions: list[list[int]] = []
    for each in together.values():
        if not portions or len(portions[-1]) + len(each) > most:
            portions.append([])
        portions[-1] += each
    return [sorted(portion) for portion in portions]


def _step(kind: Kind, devices: int) -> int:
    """How much time is read and judged at once, µs."""
    longest = round(_LONGEST.total_seconds() * MICROS)
    return min(longest, round(AT_ONCE * kind.interval.total_seconds() / devices * MICROS))


def _steps(since: int, until: int, step: int) -> Iterator[tuple[int, int]]:
    while since < until:
        yield since, min(since + step, until)
        since += step


def _noisy(
    world: World, asked: Asked, side: Side, found: Sequence[Episode], permits: Spells
) -> list[tuple[Key, int, Advice]]:
    """Who has most alarms, and what would have made them quieter."""
    rules = {rule.id: rule for rule in side.rules}
    return [(key, len(of), _advice(world, asked, side, rules[key[0]], key[1], of, permits)) for key, of in worst(found)]


def _advice(
    world: World, asked: Asked, side: Side, rule: Rule, subject: int, of: Sequence[Episode], permits: Spells
) -> Advice:
    kind, registry = side.registry.kinds[rule.kind], side.registry
    devices = [subject]
    if rule.group:
        members = registry.membership(rule.kind, rule.group)
        devices = members.device[members.group == subject].tolist()
    span = (asked.until - asked.since) / MICROS / kind.interval.total_seconds()
    if rule.input is Input.JOB or len(devices) * span > _MOST_AGAIN:
        return Advice()
    helpers = [
        each for each in Side.of({rule.id}, [*side.rules, *side.asked], registry).asked if each.kind == rule.kind
    ]
    reach = max((each.window.length for each in [rule, *helpers] if each.window), default=0)
    facilities = [each for each in registry.groups.values() if each.id == subject]
    scene = Scene(
        readings=world.read(kind, devices, asked.since - reach, asked.until, _metrics([rule, *helpers])),
        registry=Registry(registry.kinds, [*(registry.devices[each] for each in devices), *facilities]),
        local_time=world.local_time,
        since=asked.since,
        until=asked.until,
        permits=permits,
        heard=world.heard(kind, devices, asked.since),
    )
    return advise(rule, helpers, of, scene)
