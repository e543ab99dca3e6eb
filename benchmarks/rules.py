"""How fast the rules are: readings judged in a second, and their share of what the collector's own process does.

The readings are a healthy pretend city's, decoded from its messages, all rules on readings in force. The engine alone
is measured on long tables, as a backtest gives them; its share on batches of the length that a busy collector takes,
beside decoding and the encoding for COPY. The database, the broker and the network are not part of it.
"""

import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from benchmarks.rig import say
from cityward.clock import Clock
from devices.device import Description, Device
from devices.kind import load_kinds
from devices.moments import MICROS
from devices.readings import Readings
from devices.registry import Registry
from devices.shapes import convert
from ingest.decoding import Decoder
from ingest.messages import Batch, Message
from rules.engine import Engine
from rules.local_time import LocalTime
from rules.packs import load_packs
from rules.rule import Input, Rule
from simulators.city import build_city
from simulators.fleet import Fleet
from simulators.story import Story
from storage.binary_copy import rows
from storage.migrate import DEFAULT_ZONE

GOAL = 2_000_000  # readings a second
BATCH = 1000  # messages that a busy collector commits at once
_PASSES = 5
_STAGES = ("decode", "copy", "rules")
_SPAN = timedelta(days=60)  # more than is ever drawn


@dataclass(frozen=True, slots=True)
class Plan:
    """How many messages of how large a city, and whose chance."""

    messages: int
    devices: int
    seed: int


def run(plan: Plan) -> dict[str, Any]:
    """The figures: by kind and together, and the share of the loop."""
    kinds, clock = load_kinds(), Clock()
    city = build_city(plan.seed, plan.devices, kinds)
    registry = Registry(kinds, [_registered(number, each) for number, each in enumerate(city.devices, start=1)])
    rules = [rule for rule in load_packs(kinds) if rule.input is Input.READING]
    say(f"drawing {plan.messages:,} messages of {plan.devices:,} devices")
    until = clock.now()
    drawn = Fleet(city, Story(), plan.seed).messages(until - _SPAN, until)
    messages = [Message(each.topic, each.payload) for each, _ in zip(drawn, range(plan.messages), strict=False)]
    local_time = LocalTime(ZoneInfo(DEFAULT_ZONE))
    say(f"judging, {_PASSES} times")
    stages, tables = _inline(messages, registry, rules, local_time, clock.micros())
    alone = {name: _alone(name, each, registry, rules, local_time) for name, each in tables.items()}
    seconds = sum(each["seconds"] for each in alone.values())
    readings = sum(each["readings"] for each in alone.values())
    return {
        "readings": readings,
        "rules": len(rules),
        "readings_per_second": round(readings / seconds),
        "goal": GOAL,
        "ratio_to_goal": round(readings / seconds / GOAL, 2),
        "by_kind": {
            name: {"rules": each["rules"], "readings_per_second": round(each["readings"] / each["seconds"])}
            for name, each in alone.items()
        },
        "batch": BATCH,
        "inline_us_per_message": {name: round(each / len(messages) * MICROS, 2) for name, each in stages.items()},
        "inline_share": round(stages["rules"] / sum(stages.values()), 3),
    }


def _registered(number: int, pretend: object) -> Device:
    described = convert(pretend, Description, from_attributes=True)
    return Device(id=number, **msgspec.structs.asdict(described))


def _alone(
    kind: str, batches: Sequence[Readings], registry: Registry, rules: Sequence[Rule], local_time: LocalTime
) -> dict[str, Any]:
    """The engine on one long table: the median of several passes, each with an engine that remembers nothing."""
    table = Readings.joined(batches)
    mine = [rule for rule in rules if rule.kind == kind]

    def once() -> float:
        engine = Engine(mine, registry, local_time)
        begun = time.perf_counter()
        engine.step([table])
        return time.perf_counter() - begun

    return {"readings": len(table), "rules": len(mine), "seconds": statistics.median(once() for _ in range(_PASSES))}


def _inline(
    messages: list[Message], registry: Registry, rules: Sequence[Rule], local_time: LocalTime, received_at: int
) -> tuple[dict[str, float], Mapping[str, list[Readings]]]:
    """Seconds of each stage over all batches, and what was decoded by kind."""
    stages: defaultdict[str, float] = defaultdict(float)
    tables: defaultdict[str, list[Readings]] = defaultdict(list)
    decoder, engine = Decoder(registry), Engine(rules, registry, local_time)
    for batch in _batches(messages, received_at):
        moments = [time.perf_counter()]
        found = decoder.decode(batch).readings
        moments.append(time.perf_counter())
        for each in found:
            rows(each)
        moments.append(time.perf_counter())
        engine.apply(engine.step(found))
        moments.append(time.perf_counter())
        for stage, (begun, ended) in zip(_STAGES, pairwise(moments), strict=True):
            stages[stage] += ended - begun
        for each in found:
            tables[each.kind.name].append(each)
    return dict(stages), tables


def _batches(messages: list[Message], received_at: int) -> Iterator[Batch]:
    for first in range(0, len(messages), BATCH):
        yield Batch(messages[first : first + BATCH], received_at)
