"""Commands at a prompt, at the time that the test says."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

Command = Callable[..., Any]  # typer's Result, which it does not export
START = datetime.fromisoformat("2026-11-20T17:30:00+08:00")


class Now:
    """The time that commands think it is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.at = START
        self.set(START)

    def set(self, at: datetime) -> None:
        self.at = at
        # A clock that hardly moves.
        for name, value in (("FACTOR", "0.000000001"), ("START", at.isoformat()), ("ANCHOR", "2026-01-01T00:00:00Z")):
            self._monkeypatch.setenv(f"CITYWARD_CLOCK__{name}", value)
