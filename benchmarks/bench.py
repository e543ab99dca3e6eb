"""One measurement of each client: from the first message to the last, on the same broker with the same publisher."""

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.servers import finish, machine_seconds, processor_seconds, program, started, wait_for
from benchmarks.traffic import Traffic
from cityward.clock import Clock
from cityward.settings import environment
from devices.broker import Broker
from devices.topics import subscriptions
from ingest.session import Session
from storage.connection import Connection
from storage.overview import ledger

FILTERS = subscriptions("city/#")
COLLECTOR, BARE = "all", "bare"  # client ids; the collector's is its partition
SETTLING = 0.5  # seconds for mosquitto_sub to connect, which it does silently
_MACHINE = "machine"
LOOK = 0.02  # seconds between looks at the ledger


@dataclass(frozen=True, slots=True)
class Run:
    """How long one client took for everything, and the processor seconds of each process.

    ``strangers``: how many processors were busy with what has nothing to do with it.
    """

    seconds: float
    cpu: dict[str, float]
    strangers: float


@dataclass(frozen=True, slots=True)
class Bench:
    """Where it takes place. ``queued``: everything is published before the client comes, not while it is there."""

    folder: Path
    broker: Broker
    broker_pid: int
    url: str
    connection: Connection
    queued: bool
    qos: int

    def bare(self, traffic: Traffic) -> Run:
        """mosquitto_sub, which throws away what it gets, until it has had the last message."""
        topics = [word for each in FILTERS for word in ("-t", each)]
        subprocess.run([*self._subscriber(BARE), "-c", "-E", *topics], check=True)  # noqa: S603 - Mosquitto's own client
        receiving = [*self._subscriber(BARE), "-c", *topics, "-C", str(traffic.messages)]
        with self._publisher(traffic) as publisher:
            before = self._used()
            begun = time.perf_counter()
            with started(receiving, stdout=subprocess.DEVNULL) as subscriber:
                if not self.queued:
                    time.sleep(SETTLING)
                    begun = time.perf_counter()
                    publisher.go()
                used = finish(subscriber, "mosquitto_sub")
                seconds = time.perf_counter() - begun
            after = self._used()
        self._forget(BARE)
        return _run(seconds, before, after, {"publisher": publisher.cpu, "subscriber": used})

    def collector(self, traffic: Traffic) -> Run:
        """A collector process with all rules on, until it has committed the last message."""
        with Session(self.broker, COLLECTOR, FILTERS, clock=Clock(), stopping=lambda: True):
            pass  # from now on the broker keeps for it what is published
        wanted = ledger(self.connection).received + traffic.messages
        with self._publisher(traffic) as publisher, self._collecting() as process:
            before = self._used(process.pid)
            begun = time.perf_counter()
            if not self.queued:
                publisher.go()
            wait_for(lambda: self._committed(process) >= wanted, "everything is committed", LOOK)
            seconds = time.perf_counter() - begun
            after = self._used(process.pid)
        self._forget(COLLECTOR)
        return _run(seconds, before, after, {"publisher": publisher.cpu})

    @contextmanager
    def _publisher(self, traffic: Traffic) -> Iterator["_Publisher"]:
        """One that waits for its word, or has published everything."""
        file = self.folder / "traffic"
        file.write_bytes(pickle.dumps(traffic))
        command = [sys.executable, "-m", "benchmarks.publisher", str(self.broker.port), str(self.qos), str(file)]
        with started(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            publisher = _Publisher(process)
            if self.queued:
                publisher.go()
                publisher.end()
            yield publisher
            publisher.end()

    @contextmanager
    def _collecting(self) -> Iterator[subprocess.Popen[bytes]]:
        log = self.folder / "collector.log"
        variables = environment({"database_url": self.url, "broker_url": self.broker.url})
        command = [sys.executable, "-m", "cityward", "collect"]
        with (
            log.open("w", encoding="utf-8") as file,
            started(command, env={**os.environ, **variables}, stderr=file) as process,
        ):
            wait_for(lambda: process.poll() is not None or "collecting" in log.read_text("utf-8"), "it collects", 0.002)
            yield process

    def _committed(self, process: subprocess.Popen[bytes]) -> int:
        if process.poll() is not None:
            log = (self.folder / "collector.log").read_text("utf-8")
            raise ChildProcessError(f"the collector ended with {process.returncode}:\n{log}")
        return ledger(self.connection).received

    def _subscriber(self, client_id: str) -> list[str]:
        return [program("mosquitto_sub"), "-p", str(self.broker.port), "-q", "1", "-i", client_id]

    def _forget(self, client_id: str) -> None:
        """A clean session in a client's name: the broker keeps nothing more for it."""
        subprocess.run([*self._subscriber(client_id), "-E", "-t", "nothing"], check=True)  # noqa: S603 - as above

    def _used(self, collector: int | None = None) -> dict[str, float]:
        used = {_MACHINE: machine_seconds(), "broker": processor_seconds(self.broker_pid)}
        database = _postmaster(self.connection)
        if collector and database:
            used["database"] = processor_seconds(database)
        if collector:
            used["collector"] = processor_seconds(collector)
        return used


def _run(seconds: float, before: dict[str, float], after: dict[str, float], others: dict[str, float]) -> Run:
    cpu = {name: after[name] - before[name] for name in after}
    machine = cpu.pop(_MACHINE)
    cpu |= others
    return Run(seconds, cpu, max(0.0, machine - sum(cpu.values())) / seconds)


class _Publisher:
    """The process that publishes, from ready to ended. ``cpu``: processor seconds, once it has ended."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.cpu = 0.0
        self._process = process
        if self._line() != b"ready\n":
            raise ChildProcessError("the publisher did not connect")

    def go(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()

    def end(self) -> None:
        if self._process.returncode is None:
            self.cpu = float(self._line() or 0)
            finish(self._process, "the publisher")

    def _line(self) -> bytes:
        return self._process.stdout.readline() if self._process.stdout is not None else b""


def _postmaster(connection: Connection) -> int | None:
    """The process id of the database's first process; None where it is on another machine."""
    info = connection.info
    if not info.host.startswith("/") and not info.hostaddr.startswith("127."):
        return None
    parent: int = psutil.Process(info.backend_pid).ppid()
    return parent
