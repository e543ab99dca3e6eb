"""The collector: the one loop of one partition, started over whenever something around it breaks."""

import threading
from collections.abc import Callable

import structlog

from cityward import wiring
from cityward.clock import Clock
from cityward.persisting import hold, persist
from cityward.settings import Settings
from ingest.decoding import Decoder
from ingest.loop import run
from ingest.session import Session
from ingest.watermarks import Watermarks
from rules.engine import Engine
from storage import partition_store as storage
from storage.connection import connect, describe
from storage.errors import translated
from storage.registry_store import load_city, load_registry

_log = structlog.get_logger(__name__)


def collect(settings: Settings, partition: str, dsn: str, clock: Clock, stop: threading.Event) -> None:
    """Collect for a partition until ``stop`` is set. Whatever breaks, the broker keeps what is not acknowledged."""
    structlog.contextvars.bind_contextvars(process="collect", partition=partition)
    installed = wiring.kinds(settings)
    rules = wiring.rules(settings, installed)

    def attempt(works: Callable[[], None]) -> None:
        with connect(dsn, name=f"cityward collect {partition}") as connection, translated(describe(dsn)):
            if not hold(connection, "partition", partition, stop):
                return
            city = load_city(connection)
            registry = load_registry(connection, installed)
            engine = Engine(rules, registry, wiring.local_time(city), storage.load_rule_states(connection))
            watermarks = Watermarks(storage.load_newest(connection, installed))
            store = storage.PartitionStore(connection, dsn, partition, registry.revision)
            with Session(
                settings.broker, partition, settings.filters(partition), clock=clock, stopping=stop.is_set
            ) as session:
                works()
                _log.info("collecting", broker=str(settings.broker), devices=len(registry.devices), rules=len(rules))
                run(session, Decoder(registry), watermarks, engine, store)

    persist(attempt, stop)
    _log.info("stopped")
