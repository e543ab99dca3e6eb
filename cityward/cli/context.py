"""What commands share: settings, a connection, signals, tables."""

import difflib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from types import FrameType
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cases.words import Language, Section, fill, say
from cityward import log, wiring
from cityward.moments import parse_moment
from cityward.settings import CONFIG_FILE, Settings
from cityward.showing import printable
from devices.errors import Permanent
from storage.connection import Connection, connect, describe
from storage.errors import translated

# What people have written, such as [units] in a message, is shown as it is.
out = Console(highlight=False, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False)
UntilStdin = Annotated[
    bool, typer.Option("--until-stdin-closes", hidden=True, help="Stop when the parent process goes away.")
]
STOPPED = 130  # the exit code of what somebody stopped before its end, as shells give it after Ctrl-C
_GAP = 2  # columns between two columns of a table
_FEW = 8  # columns that do for a text without blanks that may be broken, as a Chinese one
_WHOLE = 40  # columns beyond which a word is broken after all


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
        raise _refused(map(_said, error.errors())) from error
    except ValueError as error:  # TOML that cannot be read
        raise CommandError(f"{CONFIG_FILE}: {error}") from error
    # With a misspelt CITYWARD_DATABASE_URL one would work in another database, and not know it.
    if misspelt := [f"{name}: {hint}" for name in sorted(os.environ) if (hint := _misspelt(name))]:
        raise _refused(misspelt)
    log.configure(settings.log_format)
    return settings


def _refused(problems: Iterable[str]) -> CommandError:
    return CommandError(f"settings ({CONFIG_FILE} or CITYWARD_*):\n  " + "\n  ".join(problems))


def _said(problem: Mapping[str, Any]) -> str:
    place = ".".join(map(str, problem["loc"])) or "settings"
    if problem["type"] == "extra_forbidden":
        return f"{place}: there is no such setting; {_near(place) or 'cityward settings lists them'}"
    return f"{place}: {problem['msg'].removeprefix('Value error, ')}"


def _misspelt(variable: str) -> str:
    """What a variable of the environment that is no setting is likely to mean; empty where that is not known."""
    prefix, _, name = variable.partition("_")
    setting = name.lower().partition("__")[0]
    near = "" if prefix != "CITYWARD" or setting in Settings.model_fields else _near(setting)
    return near and f"there is no such setting; {near}"


def _near(name: str) -> str:
    near = difflib.get_close_matches(name, Settings.model_fields, n=1, cutoff=0.8)
    return f"did you mean {near[0]}?" if near else ""


@contextmanager
def database(settings: Settings) -> Iterator[Connection]:
    """A connection to the database of the settings."""
    with (
        wiring.database_url(settings) as url,
        connect(url, name="cityward cli") as connection,
        translated(describe(url)),
    ):
        yield connection


def stop_event(*, with_stdin: bool, heard: Callable[[str], None] | None = None) -> threading.Event:
    """Set by SIGINT and SIGTERM; by the end of standard input too, where a parent holds it open.

    ``heard`` gets each line that the parent writes there, in a thread of its own.
    """
    stop = threading.Event()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, handle)
    signal.signal(signal.SIGTERM, handle)
    if with_stdin:
        threading.Thread(target=_until_stdin_ends, args=(stop, heard), daemon=True).start()
    return stop


def _until_stdin_ends(stop: threading.Event, heard: Callable[[str], None] | None) -> None:
    rest = b""
    while said := os.read(sys.stdin.fileno(), 1024):
        *lines, rest = (rest + said).split(b"\n")
        if heard is not None:
            for line in lines:
                heard(line.decode())
    stop.set()


def moment_of(option: str, text: str, now: datetime, zone: tzinfo) -> datetime:
    """The moment that an option names; ``parse_moment`` says how it is written."""
    try:
        return parse_moment(text, now, zone)
    except ValueError as error:
        raise CommandError(f"{option}: {error}") from error


def heads(language: Language, *keys: str) -> list[str]:
    """Headings of columns, or names of facts, in a language."""
    return [say(Section.COLUMNS, key, language) for key in keys]


def head(language: Language, key: str, **values: object) -> str:
    """A title or a sentence above or below a table, with what stands in its braces."""
    return fill(say(Section.TABLES, key, language), values)


def table(
    title: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    least: Sequence[str] = (),
    language: Language = Language.EN,
) -> Table:
    """A plain table in which words stay whole, whoever wrote them; without a title where that is empty.

    Args:
        title: Above it.
        headings: Of all columns.
        rows: With a cell for each heading.
        least: Headings of columns that go where the terminal is too narrow, the least important first; they are named
            below the table.
        language: In which they are named.
    """
    cells = [[printable(str(cell).replace("\r\n", "\n")) for cell in row] for row in rows]
    columns = [[heading, *(row[place] for row in cells)] for place, heading in enumerate(headings)]
    widest = [max(map(_widest, column)) for column in columns]
    narrowest = [max(map(_narrowest, column)) for column in columns]
    kept = list(range(len(headings)))
    gone: list[str] = []
    while len(gone) < len(least) and _across(narrowest[place] for place in kept) > out.width:
        gone.append(least[len(gone)])
        kept.remove(headings.index(gone[-1]))
    made = Table(
        title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold",
        caption=head(language, "no_room", columns=", ".join(gone)) if gone else None, caption_justify="left",
    )  # fmt: skip
    widths = _shared([widest[place] for place in kept], [narrowest[place] for place in kept])
    for place, width in zip(kept, widths, strict=True):
        made.add_column(headings[place], overflow="fold", width=width)
    for row in cells:
        made.add_row(*(Text(row[place]) for place in kept))  # as it is: a device's words are no markup
    return made


def _shared(widest: Sequence[int], narrowest: Sequence[int]) -> Sequence[int | None]:
    """How wide columns are: what is left beyond the longest words goes first to those that lack least."""
    left = out.width - _across(narrowest)
    if _across(widest) <= out.width or left < 0:
        return [None] * len(widest)
    widths = list(narrowest)
    lacking = sorted(range(len(widths)), key=lambda place: widest[place] - narrowest[place])
    for number, place in enumerate(lacking):
        more = min(widest[place] - narrowest[place], left // (len(lacking) - number))
        widths[place] += more
        left -= more
    return widths


def _across(widths: Iterable[int]) -> int:
    found = list(widths)
    return sum(found) + _GAP * (len(found) - 1)


def _widest(cell: str) -> int:
    return max(map(cell_len, cell.split("\n")))


def _narrowest(cell: str) -> int:
    """The longest word; between Chinese characters a line may break."""
    return max((min(cell_len(word), _FEW if not word.isascii() else _WHOLE) for word in cell.split()), default=0)
