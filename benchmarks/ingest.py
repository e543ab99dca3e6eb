"""How near the collector comes to a client that does nothing: ``python -m benchmarks.ingest --help``."""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import tomllib
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

from psycopg import sql
from psycopg.conninfo import make_conninfo

from benchmarks.bench import Bench, Run
from benchmarks.servers import MissingError, mosquitto
from benchmarks.traffic import Source, Traffic
from cityward import embedded
from cityward.clock import Clock
from cityward.simulate import write_city
from devices.kind import load_kinds
from devices.registry_csv import read_registry
from simulators.city import PretendCity, build_city
from storage.connection import Connection, connect
from storage.migrate import migrate
from storage.overview import ledger
from storage.registry_store import import_city, import_devices


def main() -> None:
    """Measure and report; the last line of standard output is JSON."""
    parser = _parser()
    wanted = parser.parse_args()
    if wanted.queued and not wanted.qos:
        parser.error("a broker queues nothing that is published with QoS 0")
    try:
        report = measure(wanted)
    except MissingError as error:
        sys.exit(str(error))
    if not wanted.json:
        _say(_in_words(report))
    sys.stdout.write(json.dumps(report) + "\n")


def measure(wanted: argparse.Namespace) -> dict[str, object]:
    """Every round, and what they say together."""
    clock = Clock()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cityward-benchmark-")))
        broker, pid = stack.enter_context(mosquitto(folder / "mosquitto"))
        url = stack.enter_context(_database(wanted.dsn, folder))
        connection = stack.enter_context(connect(url, name="cityward benchmark"))
        city = build_city(wanted.seed, wanted.devices)
        _register(city, url, connection, folder, clock)
        source = Source(city, wanted.kind, clock.now(), wanted.seed)
        bench = Bench(folder, broker, pid, url, connection, wanted.queued, wanted.qos)
        rounds = []
        for number in range(1, wanted.rounds + 1):
            traffic = source.traffic(wanted.messages, wanted.qos)
            if traffic.messages < wanted.messages:
                sys.exit(f"{wanted.devices} devices sent only {traffic.messages} messages; ask for more devices")
            rounds.append((bench.bare(traffic), bench.collector(traffic)))
            _say(f"round {number}: {_rates(*rounds[-1], wanted.messages)}")
        return {
            **_summary(rounds, traffic),
            "qos": wanted.qos,
            "queued": wanted.queued,
            "devices": wanted.devices,
            "ledger": asdict(ledger(connection)),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "postgresql": connection.info.parameter_status("server_version"),
        }


def _summary(rounds: Sequence[tuple[Run, Run]], traffic: Traffic) -> dict[str, object]:
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


def _in_words(report: dict[str, object]) -> str:
    return "\n".join(f"{name:>26}  {value}" for name, value in report.items())


@contextmanager
def _database(dsn: str, folder: Path) -> Iterator[str]:
    """A database of its own for this measurement, on the server named or on an embedded one."""
    if not dsn:
        with embedded.database(folder) as url:
            yield url
        return
    name = f"cityward_benchmark_{uuid.uuid4().hex[:12]}"
    with connect(dsn) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield make_conninfo(dsn, dbname=name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _register(city: PretendCity, url: str, connection: Connection, folder: Path, clock: Clock) -> None:
    kinds = load_kinds()
    migrate(url, kinds, lambda _step: None)
    city_file, registry = write_city(city, folder / "city")
    document = tomllib.loads(city_file.read_text(encoding="utf-8"))
    imported = import_city(connection, document, str(city_file), clock.now())
    devices = read_registry(registry, kinds, units=imported.units, districts=imported.districts)
    import_devices(connection, devices, str(registry), clock.now())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    add = parser.add_argument
    add("--messages", type=int, default=100_000, help="how many each client receives in a round")
    add("--rounds", type=int, default=5, help="how often both are measured; medians are reported")
    add("--qos", type=int, choices=(0, 1), default=1, help="with which messages are published")
    add("--queued", action="store_true", help="publish before the client comes, not while it is there")
    add("--devices", type=int, default=5000, help="size of the pretend city; 5,000 have 2,000 streetlights")
    add("--kind", action="append", default=[], help="only devices of this kind send; may be repeated")
    add("--seed", type=int, default=1, help="the pretend city's")
    add("--dsn", default="", help="a PostgreSQL server to create a database on, instead of the embedded one")
    add("--json", action="store_true", help="only the line of JSON")
    return parser


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
