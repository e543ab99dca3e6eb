"""Readings out of order within a bound are judged as in order, in any batches, wherever a collector stops."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import cast

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.kind import Kind
from devices.quality import Quality
from devices.readings import Ints, Readings
from devices.registry import Registry
from devices.topics import device_topic
from ingest.decoding import Decoder
from ingest.holding import Holding, Progress, Waiting
from ingest.loop import Written, run
from ingest.marking import Marking
from ingest.messages import Batch, DecodedBatch, Ledger, Message, Quarantined
from ingest.session import Session
from rules.engine import Engine
from rules.local_time import LocalTime
from rules.rule import Rule
from rules.verdicts import Key, RuleState, Verdicts

START = 1_795_190_400_000_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
BOUND = 5 * MINUTE
LONG_AFTER = START + 24 * 60 * MINUTE
RULES = [
    ("raise: laeq > 60",),
    ("raise: laeq > 60", "for: 5m", "clear_for: 5m"),
    ("raise: laeq > 60", "for: {samples: 3}"),
    ("raise: laeq > 60", "for: {samples: 3, within: 10m}", "clear_for: 2m"),
    ("raise: [{when: laeq > 60, for: 5m}, {when: laeq > 80, severity: critical}]", "clear: laeq < 55", "clear_for: 3m"),
]
Told = list[tuple[str, int, int]]  # change, device, minute


@dataclass(frozen=True, slots=True)
class Sent:
    """A reading: device, minute, counter, level."""

    device: int
    minute: int
    seq: int
    level: float


class Database:
    """What is committed: readings, states of rules as text, what was found, and how far was judged."""

    def __init__(self, empty: Readings) -> None:
        self.rows = [empty]
        self.states: dict[Key, bytes] = {}
        self.found: Told = []
        self.until: int | None = None
        self.since = 0

    @contextmanager
    def transaction(self) -> Iterator["Database"]:
        yield self

    def replays_waiting(self) -> bool:
        return False

    def requested(self) -> Sequence[Quarantined]:
        return ()

    def write(self, batch: DecodedBatch) -> Written:
        self.rows += [table.kept() for table in batch.readings]
        return Written(Ledger(), batch.readings)

    def record(self, verdicts: Verdicts) -> None:
        assert verdicts.crashes == []
        self.found += [(each.change, each.device, (each.at - START) // MINUTE) for each in verdicts.transitions]
        for key, state in verdicts.states.items():
            self.states[key] = msgspec.json.encode(state)

    def proceed(self, progress: Sequence[Progress]) -> None:
        for each in progress:
            self.until, self.since = (None, 0) if each.over else (each.until, each.since)
            if each.corrected is None:
                continue
            quality = dict(zip(keys(each.corrected), each.corrected.quality.tolist(), strict=True))
            for table in self.rows:
                table.quality[:] = [quality.get(key, old) for key, old in zip(keys(table), table.quality, strict=True)]

    def latest(self, _kind: Kind, devices: Ints) -> Readings:
        return self.last_of({int(device): LONG_AFTER for device in devices})

    def last_of(self, befores: Mapping[int, int]) -> Readings:
        stored = Readings.joined(self.rows)
        own = [
            ts < befores.get(device, 0) and not quality & Quality.REPEATED
            for (device, ts), quality in zip(keys(stored), stored.quality.tolist(), strict=True)
        ]
        stored = stored.take(np.array(own, dtype=bool))
        last = np.append(stored.device[1:] != stored.device[:-1], [True] * bool(len(stored)))
        return stored.take(last.astype(bool))

    def waiting(self) -> Waiting | None:
        """As the table's rows alone tell it."""
        if self.until is None:
            return None
        until, stored = self.until, Readings.joined(self.rows)
        judged: dict[int, int] = defaultdict(int)
        for table in self.rows:
            for (device, ts), at, quality in zip(keys(table), table.received_at, table.quality, strict=True):
                if at < until and not quality & Quality.REPEATED:
                    judged[device] = max(judged[device], ts)
        waits = [
            at >= until and ts > judged[device]
            for (device, ts), at in zip(keys(stored), stored.received_at.tolist(), strict=True)
        ]
        readings = stored.take(np.array(waits, dtype=bool))
        assert self.since <= readings.ts.min(initial=LONG_AFTER)
        firsts = dict(reversed(keys(readings)))
        return Waiting(until, readings, self.last_of(firsts))


