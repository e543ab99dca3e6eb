"""Commands as at a prompt, without processes of their own, which would take them ten times as long."""

import io
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from cityward import cli
from cityward.cli import context


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command that has ended left behind."""

    code: int
    out: str
    err: str


def prompt(words: Sequence[str], folder: Path, settings: Mapping[str, str], *, one_screen: bool = False) -> Finished:
    """Run ``cityward <words>`` to its end, in a folder, with these in the environment.

    Args:
        words: The command and its arguments.
        folder: Where it is typed.
        settings: ``COLUMNS`` among them says how wide the window is.
        one_screen: Whether errors come among the rest, in order, as a person sees them.
    """
    out = _screen()
    err = out if one_screen else _screen()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name, value in settings.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["cityward", *words])
        for console in (context.out, context.err):
            patch.setattr(console, "_width", int(settings["COLUMNS"]))
        code = _code()
    return Finished(code, _shown(out), "" if one_screen else _shown(err))


def _screen() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _shown(screen: io.TextIOWrapper) -> str:
    screen.seek(0)
    return screen.read()


def _code() -> int:
    try:
        cli.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0
