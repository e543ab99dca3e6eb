"""The collector's loop without a broker: batches are given, everything behind them is real."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from psycopg import Connection

from devices.kind import Kind
from ingest.decoding import Decoder
from ingest.loop import Written, run
from ingest.marking import Marking
from ingest.messages import Batch, Message
from ingest.session import Session
from rules.engine import Engine
from rules.local_time import LocalTime
from rules.packs import load_packs
from storage.partition_store import PartitionStore
from storage.registry_store import load_registry
from storage.rule_states import load_states
from tests.integration.making import micros


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
) -> list[Written]:
    """What a collector that starts, takes these messages at these times and stops leaves of each batch."""
    registry = load_registry(connection, kinds)
    engine = Engine(load_packs(kinds), registry, LocalTime(ZoneInfo("Asia/Shanghai")), load_states(connection))
    store = PartitionStore(connection, dsn, partition, registry.revision)
    given = [Batch([Message(*message) for message in messages], micros(at)) for at, messages in batches]
    session = cast("Session", GivenBatches(given))
    return [*run(session, Decoder(registry), Marking(kinds.values()), engine, store)]
