"""The pretend city at a prompt: its files, its messages, its past, and the truth about it."""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from cityward import simulate as simulating
from cityward import wiring
from cityward.backfilling import Backfilled, backfill
from cityward.cli.context import CommandError, UntilStdin, database, err, load_settings, out, stop_event, table
from cityward.cli.progress import Say, progress
from cityward.clock import Clock
from cityward.settings import Settings
from cityward.showing import many
from cityward.simulate import Leaping, Pace
from devices.kind import Kind
from devices.moments import moment
from simulators.city import SMALLEST, PretendCity, build_city
from simulators.fleet import Fleet
from simulators.labels import truth
from simulators.physics.daytime import LOCAL
from simulators.publish import GATEWAYS
from simulators.scenario import Scenario, load_scenario, shipped
from simulators.story import Story
from simulators.telling import shortage, tell
from storage.registry_store import load_registry

_FASTEST, _MOST = "max", 100_000
MOMENTS = ["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]


def simulate(
    scenario: Annotated[
        str, typer.Option(help="What happens: one that comes along (see --list), or the path of your own file.toml.")
    ] = "demo",
    devices: Annotated[int, typer.Option(min=SMALLEST, help="How many devices the city has.")] = 520,
    seed: Annotated[int, typer.Option(help="The same seed gives the same city and the same readings.")] = 1,
    start: Annotated[
        datetime | None,
        typer.Option(formats=MOMENTS, help="The city's local time to begin at; now where not given."),
    ] = None,
    days: Annotated[
        float | None,
        typer.Option(min=0.001, help="End after so many of the city's days; without it never.", show_default=False),
    ] = None,
    speed: Annotated[
        str | None,
        typer.Option(help="Seconds of the city in one second, or max; a run that overtakes now ends there."),
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=1, help="At most so many messages a second.", show_default=False)
    ] = None,
    gateways: Annotated[
        str, typer.Option(help="How many connections share the devices, or each: every device has its own.")
    ] = str(GATEWAYS),
    into_database: Annotated[
        bool, typer.Option("--into-database", help="No broker: write the past until now straight into the tables.")
    ] = False,
    labels: Annotated[
        Path | None, typer.Option(help="Write what is wrong where and when, and who should notice, as JSON here.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Write the city's city.toml and devices.csv here, and end.")
    ] = None,
    list_scenarios: Annotated[bool, typer.Option("--list", help="What scenarios come along, and end.")] = False,
    seconds: Annotated[float, typer.Option(min=0, help="Stop after so long on the wall; 0: never.")] = 0,
    json_lines: Annotated[bool, typer.Option("--json", help="Progress and result as JSON lines.")] = False,
    until_stdin_closes: UntilStdin = False,
) -> None:
    """Publish what a pretend city sends. Its devices must be registered: see --write, then import both files.

    A week at once, with the truth about it: cityward simulate --scenario cloudburst --into-database --labels truth.json
    """
    settings = load_settings()
    kinds = wiring.kinds(settings)
    if list_scenarios:
        print_scenarios(kinds)
        return
    city = build_city(seed, devices, kinds)
    if write is not None:
        for path in simulating.write_city(city, write):
            out.print(f"wrote {path}")
        return
    chosen = load_scenario(scenario, tuple(kinds))
    now = wiring.clock(settings).now()
    begins = start.replace(tzinfo=LOCAL).astimezone(UTC) if start else now
    if into_database and not start:
        begins = now - timedelta(days=days or chosen.days)
    story = tell(chosen, city, begins, seed)
    if short := shortage(chosen, city, story, begins, seed):
        err.print(f"[dim]cityward simulate:[/dim] {short}", soft_wrap=True)
    if labels is not None:
        _write_truth(story, city, seed, labels, chosen)
    fleet = Fleet(city, story, seed)
    if into_database:
        ends = min(now, begins + timedelta(days=days or chosen.days))
        _into_database(settings, city, fleet, begins, ends, _stop_after(seconds), as_json=json_lines)
        return
    pace = _pace(settings, begins, days, speed, rate, has_start=start is not None)
    connections = len(city.devices) if gateways == "each" else _positive(gateways, "--gateways", "each")
    stop = _stop_after(seconds, stop_event(with_stdin=until_stdin_closes, heard=partial(_heard, fleet)))
    with progress() as say:
        published = asyncio.run(
            simulating.simulate(
                fleet,
                pace,
                broker=settings.broker,
                tls=wiring.broker_tls(settings),
                gateways=int(connections),
                stop=stop,
                report=_as_json if json_lines else _reporting(chosen.name, begins, pace.until, say),
            )
        )
    if json_lines:
        _as_json(published, pace.clock.now())
    else:
        out.print(f"{many(published, 'message')} published, until {_local(pace.clock.now())} in the city.")


