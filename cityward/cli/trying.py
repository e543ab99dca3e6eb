"""Commands that run everything at once, to look at it and to try it."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cityward import demo as demonstration
from cityward import up as trial
from cityward.cli.context import UntilStdin, load_settings, stop_event
from simulators.city import SMALLEST


def demo(
    seconds: Annotated[float, typer.Option(min=0, help="End after so long; 0: until Ctrl-C.")] = 0,
    json_line: Annotated[
        bool, typer.Option("--json", help="No live page; one JSON line with the totals at the end.")
    ] = False,
    factor: Annotated[
        float, typer.Option(min=1, max=600, help="How many seconds of the city pass in one second.")
    ] = 60,
    devices: Annotated[int, typer.Option(min=SMALLEST, help="How many devices the city has.")] = 520,
    seed: Annotated[int, typer.Option(help="The same seed gives the same city.")] = 1,
    port: Annotated[int, typer.Option(help="Port of the embedded broker; another one if it is taken.")] = 1883,
    console: Annotated[
        bool,
        typer.Option("--console/--no-console", help="The console too, on console_port if that is free."),
    ] = True,
) -> None:
    """A pretend city on this machine: broker, database, collector, dispatcher, console, and devices that break.

    Everything is embedded and thrown away at the end. The city's evening begins at 21:50, so that within a minute
    covers open, lamps stay dark, purifiers are off, squares get loud and trucks are too heavy.
    """
    settings = load_settings()
    stop = stop_event(with_stdin=False)
    plan = demonstration.Plan(
        seconds=seconds,
        factor=factor,
        devices=devices,
        seed=seed,
        port=port,
        console=settings.console_port if console else None,
    )
    totals = demonstration.run(plan, settings.language, stop, live=not json_line)
    if json_line:
        print(json.dumps(totals))  # noqa: T201 - another program reads it


def up(
    city: Annotated[
        Path | None,
        typer.Argument(
            exists=True, dir_okay=False, show_default=False, help="A city file to import; needed the first time."
        ),
    ] = None,
    until_stdin_closes: UntilStdin = False,
) -> None:
    """A city of your own on this machine, to try things out: all processes at once, until Ctrl-C.

    Without settings the database is embedded and kept in the folder .cityward, the broker embedded at 127.0.0.1:1883
    unless one is there: so other commands, in this folder, reach them without settings too. For a city that must not
    lose anything run collect, dispatch and console against servers of your own.
    """
    trial.run(load_settings(), city, stop_event(with_stdin=until_stdin_closes))
