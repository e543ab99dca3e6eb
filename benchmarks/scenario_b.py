"""ThingsBoard's published Scenario B: 5,000 devices, 5,000 messages a second, 3 values each, an alarm rule.

How things are measured:

- Publish to commit: every reading carries the time at which it was published, and PostgreSQL keeps the time of every
  commit (``track_commit_timestamp``), so that each reading that was stored is a sample. The commit's time is taken just
  before its record is flushed to the disk.
- Publish to alarm: an observer is woken by the notification that leaves the database with the commit, after the flush,
  and then asks for the new alarms; each alarm is a sample, and the question is in it.
- Processor time: of every process and its children between two moments, as the operating system counts it.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.errors import BenchError
from benchmarks.load import Meters
from benchmarks.processors import Usage, usage
from benchmarks.rig import Rig, Setup, rig, say, share
from devices.moments import MICROS
from storage.audit import alarms_after, commits
from storage.overview import ledger, waiting_work
from storage.reading_writer import commit_delays
from storage.waking import listen, wait

WARM_UP = 5.0  # seconds before anything is measured
DRAINED = 600.0  # seconds for what is still on its way at the end
THEIRS = 95.0  # per cent of two cores: ThingsBoard's own figure, with Kafka and PostgreSQL
GOAL = 60.0
_SHARES = {"p50": 0.5, "p99": 0.99, "max": 1.0}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. ``rate`` in messages a second."""

    minutes: float
    devices: int
    rate: int


@dataclass(frozen=True, slots=True)
class Published:
    """What the publisher says in the end; ``behind`` is how far it fell behind its rate, in messages."""

    published: int
    behind: int


def run(plan: Plan) -> dict[str, Any]:
    """Start everything, publish for so long, let it drain; the figures."""
    load = Meters(plan.devices)
    # PostgreSQL's own settings otherwise: every commit is flushed.
    setup = Setup(load.descriptions(), autosave=30, postgres={"track_commit_timestamp": "on"})
    delays: list[float] = []
    with rig(setup) as made, _publisher(made, plan) as publisher, _watching(made, delays):
        made.pause(WARM_UP)
        with made.connected("audit") as connection:
            since, before = made.clock.now(), _usage(made, publisher)
            already, committed = ledger(connection).received, commits(connection)
            say(f"measuring for {60 * plan.minutes:g} s")
            made.pause(60 * plan.minutes)
            spent, seconds = _usage(made, publisher), (made.clock.now() - since).total_seconds()
            received, committed = ledger(connection).received - already, commits(connection) - committed
            published, ended = _result(publisher), made.clock.micros()
            made.wait(lambda: ledger(connection).received >= published.published, "everything stored", DRAINED)
            drained = (made.clock.micros() - ended) / MICROS
            made.wait(lambda: waiting_work(connection) == 0, "every alarm taken up and told", DRAINED)
            book, readings = ledger(connection), made.kinds[load.kind]
            samples, to_commit = commit_delays(connection, readings, list(_SHARES.values()), since)
    expected = load.leaking(published.published)
    whole = (os.cpu_count() or 1) * seconds
    percent = {name: round(100 * (each.seconds - before[name].seconds) / whole, 1) for name, each in spent.items()}
    return {
        "passed": (book.stored, book.duplicate, book.quarantined) == (published.published, 0, 0)
        and len(delays) == expected,
        "seconds": round(seconds, 1),
        "devices": plan.devices,
        "received_per_s": round(received / seconds, 1),
        "commits_per_s": round(committed / seconds, 1),
        "published": published.published,
        "received": book.received,
        "stored": book.stored,
        "duplicate": book.duplicate,
        "quarantined": book.quarantined,
        "publisher_behind": published.behind,
        "drained_s": round(drained, 2),
        "cores": os.cpu_count(),
        "cpu_percent": round(sum(percent.values()) - percent["publisher"], 1),
        "cpu_percent_thingsboard": THEIRS,
        "cpu_percent_goal": GOAL,
        "cpu_percent_by_process": percent,
        "memory_mib": {name: round(each.memory / 2**20) for name, each in spent.items()},
        "commit_samples": samples,
        **{f"commit_{name}_ms": _milliseconds(each) for name, each in zip(_SHARES, to_commit, strict=True)},
        "alarms": len(delays),
        "alarms_expected": expected,
        **{f"alarm_{name}_ms": _milliseconds(share(delays, part)) for name, part in _SHARES.items()},
    }


def _usage(made: Rig, publisher: "subprocess.Popen[str]") -> dict[str, Usage]:
    pids = {
        "broker": made.broker.pid,
        "postgres": made.database.pid,
        "collector": made.collectors[0].pid,
        "dispatcher": made.dispatcher.pid,
        "publisher": publisher.pid,
    }
    return {name: usage(pid) for name, pid in pids.items()}


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 1)


@contextmanager
def _publisher(made: Rig, plan: Plan) -> Iterator["subprocess.Popen[str]"]:
    """The publisher as a process of its own, so that its processor time is its own."""
    options = {"devices": plan.devices, "rate": plan.rate, "seconds": 60 * plan.minutes + 2 * WARM_UP}
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
        [sys.executable, "-m", "cityward", "bench", "meters", *(f"--{name}={each}" for name, each in options.items())],
        env=made.collectors[0].environment,
        cwd=made.folder,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _result(publisher: "subprocess.Popen[str]") -> Published:
    """Wait for the publisher's end."""
    said, _ = publisher.communicate()
    if publisher.returncode:
        raise BenchError(f"the publisher ended with {publisher.returncode}")
    return Published(**json.loads(said))


@contextmanager
def _watching(made: Rig, delays: list[float]) -> Iterator[None]:
    """Note for every alarm how long after its reading was published its commit was seen."""
    done = threading.Event()

    def watch() -> None:
        with made.connected("observer") as connection, made.connected("ears") as ears:
            listen(ears)
            last = 0
            while not done.is_set():
                wait(ears, 0.5, done)
                for number, at in alarms_after(connection, last):
                    delays.append((made.clock.micros() - at) / MICROS)
                    last = number

    thread = threading.Thread(target=watch, name="observer", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