def _heard(fleet: Fleet, line: str) -> None:
    """What crews do: ``repair`` or ``ask``, and the devices' ids."""
    word, *devices = line.split()
    {"repair": fleet.repair, "ask": fleet.ask}[word](devices)


def print_scenarios(kinds: Mapping[str, Kind]) -> None:
    """The scenarios that come along."""
    found = [load_scenario(name, tuple(kinds)) for name in shipped()]
    rows = [(each.name, f"{each.days:g}", f"{each.begins:%H:%M}", f"{each.title}. {each.doc}") for each in found]
    out.print(table("Scenarios", ["name", "days", "from", "what happens"], rows))


def _pace(
    settings: Settings, begins: datetime, days: float | None, speed: str | None, rate: float | None, *, has_start: bool
) -> Pace:
    """By the clock of the settings, or faster until that is caught up with."""
    clock = wiring.clock(settings)
    ends = begins + timedelta(days=days) if days else None
    if speed is None and not has_start:
        return Pace(clock, ends, rate)
    if not has_start:
        problem = "a city that is faster than the collector's clock runs ahead of it and its readings are refused"
        raise CommandError(f"--speed: {problem}; give a --start in the past")
    now = clock.now()
    ends = now if ends is None else min(now, ends)
    if ends <= begins:
        raise CommandError(f"--start: {begins.astimezone(LOCAL):%Y-%m-%d %H:%M} has yet to come")
    if speed == _FASTEST:
        return Pace(Leaping(begins, ends), ends, rate)
    return Pace(Clock(_positive(speed or "1", "--speed", _FASTEST), begins, Clock().now()), ends, rate)


def _positive(text: str, option: str, word: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 1 <= value <= _MOST:
        raise CommandError(f"{option}: {text!r} is neither {word} nor a number from 1 to {_MOST}")
    return value


def _stop_after(seconds: float, stop: threading.Event | None = None) -> threading.Event:
    """Set so many seconds from now, if any, or by whoever else has it."""
    stop = stop or threading.Event()
    if seconds:
        timer = threading.Timer(seconds, stop.set)
        timer.daemon = True
        timer.start()
    return stop


def _write_truth(story: Story, city: PretendCity, seed: int, path: Path, scenario: Scenario) -> None:
    found = truth(story, city, seed)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    out.print(f"{scenario.title}: {many(len(found.labels), 'label')}, {many(len(found.permits), 'permit')} in {path}")


def _as_json(published: int, _at: datetime) -> None:
    print(json.dumps({"published": published}), flush=True)  # noqa: T201 - another program reads it


def _reporting(what: str, begins: datetime, ends: datetime | None, say: Say) -> Callable[[int, datetime], None]:
    def report(published: int, at: datetime) -> None:
        share = (at - begins) / (ends - begins) if ends else None
        say(what, share, f"{_local(at)} in the city, {many(published, 'message')}")

    return report


def _local(at: datetime) -> str:
    return f"{at.astimezone(LOCAL):%Y-%m-%d %H:%M:%S}"


def _into_database(
    settings: Settings,
    city: PretendCity,
    fleet: Fleet,
    begins: datetime,
    ends: datetime,
    stop: threading.Event,
    *,
    as_json: bool,
) -> None:
    with database(settings) as connection, progress() as say:

        def report(done: Backfilled) -> None:
            at = moment(done.until)
            say("writing the past", (at - begins) / (ends - begins), f"{_local(at)}, {many(done.stored, 'reading')}")

        registry = load_registry(connection, city.kinds)
        done = backfill(connection, registry, fleet.reports(begins, ends), stopping=stop.is_set, report=report)
    if as_json:
        print(json.dumps(msgspec.to_builtins(done)))  # noqa: T201 - another program reads it
    else:
        said = f"{many(done.stored, 'reading')} stored, {done.already_there} were there already, {done.refused} refused"
        out.print(f"{said}. No rule has judged them.")
