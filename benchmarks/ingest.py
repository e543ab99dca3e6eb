"""How near the collector comes to a client in C that throws away what it gets.

What is sent is a healthy pretend city's traffic in order of time: all kinds, every (device, time) once. In each round
it is received, on the same broker and from the same publisher, by ``mosquitto_sub``, which acknowledges and forgets,
and then by a collector with all rules on, until the ledger says that the last message is committed.
"""

import os
import platform
import resource
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.errors import BenchError
from benchmarks.flood import flood
from benchmarks.processors import machine_seconds, usage
from benchmarks.rig import FILTER, PARTITION, PATIENCE, Rig, Setup, rig, say
from benchmarks.servers import installed
from benchmarks.traffic import Source, Traffic
from devices.device import Description
from devices.shapes import convert
from devices.topics import subscriptions
from simulators.city import build_city
from storage.connection import Connection
from storage.overview import ledger

BARE = "bare"  # client id
SETTLING = 0.5  # seconds for mosquitto_sub to connect, which it does silently
LOOK = 0.02  # seconds between looks at the ledger
_MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do.

    ``messages`` each client receives in a round, ``queued`` those published before it comes and not while it is there;
    only devices of ``kinds`` send, all where empty.
    """

    messages: int
    rounds: int
    qos: int
    queued: bool
    devices: int
    kinds: Sequence[str]
    seed: int


@dataclass(frozen=True, slots=True)
class Run:
    """How long one client took for everything, and the processor seconds of each process.

    ``strangers``: how many processors were busy with what has nothing to do with it.
    """

    seconds: float
    cpu: dict[str, float]
    strangers: float


def run(plan: Plan) -> dict[str, Any]:
    """Every round, and what they say together."""
    if plan.queued and not plan.qos:
        raise BenchError("a broker queues nothing that is published with QoS 0")
    program = installed("mosquitto_sub")
    city = build_city(plan.seed, plan.devices)
    descriptions = [convert(device, Description, from_attributes=True) for device in city.devices]
    setup = Setup(descriptions, autosave=30, at_work=False)
    with rig(setup) as made, made.connected("ledger") as connection:
        bench = _Bench(made, plan, program, connection)
        source = Source(city, plan.kinds, made.clock.now(), plan.seed)
        rounds = []
        for number in range(1, plan.rounds + 1):
            traffic = source.traffic(plan.messages, plan.qos)
            if traffic.messages < plan.messages:
                raise BenchError(f"these devices sent only {traffic.messages} messages; ask for more of them")
            rounds.append((bench.bare(traffic), bench.collector(traffic)))
            say(f"round {number}: {_rates(*rounds[-1], plan.messages)}")
        book = ledger(connection)
        return {
            "passed": (book.received, book.stored) == (plan.rounds * plan.messages,) * 2,
            **_summary(rounds, traffic),
            "qos": plan.qos,
            "queued": plan.queued,
            "devices": plan.devices,
            "ledger": asdict(book),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "postgresql": connection.info.parameter_status("server_version"),
        }


@dataclass(frozen=True, slots=True)
class _Bench:
    made: Rig
    plan: Plan
    program: str
    connection: Connection

    def bare(self, traffic: Traffic) -> Run:
        """mosquitto_sub, which throws away what it gets, until it has had the last message."""
        topics = [word for each in subscriptions(FILTER) for word in ("-t", each)]
        kept = [*self._subscriber(BARE), "-c", *topics]
        subprocess.run([*kept, "-E"], check=True)  # noqa: S603 - Mosquitto's own client
        with flood(self.made.broker.broker, traffic, acknowledged=self.plan.qos > 0) as publish:
            if self.plan.queued:
                published = publish()
                published.result()
            before, begun = self._used(), time.perf_counter()
            with subprocess.Popen([*kept, "-C", str(traffic.messages)], stdout=subprocess.DEVNULL) as process:  # noqa: S603
                try:
                    if not self.plan.queued:
                        time.sleep(SETTLING)
                        begun, published = time.perf_counter(), publish()
                    code = process.wait(PATIENCE)
                finally:
                    process.kill()
            seconds, after = time.perf_counter() - begun, self._used()
            if code:
                raise BenchError(f"mosquitto_sub ended with {code}")
            cpu = published.result()
        self._forget(BARE)
        return _run(seconds, before, after, cpu)

    def collector(self, traffic: Traffic) -> Run:
        """A collector process with all rules on, until it has committed the last message."""
        self.made.subscribe()
        collector = self.made.collectors[0]
        wanted = ledger(self.connection).received + traffic.messages
        with flood(self.made.broker.broker, traffic, acknowledged=self.plan.qos > 0) as publish:
            if self.plan.queued:
                published = publish()
                published.result()
            collector.start()
            self.made.wait(lambda: collector.look() == "working", "the collector collects", every=0.002)
            pids = {"database": self.made.database.pid, "collector": collector.pid}
            before, begun = self._used(**pids), time.perf_counter()
            if not self.plan.queued:
                published = publish()
            self.made.wait(lambda: ledger(self.connection).received >= wanted, "everything is committed", every=LOOK)
            seconds, after = time.perf_counter() - begun, self._used(**pids)
            cpu = published.result()
        collector.stop()
        self._forget(PARTITION)
        return _run(seconds, before, after, cpu)

    def _subscriber(self, client_id: str) -> list[str]:
        return [self.program, "-p", str(self.made.broker.broker.port), "-q", "1", "-i", client_id]

    def _forget(self, client_id: str) -> None:
        """A clean session in a client's name: the broker keeps nothing more for it."""
        subprocess.run([*self._subscriber(client_id), "-E", "-t", "nothing"], check=True)  # noqa: S603 - as above

    def _used(self, **pids: int) -> dict[str, float]:
        """Processor seconds so far; without a collector those of the subscribers that have ended."""
        used = {name: usage(pid).seconds for name, pid in {"broker": self.made.broker.pid, **pids}.items()}
        if not pids:
            ended = resource.getrusage(resource.RUSAGE_CHILDREN)
            used["subscriber"] = ended.ru_utime + ended.ru_stime
        return {**used, _MACHINE: machine_seconds()}


