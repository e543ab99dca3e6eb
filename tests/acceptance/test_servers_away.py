"""Broker and database that are not there, go away and come back: said once, waited for, nothing lost or doubled."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from psycopg import Connection

from cityward import embedded
from cityward.clock import Clock
from devices.broker import Broker
from devices.registry import Registry
from storage.connection import describe
from storage.overview import ledger, waiting_work
from tests.fix_broker import Mosquitto, one_broker
from tests.fix_city import PlainClient, payload, plain_client, topic_of
from tests.fix_gate import Gate
from tests.fix_processes import Command, Process, Starter
from tests.waiting import PATIENCE, eventually

COVER, METER = "4201020102000001", "4201020308000004"


def lines(process: Process, word: str) -> list[str]:
    """What a process has logged under this event."""
    return [line for line in process.log().splitlines() if f"] {word} " in line]


def at_least(times: int, process: Process, word: str) -> Callable[[], bool]:
    return lambda: len(lines(process, word)) >= times


def hang_up(address: tuple[str, int], *, times: int) -> None:
    """Somebody who listens and says nothing: shows that a process tries again and again."""
    with socket.create_server(address) as nobody:
        nobody.settimeout(PATIENCE)
        for _ in range(times):
            with nobody.accept()[0] as caller:
                caller.recv(1024)


class Stream:
    """A noise meter that reports without end; counts what the broker has taken."""

    def __init__(self, client: PlainClient, topic: str, began: datetime) -> None:
        self.sent = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._publish, args=(client, topic, began))
        self._thread.start()

    def _publish(self, client: PlainClient, topic: str, began: datetime) -> None:
        while not self._stop.wait(0.005):
            at = began + timedelta(milliseconds=self.sent)
            client.publish(topic, payload(at, seq=self.sent, leq=50))
            self.sent += 1

    def more(self, count: int) -> None:
        """Wait until so many more are sent."""
        enough = self.sent + count
        eventually(lambda: self.sent >= enough, f"{enough} sent, {self.sent} so far")

    def end(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)


@contextmanager
def stream(registry: Registry, broker: Broker) -> Iterator[Stream]:
    with plain_client(broker, "meter") as client:
        running = Stream(client, topic_of(registry, METER), Clock().now().replace(microsecond=0))
        try:
            running.more(20)
            yield running
        finally:
            running.end()


def all_stored_once(connection: Connection, sent: int) -> None:
    eventually(lambda: ledger(connection).stored >= sent, f"{sent} stored")
    count, last = connection.execute("SELECT count(*), max(seq) FROM reading_noise").fetchone() or (0, 0)
    assert (count, last, ledger(connection).stored) == (sent, sent - 1, sent)
    assert ledger(connection).quarantined == 0


@pytest.mark.usefixtures("registry")
def test_a_broker_that_is_not_there_is_named_once_and_waited_for(start_without_broker: Starter) -> None:
    port = embedded.free_port(0)
    collector = start_without_broker("collect", CITYWARD_BROKER_URL=f"mqtt://127.0.0.1:{port}")
    collector.says(f"no MQTT broker at 127.0.0.1:{port}")
    hang_up(("127.0.0.1", port), times=3)
    with embedded.broker(port):
        collector.says("collecting")
        assert collector.stop() == 0
    refused, hung_up = lines(collector, "waiting")
    assert f"127.0.0.1:{port}" in refused
    assert f"127.0.0.1:{port}" in hung_up
    assert len(lines(collector, "resumed")) == 1
    assert "Traceback" not in collector.log()


@one_broker
@pytest.mark.parametrize("command", ["collect", "dispatch"])
@pytest.mark.usefixtures("registry", "broker")
def test_a_database_that_is_not_there_is_named_once_and_waited_for(gate: Gate, start: Starter, command: str) -> None:
    process = start(command, CITYWARD_DATABASE_URL=gate.dsn)
    process.says(f"no database at {describe(gate.dsn)}: Connection refused")
    hang_up(gate.address, times=3)
    gate.open()
    process.says(f"{command}ing")
    assert process.stop() == 0
    said = lines(process, "waiting")
    assert 1 <= len(said) <= 2, "for each of two reasons once, however many attempts"
    assert all(f"no database at {describe(gate.dsn)}: " in line for line in said)
    assert len(lines(process, "resumed")) == 1
    assert "Traceback" not in process.log()
    assert "psycopg" not in process.log()


@one_broker
def test_a_database_that_is_not_migrated_is_waited_for(empty_dsn: str, start: Starter, command: Command) -> None:
    collector = start("collect", CITYWARD_DATABASE_URL=empty_dsn)
    collector.says("is not migrated")
    assert command("migrate", CITYWARD_DATABASE_URL=empty_dsn).code == 0
    collector.says("the database holds no city yet: run cityward city import")
    assert collector.stop() == 0
    assert "Traceback" not in collector.log()


def test_a_broker_that_is_restarted_in_the_middle_loses_and_doubles_nothing_and_one_that_forgets_is_named(
    connection: Connection, registry: Registry, mosquitto: Mosquitto, start_without_broker: Starter, tmp_path: Path
) -> None:
    mosquitto.start()
    collector = start_without_broker("collect", CITYWARD_BROKER_URL=mosquitto.broker.url)
    collector.says("collecting")
    with stream(registry, mosquitto.broker) as meter:
        for restart in (1, 2):
            mosquitto.stop()
            eventually(at_least(restart, collector, "waiting"), "the collector noticed")
            mosquitto.start()
            meter.more(50)
    all_stored_once(connection, meter.sent)
    assert lines(collector, "session_lost") == []
    mosquitto.stop()
    (tmp_path / "mosquitto" / "mosquitto.db").unlink()
    mosquitto.start()
    collector.says("session_lost")
    assert "Traceback" not in collector.log()


@one_broker
def test_a_database_that_goes_away_in_the_middle_loses_and_doubles_nothing(
    connection: Connection, registry: Registry, broker: Broker, gate: Gate, start: Starter
) -> None:
    gate.open()
    collector = start("collect", CITYWARD_DATABASE_URL=gate.dsn)
    collector.says("collecting")
    with stream(registry, broker) as meter:
        gate.close()
        collector.says(f"no database at {describe(gate.dsn)}: ")
        stored = ledger(connection).stored
        meter.more(200)
        assert ledger(connection).stored == stored
        gate.open()
        meter.more(50)
    all_stored_once(connection, meter.sent)
    assert "Traceback" not in collector.log()


@one_broker
def test_connections_that_are_cut_again_and_again_lose_and_double_nothing(
    connection: Connection, registry: Registry, broker: Broker, start: Starter
) -> None:
    collector, dispatcher = start("collect"), start("dispatch")
    collector.says("collecting")
    dispatcher.says("dispatching")
    with (
        plain_client(broker, listen="city/east/crew/drainage/cases") as crew,
        plain_client(broker, "cover") as cover,
        stream(registry, broker) as meter,
    ):
        for cut in range(1, 4):
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            if cut == 2:
                opened = payload(Clock().now(), kind="event", open_state="open")
                cover.publish(topic_of(registry, COVER, "event"), opened)
            meter.more(30)
            eventually(at_least(cut, collector, "resumed"), "collecting again")
            eventually(at_least(cut, dispatcher, "resumed"), "dispatching again")
            if cut > 1:
                eventually(lambda: crew.heard, "the crew's message")
                eventually(lambda: waiting_work(connection) == 0, "and it is on record")
    eventually(lambda: ledger(connection).stored >= meter.sent + 1, "all stored")
    counts = connection.execute(
        "SELECT (SELECT count(*) FROM reading_noise), (SELECT count(*) FROM reading_manhole),"
        " (SELECT count(*) FROM alarm), (SELECT count(*) FROM dispatch_case), (SELECT count(*) FROM notification)"
    ).fetchone()
    assert counts == (meter.sent, 1, 1, 1, 1)
    assert ledger(connection).stored == meter.sent + 1
    assert len(crew.heard) == 1
    assert "Traceback" not in collector.log() + dispatcher.log()
