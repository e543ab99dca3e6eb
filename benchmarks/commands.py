"""Commands that prove and measure; each starts a broker and a database of its own."""

import json
import signal
from collections.abc import Mapping
from types import FrameType
from typing import Annotated, Any

import typer

from benchmarks import chaos as chaotic
from benchmarks import dashboards as asking
from benchmarks import ingest as ingesting
from benchmarks import outage as away
from benchmarks import rules as judging
from benchmarks import scenario_b as scenario
from benchmarks import start as starting
from benchmarks.load import Meters
from benchmarks.publisher import Publisher
from cityward import log
from cityward.cli.context import CommandError, load_settings, out, table
from cityward.settings import LogFormat
from simulators.city import SMALLEST

_SHOWN = 20  # lines of a long list
_ENDING = (signal.SIGINT, signal.SIGTERM)

bench_app = typer.Typer(no_args_is_help=True)

_Json = Annotated[bool, typer.Option("--json", help="One JSON line on standard output instead of a table.")]
_Seed = Annotated[int, typer.Option(help="The same seed breaks the same devices and kills in the same order.")]
_Devices = Annotated[int, typer.Option(min=10, max=20_000, help="How many devices send.")]
_Rate = Annotated[int, typer.Option(min=1, max=5000, help="Messages a second.")]
_Autosave = Annotated[int, typer.Option(min=1, help="Seconds between two saves of the broker's queues.")]


@bench_app.command("chaos")
def chaos(
    rounds: Annotated[int, typer.Option(min=1, help="How often something is killed.")] = 20,
    seconds_per_round: Annotated[float, typer.Option(min=1, help="Seconds under load for each round.")] = 6,
    seed: _Seed = 1,
    rate: _Rate = 1000,
    devices: _Devices = 200,
    kill_broker: Annotated[
        bool, typer.Option("--kill-broker", help="Kill the broker too, which loses what it had not saved.")
    ] = False,
    autosave: _Autosave = 1,
    json_line: _Json = False,
) -> None:
    """Kill collectors, database and dispatcher and restart the broker, at random moments, under load.

    Afterwards every message is accounted for by device and sequence number, and every alarm and case is one that was
    foretold. Ends with 1 if anything is missing or there twice. With --kill-broker something may be missing: what the
    gaps in the database say must be what the publisher knows. Needs Mosquitto.
    """
    _begin()
    plan = chaotic.Plan(rounds, seconds_per_round, seed, rate, devices, kill_broker, autosave)
    outcome = chaotic.run(plan)
    _report("Chaos", outcome.as_json(), as_json=json_line)
    raise typer.Exit(0 if outcome.passed else 1)


@bench_app.command("outage")
def outage(
    minutes: Annotated[float, typer.Option(min=0.05, help="How long the database is away.")] = 10,
    rate: _Rate = 2000,
    devices: _Devices = 200,
    seed: _Seed = 1,
    autosave: _Autosave = 30,
    json_line: _Json = False,
) -> None:
    """Take the database away for minutes, kill the collector meanwhile, and look into the books afterwards.

    Ends with 1 if anything is missing or there twice. Needs Mosquitto.
    """
    _begin()
    outcome = away.run(away.Plan(minutes, rate, devices, seed, autosave))
    _report("Outage", outcome.as_json(), as_json=json_line)
    raise typer.Exit(0 if outcome.passed else 1)


@bench_app.command("scenario-b")
def scenario_b(
    minutes: Annotated[float, typer.Option(min=0.05, help="How long to measure.")] = 10,
    devices: Annotated[int, typer.Option(min=10, max=20_000, help="How many devices send.")] = 5000,
    rate: _Rate = 5000,
    json_line: _Json = False,
) -> None:
    """Measure ThingsBoard's published Scenario B: 3 values a message, an alarm rule, everything stored durably.

    Says what processor time every process takes, how long a reading takes from its publishing to its commit and to
    its alarm, and whether the books are right. Needs Mosquitto.
    """
    _begin()
    found = scenario.run(scenario.Plan(minutes, devices, rate))
    _report("Scenario B", found, as_json=json_line)
    raise typer.Exit(0 if found["passed"] else 1)


@bench_app.command("ingest")
def ingest(
    messages: Annotated[int, typer.Option(min=1, help="How many each client receives in a round.")] = 100_000,
    rounds: Annotated[int, typer.Option(min=1, help="How often both are measured; medians are reported.")] = 5,
    qos: Annotated[int, typer.Option(min=0, max=1, help="With which messages are published.")] = 1,
    queued: Annotated[
        bool, typer.Option("--queued", help="Publish before the client comes, not while it is there: the hardest test.")
    ] = False,
    devices: Annotated[int, typer.Option(min=100, help="Size of the pretend city; of 5,000, 2,000 are lamps.")] = 5000,
    kind: Annotated[list[str] | None, typer.Option(help="Only devices of this kind send; may be repeated.")] = None,
    seed: Annotated[int, typer.Option(help="The pretend city's.")] = 1,
    json_line: _Json = False,
) -> None:
    """Measure how near the collector comes to a client in C that only acknowledges, on the same broker.

    Says the ratio of their speeds, and what processor time every process takes for a message. The ratio means something
    while strangers (processors that others keep busy) is near 0. Needs Mosquitto and mosquitto_sub.
    """
    _begin()
    plan = ingesting.Plan(messages, rounds, qos, queued, devices, kind or (), seed)
    found = ingesting.run(plan)
    _report("Ingest", found, as_json=json_line)
    raise typer.Exit(0 if found["passed"] else 1)


