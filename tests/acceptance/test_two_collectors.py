"""Two collectors of one partition: one works, the other takes over where the first one was."""

import threading
from datetime import timedelta

from psycopg import Connection

from cityward.clock import Clock
from devices.broker import Broker
from devices.registry import Registry
from storage.overview import ledger
from tests.fix_city import payload, plain_client, topic_of
from tests.fix_processes import Starter
from tests.waiting import PATIENCE, eventually

METER = "4201020308000004"


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