def keys(readings: Readings) -> list[tuple[int, int]]:
    return list(zip(readings.device.tolist(), readings.ts.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class City:
    """Three noise meters, what decodes them and what judges them."""

    registry: Registry
    local_time: LocalTime
    decoder: Decoder
    rules: Mapping[tuple[str, ...], Rule]
    empty: Readings

    def collect(self, database: Database, lines: tuple[str, ...], batches: Sequence[Batch], bound: int) -> None:
        """A collector starts, takes these batches, and is gone."""
        states = {key: msgspec.json.decode(text, type=RuleState | None) for key, text in database.states.items()}
        known = {key: state for key, state in states.items() if state is not None}
        engine = Engine([self.rules[lines]], self.registry, self.local_time, known)
        if bound and database.until is None:
            database.until = database.since = batches[0].received_at
        waiting = database.waiting()
        holding = Holding({"noise": bound}, [waiting] if waiting else [])
        marking = Marking(self.registry.kinds.values())
        for _ in run(cast("Session", Broker(batches)), self.decoder, marking, engine, database, holding):
            pass

    def batch(self, readings: Iterable[Sent], at: int) -> Batch:
        return Batch([self.message(each) for each in readings], at)

    def message(self, sent: Sent) -> Message:
        meter = self.registry.devices[sent.device]
        document = {"ts": (START + sent.minute * MINUTE) // 1000, "seq": sent.seq, "m": {"laeq": sent.level}}
        return Message(device_topic("east", "noise", meter.device_id), msgspec.json.encode(document))


@dataclass(frozen=True, slots=True)
class Broker:
    """Hands these over."""

    given: Sequence[Batch]
    acknowledged: list[Batch] = field(default_factory=list)

    def batches(self) -> Iterator[Batch]:
        yield from self.given

    def acknowledge(self, batch: Batch) -> None:
        self.acknowledged.append(batch)


@pytest.fixture(scope="session")
def city(rule_of: Callable[..., Rule], registry_of: Callable[..., Registry], local_time: LocalTime) -> City:
    registry = registry_of("noise")
    decoder = Decoder(registry)
    meter = registry.devices[1]
    payload = msgspec.json.encode({"ts": START // 1000, "m": {"laeq": 50}})
    message = Message(device_topic("east", "noise", meter.device_id), payload)
    (table,) = decoder.decode(Batch([message], START)).readings
    rules = {lines: rule_of(*lines, kind="noise") for lines in RULES}
    return City(registry, local_time, decoder, rules, table.take(np.array([], dtype=np.intp)))


LEVELS = st.sampled_from([50.0, 58.0, 65.1, 72.123456789, 85.0])


@st.composite
def stories(draw: st.DrawFn) -> list[Sent]:
    """What two meters measure, minute by minute; now and then a gateway repeats what one has said."""
    story: list[Sent] = []
    for device in (1, 3):
        before: Sent | None = None
        for minute in sorted(draw(st.sets(st.integers(0, 20), max_size=12))):
            again = before is not None and draw(st.integers(0, 5)) == 0
            before = (
                replace(before, minute=minute) if before and again else Sent(device, minute, 10 + minute, draw(LEVELS))
            )
            story.append(before)
    return story


@dataclass(frozen=True, slots=True)
class Arrivals:
    """When batches came, and with what; empty ones are ticks."""

    batches: list[tuple[int, list[Sent]]]
    restarts: set[int]


@st.composite
def arrivals(draw: st.DrawFn, story: list[Sent]) -> Arrivals:
    """Any order in which nothing overtakes an older reading of its device by more than the bound, in any batches.

    Clocks may be four minutes ahead or hours behind: then all readings of the device come that much later.
    """
    apart = draw(st.sampled_from([SECOND, 20 * SECOND, MINUTE, BOUND]))
    lag = {device: draw(st.sampled_from([-4, 0, 1, 600])) * MINUTE for device in (1, 3)}
    came: dict[int, list[Sent]] = defaultdict(list)
    for sent in story:
        delay = draw(st.integers(0, (BOUND - apart) // SECOND)) * SECOND
        at = START + sent.minute * MINUTE + lag[sent.device] + delay
        came[-(-at // apart) * apart].append(sent)
    for tick in draw(st.sets(st.integers(-4 * 60, 630 * 60), max_size=20)):
        came[START + tick * SECOND] += []
    batches = [(at, draw(st.permutations(came[at]))) for at in sorted(came)]
    return Arrivals([*batches, (LONG_AFTER, [])], draw(st.sets(st.integers(0, len(batches)), max_size=6)))


def told(city: City, lines: tuple[str, ...], came: Arrivals, bound: int) -> Database:
    database = Database(city.empty)
    batches = [city.batch(readings, at) for at, readings in came.batches]
    edges = [0, *sorted(edge for edge in came.restarts if 0 < edge < len(batches)), len(batches)]
    for begin, end in pairwise(edges):
        city.collect(database, lines, batches[begin:end], bound)
    return database


def outcome(database: Database) -> tuple[Told, dict[Key, bytes], dict[tuple[int, int], int]]:
    """Alarm history by device, what rules remember at the end, and the doubts about each reading."""
    remembered = {key: state for key, state in database.states.items() if state != b"null"}
    skewed = int(Quality.SKEWED)
    doubts = {
        key: int(quality) & ~skewed
        for table in database.rows
        for key, quality in zip(keys(table), table.quality, strict=True)
    }
    return sorted(database.found, key=lambda each: each[1]), remembered, doubts


@given(data=st.data(), lines=st.sampled_from(RULES), story=stories())
def test_any_order_and_batching_within_the_bound_is_judged_as_in_order_wherever_the_collector_restarts(
    city: City, data: st.DataObject, lines: tuple[str, ...], story: list[Sent]
) -> None:
    in_order = Arrivals(
        [(START + sent.minute * MINUTE, [sent]) for sent in sorted(story, key=lambda each: each.minute)], set()
    )
    came = data.draw(arrivals(story))
    assert outcome(told(city, lines, came, BOUND)) == outcome(told(city, lines, in_order, 0))