def _run(seconds: float, before: Mapping[str, float], after: Mapping[str, float], publisher: float) -> Run:
    cpu = {name: after[name] - before[name] for name in after}
    machine = cpu.pop(_MACHINE)
    cpu["publisher"] = publisher
    return Run(seconds, cpu, max(0.0, machine - sum(cpu.values())) / seconds)


def _summary(rounds: Sequence[tuple[Run, Run]], traffic: Traffic) -> dict[str, Any]:
    """Medians: other processes of the machine slow down one round or another."""
    bare, collector = ([pair[side] for pair in rounds] for side in (0, 1))
    return {
        "ratio": round(statistics.median(each.seconds / other.seconds for each, other in rounds), 3),
        "messages_per_second": round(traffic.messages / statistics.median(run.seconds for run in collector)),
        "bare_messages_per_second": round(traffic.messages / statistics.median(run.seconds for run in bare)),
        "rounds": len(rounds),
        "messages": traffic.messages,
        "payload_bytes": round(traffic.payload_bytes / traffic.messages),
        "strangers": round(max(run.strangers for run in (*bare, *collector)), 2),
        "cpu_us_per_message": {"bare": _cpu(bare, traffic), "collector": _cpu(collector, traffic)},
    }


def _cpu(runs: Sequence[Run], traffic: Traffic) -> dict[str, float]:
    """Processor time of each process, microseconds a message."""
    return {
        name: round(statistics.median(run.cpu[name] for run in runs) / traffic.messages * 1e6, 1)
        for name in runs[0].cpu
    }


def _rates(bare: Run, collector: Run, messages: int) -> str:
    speeds = f"bare {messages / bare.seconds:,.0f}/s, collector {messages / collector.seconds:,.0f}/s"
    strangers = f"strangers had {bare.strangers:.1f} and {collector.strangers:.1f} of {os.cpu_count()} processors"
    return f"{speeds}, ratio {bare.seconds / collector.seconds:.2f}; {strangers}"
