"""Cityward's own processes, started as an operator starts them; what they are doing is read from their logs."""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

ENDING = 15.0  # seconds that a process may take to stop in order
# What the log's events say about a process: at its work, or waiting for something.
_STATES = {"collecting": "working", "dispatching": "working", "taken": "second", "waiting": "waiting"}


class Line(msgspec.Struct, frozen=True):
    """A line of a log."""

    event: str
    timestamp: datetime


class Program:
    """``cityward <arguments>`` as a process of its own, again and again.

    Args:
        arguments: The command.
        log: Where its log goes, as JSON lines; each start begins a new file.
        environment: Settings; those of our own environment do not count.

    Attributes:
        state: ``starting``, ``working``, ``second`` (another one works), ``waiting`` (for a server) or
            ``ended`` by us.
        since: When it came into that state, as its log says.
        environment: What it runs in.
    """

    def __init__(self, arguments: list[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name = log.stem
        self.state = "starting"
        self.since: datetime | None = None
        self._arguments = arguments
        self._log = log
        self._starts = 0
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("CITYWARD_")}
        self.environment |= {**environment, "CITYWARD_LOG_FORMAT": "json"}
        self._process: subprocess.Popen[bytes] | None = None
        self._read = 0

    @property
    def pid(self) -> int:
        """The process id."""
        return self._running().pid

    @property
    def log(self) -> Path:
        """The log of the latest start."""
        return self._log.with_suffix(f".{self._starts}.log")

    def start(self) -> None:
        """Start it; it is then ``starting``."""
        self._starts += 1
        self.state, self.since, self._read = "starting", None, 0
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
                [sys.executable, "-m", "cityward", *self._arguments, "--until-stdin-closes"],
                env=self.environment,
                cwd=self._log.parent,  # no cityward.toml there
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is ours: we end it in order
            )

    def look(self) -> str:
        """Read on in the log; the state."""
        if self._process is None:
            return self.state
        with self.log.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self._take(line)
        return self.state

    def died(self) -> int | None:
        """The exit code, if it has ended without being asked to."""
        return self._process.poll() if self._process is not None else None

    def kill(self) -> None:
        """SIGKILL."""
        self._running().kill()
        self._end()

    def ask_to_stop(self) -> None:
        """SIGTERM, if it runs."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """End it in order, if it runs."""
        if self._process is None:
            return
        self.ask_to_stop()
        try:
            self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._end()

    def _take(self, line: bytes) -> None:
        try:
            said = msgspec.json.decode(line, type=Line)
        except msgspec.DecodeError:
            return  # a library's own words
        if said.event in _STATES:
            self.state, self.since = _STATES[said.event], said.timestamp

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError(f"{self.name} does not run")
        return self._process

    def _end(self) -> None:
        process = self._running()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
        self._process, self.state = None, "ended"
        self.state = "ended"