@bench_app.command("load")
def load(
    devices: Annotated[int, typer.Option(min=100, max=5_000_000, help="How many devices the city has.")] = 1_000_000,
    json_line: _Json = False,
) -> None:
    """Start a collector and a dispatcher with a whole city: how long it takes, and how much memory.

    Registers the city first, with what rules remember and what was heard of each device; in the end some devices send.
    Ends with 1 if the collector needs more than 10 s or 1 GiB. Needs Mosquitto.
    """
    _begin()
    found = starting.run(starting.Plan(devices))
    _report("Start", found, as_json=json_line)
    raise typer.Exit(0 if found["passed"] else 1)


@bench_app.command("rules")
def rules(
    messages: Annotated[int, typer.Option(min=1000, help="How many are decoded and judged.")] = 300_000,
    devices: Annotated[int, typer.Option(min=100, help="Size of the pretend city.")] = 5000,
    seed: Annotated[int, typer.Option(help="The pretend city's.")] = 1,
    json_line: _Json = False,
) -> None:
    """Measure how many readings the rules judge in a second, and their share of the collector's own work.

    Needs nothing but a processor. What it has to reach is 2 million readings a second on long tables.
    """
    _begin()
    _report("Rules", judging.run(judging.Plan(messages, devices, seed)), as_json=json_line)


@bench_app.command("dashboards")
def dashboards(
    days: Annotated[int, typer.Option(min=1, help="Days of readings, beside today's.")] = 3,
    devices: Annotated[
        int, typer.Option(min=SMALLEST, help="Size of the pretend city; of 10,000, 6,000 are lamps.")
    ] = 500,
    rounds: Annotated[int, typer.Option(min=1, help="How often each query is sent.")] = 20,
    database: Annotated[
        str, typer.Option(help="URL of an empty database to fill; without it an embedded PostgreSQL, which is removed.")
    ] = "",
    again: Annotated[bool, typer.Option("--again", help="Measure once more what an earlier run has filled.")] = False,
    board: Annotated[list[str] | None, typer.Option(help="Only this board, such as noise; may be repeated.")] = None,
    seed: Annotated[int, typer.Option(help="The pretend city's.")] = 1,
    json_line: _Json = False,
) -> None:
    """Measure how long every panel of every board takes on a city of some weeks, beside SELECT 1.

    Fills a database with what a pretend city sends at its real intervals, a day after the other, with its roll-ups
    refreshed and its older days compressed where TimescaleDB does that; says what a reading takes on disk.
    A database given with --database keeps the city. 30 days of 10,000 devices take most of an hour and 10 GB.
    """
    if again and not database:
        raise CommandError("--again: name the database that an earlier run has filled with --database")
    _begin()
    plan = asking.Plan(days, devices, rounds, seed, database, again, board or ())
    found = asking.run(plan)
    if json_line:
        _report("", found, as_json=True)
        return
    panels = found.pop("panels")
    headings = ["board", "panel", "opened p50 ms", "p95 ms", "all days p50 ms", "p95 ms", "rows"]
    out.print(table("Boards", headings, ([f"{value}" for value in panel.values()] for panel in panels)))
    _report("Dashboards", found, as_json=False)


@bench_app.command("console")
def console(
    cases: Annotated[int, typer.Option(min=1000, max=1_000_000, help="How many cases are open.")] = 100_000,
    rounds: Annotated[int, typer.Option(min=1, help="How often each page is asked for.")] = 40,
    desks: Annotated[int, typer.Option(min=1, max=100, help="How many browsers ask at once.")] = 1,
    json_line: _Json = False,
) -> None:
    """Measure how long the console's pages take while so many cases are open, beside a route with SELECT 1.

    Fills an embedded PostgreSQL and starts a console. Ends with 1 if a page's p95 is above 200 ms.
    """
    from benchmarks import console as looking  # noqa: PLC0415 - it loads what answers requests

    _begin()
    found = looking.run(looking.Plan(cases, rounds, desks))
    if json_line:
        _report("", found, as_json=True)
    else:
        rows = ([f"{value}" for value in page.values()] for page in found.pop("pages"))
        out.print(table("Pages", ["page", "p50 ms", "p95 ms", "most ms"], rows))
        _report("Console", found, as_json=False)
    raise typer.Exit(1 if found["slower"] else 0)


@bench_app.command("meters", hidden=True)
def meters(
    devices: Annotated[int, typer.Option()],
    rate: Annotated[int, typer.Option()],
    seconds: Annotated[float, typer.Option()],
) -> None:
    """Publish what scenario-b measures, as a process of its own."""
    publisher = Publisher(load_settings().broker, Meters(devices), rate)
    publisher.end_at(round(rate * seconds))
    publisher.run()
    print(json.dumps({"published": publisher.sent, "behind": publisher.behind}))  # noqa: T201 - scenario-b reads it


def _begin() -> None:
    """Log for people; the first Ctrl-C or SIGTERM ends whatever is done, and what was started then ends in peace."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        for each in _ENDING:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    log.configure(LogFormat.CONSOLE)
    for each in _ENDING:
        signal.signal(each, end)


def _report(title: str, found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found))  # noqa: T201 - another program reads it
        return
    out.print(table(title, ["", ""], ((name, _words(value)) for name, value in found.items())))


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {each}" for name, each in value.items()) or "none"
    if isinstance(value, list):
        lines = [" ".join(map(str, each)) if isinstance(each, tuple) else str(each) for each in value[:_SHOWN]]
        rest = len(value) - len(lines)
        return "\n".join([*lines, *([f"and {rest} more: see --json"] if rest else [])]) or "none"
    return "-" if value is None else str(value)
