"""Cityward's processes as an operator starts them: real ones, ended by signals."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devices.broker import Broker
from tests.prompting import Finished, prompt
from tests.waiting import PATIENCE, eventually

Starter = Callable[..., "Process"]


class Process:
    """A running process and what it has logged."""

    def __init__(self, arguments: list[str], environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("w", encoding="utf-8") as file:
            self._process = subprocess.Popen(
                arguments, env={**os.environ, **environment}, stdin=subprocess.PIPE, stdout=file, stderr=file
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def says(self, words: str, times: int = 1) -> None:
        """Wait until the log has these words, so many times."""
        said = f"{words!r} in {self._log.name}"
        try:
            eventually(lambda: self.log().count(words) >= times or self._process.poll() is not None, said)
        finally:
            assert self.log().count(words) >= times, f"{said}: code {self._process.poll()}, log:\n{self.log()}"

    def kill(self, by: signal.Signals = signal.SIGKILL) -> None:
        self._process.send_signal(by)
        self.ended()

    def terminate(self) -> None:
        """SIGTERM, if it still runs."""
        if self._process.poll() is None:
            self._process.terminate()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.terminate()
        return self.ended()

    def ended(self) -> int:
        """Wait for the end; the exit code, negative for a signal."""
        code = self._process.wait(PATIENCE)
        if self._process.stdin:
            self._process.stdin.close()
        return code


@pytest.fixture
def start_without_broker(dsn: str, tmp_path: Path) -> Iterator[Starter]:
    """Start ``cityward <arguments>``, or another module, against this test's database."""
    environment = {"CITYWARD_DATABASE_URL": dsn, "CITYWARD_WATCHDOG_S": "0.5"}
    started: list[Process] = []

    def run(*arguments: str, module: str = "cityward", **settings: str) -> Process:
        log = tmp_path / f"{len(started)}-{arguments[0] if arguments else module}.log"
        process = Process([sys.executable, "-m", module, *arguments], {**environment, **settings}, log)
        started.append(process)
        return process

    yield run
    for process in started:
        process.terminate()
    for process in started:
        process.ended()


@pytest.fixture
def start(start_without_broker: Starter, broker: Broker) -> Starter:
    """Start ``cityward <arguments>``, or another module, against this test's broker and database."""

    def run(*arguments: str, **settings: str) -> Process:
        return start_without_broker(*arguments, **{"CITYWARD_BROKER_URL": broker.url, **settings})

    return run


Command = Callable[..., Finished]


@pytest.fixture
def command(dsn: str, tmp_path: Path) -> Command:
    """Run ``cityward <arguments>`` against this test's database to its end, in a folder without settings."""

    def run(*arguments: str, **settings: str) -> Finished:
        return prompt(arguments, tmp_path, {"CITYWARD_DATABASE_URL": dsn, "COLUMNS": "200", **settings})

    return run


@pytest.fixture
def own_process(dsn: str, tmp_path: Path) -> Command:
    """The same in a process of its own."""

    def run(*arguments: str, **settings: str) -> Finished:
        ended = subprocess.run(
            [sys.executable, "-m", "cityward", *arguments],
            env={**os.environ, "CITYWARD_DATABASE_URL": dsn, "COLUMNS": "200", **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            cwd=tmp_path,
            text=True,
            timeout=PATIENCE,
        )
        return Finished(ended.returncode, ended.stdout, ended.stderr)

    return run
