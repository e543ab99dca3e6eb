"""What commands share: settings, a connection, signals, tables."""

import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from types import FrameType

from pydantic import ValidationError
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cityward import log, wiring
from cityward.moments import parse_moment
from cityward.settings import CONFIG_FILE, Settings
from devices.errors import Permanent
from storage.connection import Connection, connect, describe
from storage.errors import translated

# What people have written, such as [units] in a message, is shown as it is.
out = Console(highlight=False, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False)
_GAP = 2  # columns between two columns of a table
_WRAPPED = 16  # columns at least for texts that take several lines


class CommandError(Permanent):
    """A command cannot do what it was asked; the message is all that the user sees."""


def load_settings() -> Settings:
    """Settings from file and environment, logging set up.

    Raises:
        CommandError: naming the setting that is wrong.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, problem['loc'])) or 'settings'}: {problem['msg']}" for problem in error.errors()]
        raise CommandError(f"settings ({CONFIG_FILE} or CITYWARD_*):\n  " + "\n  ".join(lines)) from error
    except ValueError as error:  # TOML that cannot be read
        raise CommandError(f"{CONFIG_FILE}: {error}") from error
    log.configure(settings.log_format)
    return settings


@contextmanager
def database(settings: Settings) -> Iterator[Connection]:
    """A connection to the database of the settings."""
    with (
        wiring.database_url(settings) as url,
        connect(url, name="cityward cli") as connection,
        translated(describe(url)),
    ):
        yield connection


def stop_event(*, with_stdin: bool) -> threading.Event:
    """Set by SIGINT and SIGTERM; by the end of standard input too, where a parent holds it open."""
    stop = threading.Event()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, handle)
    signal.signal(signal.SIGTERM, handle)
    if with_stdin:
        threading.Thread(target=_until_stdin_ends, args=(stop,), daemon=True).start()
    return stop


def _until_stdin_ends(stop: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    stop.set()


def moment_of(option: str, text: str, now: datetime, zone: tzinfo) -> datetime:
    """The moment that an option names; ``parse_moment`` says how it is written."""
    try:
        return parse_moment(text, now, zone)
    except ValueError as error:
        raise CommandError(f"{option}: {error}") from error


def table(title: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A plain table; without a title where that is empty."""
    made = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in rows:
        made.add_row(*(Text(str(cell)) for cell in row))  # as it is: a device's words are no markup
    return made


def fitting(
    title: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    least: Sequence[str],
    wraps: str | None = None,
) -> tuple[Table, list[str]]:
    """A table in which words stay whole, and the columns that had to go for that.

    Args:
        title: Above it.
        headings: Of all columns.
        rows: With a cell for each heading.
        least: Headings of columns that may go where the terminal is too narrow, the least important first.
        wraps: The heading of the one column that may take several lines, if any.
    """
    widths = [
        _WRAPPED if heading == wraps else max(cell_len(str(cell)) for cell in (heading, *(row[place] for row in rows)))
        for place, heading in enumerate(headings)
    ]
    kept = list(range(len(headings)))
    gone: list[str] = []
    while len(gone) < len(least) and sum(widths[place] + _GAP for place in kept) - _GAP > out.width:
        gone.append(least[len(gone)])
        kept.remove(headings.index(gone[-1]))
    made = table(title, [headings[place] for place in kept], ([row[place] for place in kept] for row in rows))
    for column in made.columns:
        column.no_wrap = column.header != wraps
    return made, gone
