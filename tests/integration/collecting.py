"""The collector's loop without a broker: batches are given, everything behind them is real."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import cast
from zoneinfo import ZoneInfo

from psycopg import Connection

from devices.kind import Kind
from devices.moments import micros
from devices.registry import Registry
from ingest.decoding import Decoder
from ingest.holding import Holding
from ingest.loop import Written, run
from ingest.marking import Marking
from ingest.messages import Batch, Message
from ingest.session import Session
from rules.engine import Engine
from rules.local_time import LocalTime
from storage import waiting
from storage.partition_store import PartitionStore
from storage.registry_store import load_registry
from storage.rule_states import load_states
from tests.installed import installed_rules


class GivenBatches:
    """A session that hands these over and ends."""

    def __init__(self, batches: list[Batch]) -> None:
        self._batches = batches

    def batches(self) -> Iterator[Batch]:
        yield from self._batches

    def acknowledge(self, batch: Batch) -> None:
        pass


def collect(
    connection: Connection,
    dsn: str,
    kinds: Mapping[str, Kind],
    *batches: tuple[datetime, list[tuple[str, bytes]]],
    partition: str = "all",
    own: Callable[[str], Sequence[int]] | None = None,
    lateness: Mapping[str, int] | None = None,
) -> list[Written]:
    """What a collector that starts, takes these messages at these times and stops leaves of each batch."""
    registry = load_registry(connection, kinds)
    store = PartitionStore(connection, dsn, partition, registry.revision)
    given = [Batch([Message(*message) for message in messages], micros(at)) for at, messages in batches]
    session = cast("Session", GivenBatches(given))
    bounds, begun = lateness or {}, micros(batches[0][0]) if batches else 0
    held = waiting.begin(connection, partition, kinds, bounds, own or partial(_all, registry), begun)
    engine = Engine(installed_rules(), registry, LocalTime(ZoneInfo("Asia/Shanghai")), load_states(connection))
    return [*run(session, Decoder(registry), Marking(kinds.values()), engine, store, Holding(bounds, held))]


def _all(registry: Registry, kind: str) -> list[int]:
    return [*map(int, registry.all_of(kind))]
