"""A database brought up to date, and the collector."""

from functools import partial
from typing import Annotated

import typer

from cityward import collect as collecting
from cityward import wiring
from cityward.cli.context import CommandError, UntilStdin, load_settings, out, stop_event
from cityward.cli.progress import progress
from storage import console_store
from storage.capability import MISSING
from storage.connection import connect
from storage.migrate import migrate as bring_up_to_date


def migrate() -> None:
    """Create or update the tables; safe to repeat, and beside running collectors."""
    settings = load_settings()
    with wiring.database_url(settings) as url:
        with progress() as say:
            capability = bring_up_to_date(
                url,
                wiring.kinds(settings),
                lambda step: out.print(f"  {step}", soft_wrap=True),
                wiring.keep(settings),
                partial(say, "filling roll-ups"),
            )
        with connect(url, name="cityward migrate") as connection:
            console_store.save_address(connection, settings.console_url)
    out.print(f"Database ready. {capability}. {MISSING[capability]}".rstrip(), soft_wrap=True)


def collect(
    partition: Annotated[
        list[str] | None, typer.Option(help="A partition of the settings, may be repeated; without it all of them.")
    ] = None,
    until_stdin_closes: UntilStdin = False,
) -> None:
    """Take readings from the broker into the database and judge them.

    A second collector of the same partition waits and takes over when the first one ends.
    """
    settings = load_settings()
    for name in partition or ():
        if name not in settings.partitions:
            known = ", ".join(settings.partitions)
            raise CommandError(f"--partition: {name!r} is not in the settings; there are {known}")
    stop = stop_event(with_stdin=until_stdin_closes)
    with wiring.database_url(settings) as url:
        collecting.collect(settings, partition or list(settings.partitions), url, wiring.clock(settings), stop)
