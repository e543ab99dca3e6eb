"""Rules over stored history: what they would have raised, against what those in force would have."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import msgspec

from devices.kind import Kind
from devices.readings import Readings
from devices.registry import Registry
from rules.durations import MICROS
from rules.episodes import Episode, episodes
from rules.hindsight import Hindsight
from rules.local_time import LocalTime
from rules.rule import Input, Rule
from rules.verdicts import Transition
from storage import reading_writer
from storage.connection import Connection

# So many readings are judged at once: columns long enough for NumPy, short enough that a restless device is walked
# reading by reading for hours and not for months.
AT_ONCE = 250_000
_LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What to go through. Times in microseconds since 1970 UTC; no devices: all of the kind."""

    since: int
    until: int
    devices: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it has come: until when, readings so far, and the seconds that judging them took."""

    kind: str
    until: int
    readings: int
    judging: float


@dataclass(frozen=True, slots=True)
class Found:
    """What two sets of rules make of the same history, and what it cost."""

    tried: list[Episode]
    in_force: list[Episode]
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


def run(
    connection: Connection,
    asked: Asked,
    tried: tuple[Sequence[Rule], Registry],
    in_force: tuple[Sequence[Rule], Registry] | None,
    local_time: LocalTime,
    say: Callable[[Progress], None],
) -> Found:
    """Judge the history of every kind that the tried rules are about, with both sets of rules.

    Args:
        connection: Of the database that has the history.
        asked: From when to when, and whose.
        tried: The rules to try, and the registry with the limits to try.
        in_force: The rules and limits in force; None where they are the ones to try.
        local_time: The city's clock.
        say: Told after each slice.

    Raises:
        HindsightError: naming the rule that crashed.
    """
    changes: tuple[list[Transition], list[Transition]] = ([], [])
    readings, judging = 0, 0.0
    for kind in sorted({rule.kind for rule in tried[0] if rule.input is not Input.JOB}):
        sides = [
            Hindsight([rule for rule in rules if rule.kind == kind], registry, local_time)
            for rules, registry in ((tried, in_force) if in_force else (tried,))
        ]
        reach = max(side.reach for side in sides)
        for history, since, until, fresh in _slices(connection, tried[1], kind, asked, reach):
            begun = time.perf_counter()
            for side, told in zip(sides, changes, strict=False):
                told.extend(side.slice(history, since, until))
            judging += time.perf_counter() - begun
            readings += fresh
            say(Progress(kind, until, readings, judging))
    found = episodes(changes[0])
    return Found(found, episodes(changes[1]) if in_force else found, readings, judging)


def _slices(
    connection: Connection, registry: Registry, kind: str, asked: Asked, reach: int
) -> Iterator[tuple[Readings, int, int, int]]:
    """The history of a kind piece by piece: readings, from when until when, how many of them are new."""
    devices = [device.id for device in registry.of_kind(kind) if not asked.devices or device.id in asked.devices]
    interval = registry.kinds[kind].interval.total_seconds()
    longest = round(_LONGEST.total_seconds() * MICROS)
    step = min(longest, round(AT_ONCE * interval / max(len(devices), 1) * MICROS))
    since = asked.since
    while since < asked.until and devices:
        until = min(since + step, asked.until)
        described = registry.kinds[kind]
        numbers = [metric.name for metric in described.metrics]
        history = reading_writer.read_back(connection, described, devices, since - reach, until, numbers)
        yield history, since, until, int((history.ts >= since).sum())
        since = until
