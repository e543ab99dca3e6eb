"""The dispatcher."""

import asyncio

from cityward import dispatch as dispatching
from cityward import wiring
from cityward.cli.context import UntilStdin, load_settings, stop_event


def dispatch(until_stdin_closes: UntilStdin = False) -> None:
    """Turn alarms into cases and tell the crews; watch for silent devices."""
    settings = load_settings()
    stop = stop_event(with_stdin=until_stdin_closes)
    with wiring.database_url(settings) as url:
        asyncio.run(dispatching.dispatch(settings, url, wiring.clock(settings), stop))
