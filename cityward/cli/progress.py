"""How far long work is, on standard error: bars on a terminal, a few plain lines in a log, a pipe or cron's mail."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cityward.cli.context import err

# What is being done, which share of it is done (None: it has no end), and what else there is to say.
Say: TypeAlias = Callable[[str, float | None, str], None]

_APART = 10.0  # seconds at least before the first line and between two: shorter work says nothing
_STEPS = 10  # lines for each work at most
_MINUTE, _HOUR = 60, 3600


@dataclass(slots=True)
class _Work:
    """``told`` is the last step that had a line."""

    began: float
    told: int = 0


class Lines:
    """Plain lines, one for each tenth of the way at most, and never two within ten seconds.

    Args:
        show: Prints a line.
        clock: Seconds that only grow.
    """

    def __init__(self, show: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._show = show
        self._clock = clock
        self._last = clock()
        self._works: dict[str, _Work] = {}

    def say(self, what: str, share: float | None, detail: str) -> None:
        """Told as often as one likes."""
        now = self._clock()
        work = self._works.setdefault(what, _Work(now))
        if share is None or int(share * _STEPS) <= work.told or now - self._last < _APART:
            return
        work.told, self._last = int(share * _STEPS), now
        left = (now - work.began) * (1 - share) / share
        said = [f"{share:.0%}", detail, f"about {_length(left)} left" if left else ""]
        self._show(f"{what}: {', '.join(filter(None, said))}")


@contextmanager
def progress(console: Console = err, clock: Callable[[], float] = time.monotonic) -> Iterator[Say]:
    """Somebody to tell how far each work is, for as long as the context lasts."""
    if not console.file.isatty() or console.is_dumb_terminal:
        yield Lines(lambda line: console.print(line, markup=False, soft_wrap=True), clock).say
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    # What is printed meanwhile stands above the bars, but what goes into a file or a pipe goes there.
    with Progress(*columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty()) as shown:
        tasks: dict[str, TaskID] = {}

        def say(what: str, share: float | None, detail: str) -> None:
            total = None if share is None else 1.0
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=total, detail=detail)
            shown.update(tasks[what], total=total, completed=share or 0.0, detail=detail)

        yield say


def _length(seconds: float) -> str:
    """As exact as an estimate deserves."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < 2 * _HOUR else f"{seconds / _HOUR:.0f} h"
