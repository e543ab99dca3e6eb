"""The collector: the one loop of one partition, started over whenever something around it breaks."""

import gc
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial

import structlog

from cityward import wiring
from cityward.clock import Clock
from cityward.metrics import Metrics, serve
from cityward.persisting import Works, hold, persist
from cityward.rulebook import Rulebook
from cityward.settings import Settings
from devices.hearers import heard_in
from ingest.cuts import check_turn
from ingest.decoding import Decoder
from ingest.holding import Holding
from ingest.loop import run
from ingest.marking import Marking
from ingest.session import Session
from rules.engine import Engine
from storage import partition_sessions, permit_store, rule_texts, waiting
from storage import partition_store as storage
from storage.connection import connect, describe
from storage.errors import translated
from storage.locks import PARTITION, holders
from storage.registry_store import load_city, load_registry
from storage.rule_states import load_states, unbench

_log = structlog.get_logger(__name__)
# Objects that may come into being before the collector of cycles looks: a batch makes some thousands, none of them in
# a cycle, and with Python's 700 it would look several times a batch.
_BETWEEN_LOOKS = 50_000
_LOST = "what it kept for the partition is gone unless devices send it again: see cityward devices completeness"


def collect(settings: Settings, partitions: Sequence[str], dsn: str, clock: Clock, stop: threading.Event) -> None:
    """Collect for these partitions until ``stop`` is set, each in a thread, with a connection and a session of its own.

    Whatever breaks, the broker keeps what is not acknowledged. A defect in one partition ends the process: whoever
    supervises it starts it again.
    """
    metrics = Metrics.create()
    serve(metrics.registry, settings)
    gc.set_threshold(_BETWEEN_LOOKS)
    with ThreadPoolExecutor(len(partitions), thread_name_prefix="partition") as threads:
        collecting = [
            threads.submit(_collect, settings, partition, dsn, clock, stop, metrics) for partition in partitions
        ]
        for ended in as_completed(collecting):
            stop.set()
            ended.result()
    _log.info("stopped", process="collect")


def _collect(
    settings: Settings, partition: str, dsn: str, clock: Clock, stop: threading.Event, metrics: Metrics
) -> None:
    """The loop of one partition, started over whenever something around it breaks."""
    structlog.contextvars.bind_contextvars(process="collect", partition=partition)
    installed = wiring.kinds(settings)
    book = Rulebook(settings, installed)
    tls = wiring.broker_tls(settings)
    hears = wiring.hears(settings)
    working = metrics.collecting.labels(partition)

    def attempt(works: Works) -> None:
        with connect(dsn, name=f"cityward collect {partition}") as connection, translated(describe(dsn)):

            def check() -> None:
                """Whether partitions were cut anew, and others have to end before."""
                kept = partition_sessions.load_all(connection)
                check_turn(settings.partitions, partition, kept, holders(connection, PARTITION, list(kept)))

            check()
            if not hold(connection, PARTITION, partition, stop):
                return
            # Of two with other settings that begin at once, the later one to be seen here sees the other.
            partition_sessions.ask(connection, partition, settings.partitions[partition])
            check()
            city = load_city(connection)
            registry = load_registry(connection, installed)
            unbench(connection, partition, clock.now())
            rule_texts.keep(connection, book.rules, clock.now())
            permits = permit_store.spells(connection, clock.now() - permit_store.REMEMBERED)
            own = partial(heard_in, registry, hears, partition)
            held = waiting.begin(connection, partition, installed, city.lateness, own, clock.micros())
            # What rules remember comes after: a partition that had some of the devices until now has ended by then.
            engine = Engine(book.rules, registry, wiring.local_time(city), load_states(connection), permits)
            store = storage.PartitionStore(connection, dsn, partition, registry.revision)
            filters = settings.filters(partition)

            def stopping() -> bool:
                return stop.is_set() or book.changed()

            with (
                Session(
                    settings.broker,
                    partition,
                    filters,
                    clock=clock,
                    stopping=stopping,
                    protocol=settings.protocol,
                    tls=tls,
                ) as session,
                working.track_inprogress(),
            ):
                if partition_sessions.granted(connection, partition, clock.now(), resumed=session.resumed):
                    _log.warning("session_lost", broker=str(settings.broker), hint=_LOST)
                if works():
                    devices = len(registry.devices)
                    _log.info("collecting", broker=str(settings.broker), devices=devices, rules=len(book.rules))
                gc.freeze()  # the registry stays: nobody needs to look through it again and again
                marking, holding = Marking(installed.values()), Holding(city.lateness, held)
                for written in run(session, Decoder(registry), marking, engine, store, holding):
                    metrics.count(partition, written)
                    if written.ledger.received:
                        works(wrote=True)

    persist(attempt, stop)
