"""Two collectors of one partition: one works, the other takes over where the first one was."""

import threading
import tomllib
from datetime import timedelta

from psycopg import Connection

from cityward.clock import Clock
from devices.broker import Broker
from devices.registry import Registry
from storage.overview import ledger
from storage.registry_store import import_city
from tests.fix_city import CITY, payload, plain_client, topic_of
from tests.fix_processes import Starter
from tests.waiting import PATIENCE, eventually

METER = "4201020308000004"
COVER = "4201020102000001"


def test_the_second_waits_says_so_and_takes_over_in_the_middle_of_the_traffic(
    connection: Connection, registry: Registry, broker: Broker, start: Starter
) -> None:
    first = start("collect")
    first.says("collecting")
    second = start("collect")
    second.says("another process has it; this one takes over when that ends")
    assert "collecting " not in second.log()

    topic, began, taken_over, sent = topic_of(registry, METER), Clock().now(), threading.Event(), 0
    with plain_client(broker, "meter") as meter:

        def report() -> None:
            nonlocal sent
            while sent < 100 or not taken_over.is_set():
                meter.publish(topic, payload(began + timedelta(milliseconds=sent), seq=sent, leq=50))
                sent += 1

        reporting = threading.Thread(target=report)
        reporting.start()
        try:
            eventually(lambda: ledger(connection).stored > 20, "the first collects")
            first.kill()
            second.says("collecting")
            before = ledger(connection).stored
            eventually(lambda: ledger(connection).stored > before + 20, "the second collects")
        finally:
            taken_over.set()
            reporting.join(PATIENCE)

    eventually(lambda: ledger(connection).stored >= sent, f"{sent} stored")
    found = connection.execute("SELECT count(*), count(DISTINCT seq), max(seq) FROM reading_noise").fetchone()
    assert found == (sent, sent, sent - 1)
    book = ledger(connection)
    assert (book.stored, book.quarantined) == (sent, 0)


def test_what_waits_for_late_readings_is_judged_in_order_by_whoever_takes_over(
    connection: Connection, registry: Registry, broker: Broker, start: Starter
) -> None:
    """Covers wait four seconds here; the first collector is killed while they do."""
    document = tomllib.loads(CITY.read_text(encoding="utf-8")) | {"lateness": {"manhole": "4s"}}
    import_city(connection, document, str(CITY), Clock().now())
    first = start("collect")
    first.says("collecting")
    topic, closed = topic_of(registry, COVER), Clock().now()
    opened = closed - timedelta(seconds=2)
    with plain_client(broker, "cover") as cover:
        cover.publish(topic, payload(closed, seq=11, open_state="closed"))
        eventually(lambda: ledger(connection).stored == 1, "the newer is stored at once")
        cover.publish(topic, payload(opened, seq=10, open_state="open"))
        eventually(lambda: ledger(connection).stored == 2, "the older is stored")
    first.kill()
    start("collect").says("collecting")
    eventually(lambda: connection.execute("SELECT count(*) FROM alarm").fetchone() == (1,), "the cover was open")
    found = connection.execute("SELECT at, event FROM alarm_event").fetchall()
    assert [(round((at - opened).total_seconds(), 1), event) for at, event in found] == [(0, "raised")]


def test_the_first_hands_over_when_it_is_stopped(
    connection: Connection, registry: Registry, broker: Broker, start: Starter
) -> None:
    first = start("collect")
    first.says("collecting")
    second = start("collect")
    second.says("another process has it")
    assert first.stop() == 0
    second.says("collecting")
    with plain_client(broker) as meter:
        meter.publish(topic_of(registry, METER), payload(Clock().now(), leq=50))
    eventually(lambda: ledger(connection).received == 1, "received")
    assert second.stop() == 0
