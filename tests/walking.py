"""Somebody who reads a page and types what stands in it, and compares what comes with what is shown there."""

import difflib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Self

import pytest

from rules.packs import TESTS
from storage.connection import connect
from tests.documents import COMMENT, ROOT, blocks
from tests.prompting import prompt
from tests.waiting import PATIENCE, eventually

COLUMNS = 130  # of the window that the pages speak of
TRIES = 5.0  # what is asked for a hundred times has had its time: each takes one
_PROCESSES = 3  # that judge or explain by rules: collector, dispatcher, console
NUMBER = re.compile(r"\b\d{19}\b")  # of a case
# What differs each time; a page shows what it was when it was written.
_PASSING = [
    (r"\d{4}-\d\d-\d\d", "DATE"),
    (r"\b\d\d-\d\d (?=\d\d:\d\d)", "DATE "),
    (r"\d\d:\d\d(:\d\d)?(\.\d+)?", "TIME"),
    (r"/enter/\S+", "/enter/WORD"),
    (r":\d{4,5}\b", ":PORT"),
    (r"\b\d{13}\b", "MILLISECONDS"),
    (r"\b[0-9a-f]{12}\b", "VERSION"),
    (NUMBER.pattern, "NUMBER"),
    (r"\b\d+d (?=TIME)", ""),
    (r"-?\d+(\.\d+)? (s|min|h|d)\b", "SPAN"),
    (r"[\d,]+ a second", "SPEED"),
    (r"(?m)[ \t]+$", ""),
    (r" {2,}", "  "),  # columns are as wide as what stands in them
]
# Processes, what needs a broker of the page's own, measurements of minutes, and the rules' own tests: tried elsewhere.
_ELSEWHERE = {
    "bench",
    "collect",
    "console",
    "demo",
    "dispatch",
    "evaluate",
    "grafana",
    "partitions",
    "rules test",
    "simulate",
    "up",
}
_SET_UP = ("make setup", ". .venv/bin/activate")  # the tests run in what these make


def lasting(text: str) -> str:
    """What is the same whenever it is typed."""
    for pattern, word in _PASSING:
        text = re.sub(pattern, word, text)
    return text


def split(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Commands of a block, each with the lines that are shown below it."""
    command, shown = "", list[str]()
    for line in lines:
        if line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = line[2:], []
        else:
            shown.append(line)
    if command:
        yield command, shown


def same(shown: list[str], came: str) -> bool:
    """Whether it is what is shown, line by line; ``…`` stands for any lines."""
    parts = [re.escape(lasting(line)) + "\n" if line != "…" else r"(?:.*\n)*?" for line in shown]
    return re.fullmatch("".join(parts), lasting(came.rstrip("\n")) + "\n" if came else "") is not None


class Walker:
    """Types along, with a home of his own.

    Args:
        home: An empty folder.
        environment: Settings that keep him away from servers that are somebody else's.
        broker_port: Where his broker is; pages have the usual one.
        begins: The folder in which he begins a page.
    """

    def __init__(
        self, home: Path, environment: Mapping[str, str], broker_port: int = 0, *, begins: Path = ROOT
    ) -> None:
        self._folder, self._begins, self._home, self._broker_port = begins, begins, home, broker_port
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._environment = {"HOME": str(home), "COLUMNS": str(COLUMNS), "PATH": programs, **environment}
        self._up: subprocess.Popen[bytes] | None = None
        self._log = home / "up.log"
        self._numbers: dict[str, str] = {}
        self.said: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def has_clock_at(self, at: datetime) -> None:
        """One that hardly moves."""
        for name, value in (("FACTOR", "0.000000001"), ("START", at.isoformat()), ("ANCHOR", "2026-01-01T00:00:00Z")):
            self._environment[f"CITYWARD_CLOCK__{name}"] = value

    def reads(self, page: Path) -> None:
        """From top to bottom."""
        self._folder = self._begins
        for begins, language, lines in blocks(page):
            where = f"{page.relative_to(ROOT)}:{begins}"
            named = re.fullmatch(r"# ([\w./-]+\.\w+)", lines[0])
            if language == "console":
                for command, shown in split(lines):
                    self._types(command, shown, where)
            elif not language:
                for line in lines:
                    self._does(COMMENT.sub("", line), where)
            elif named:
                self._saves(self._folder / named[1], "\n".join(lines[1:]) + "\n", where)

    def _saves(self, path: Path, text: str, where: str) -> None:
        """A rule that is saved while a city is up is judged by once its processes have said so; he waits for that."""
        said = self._reloads()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if self._up is not None and path.parent.name == "packs" and not path.name.endswith(TESTS):
            eventually(lambda: self._reloads() >= said + _PROCESSES, f"{where}: reloading")

    def _reloads(self) -> int:
        return self._log.read_text(encoding="utf-8").count("reloading") if self._up is not None else 0

    def _does(self, command: str, where: str) -> None:
        """What is said without what comes of it: it works. Some is tried elsewhere."""
        words = command.split()
        if words[:2] == ["psql", "-c"]:
            with connect(self._environment["CITYWARD_DATABASE_URL"]) as connection:
                connection.execute(shlex.split(command)[2].encode())
        elif words[:1] == ["rm"] or (
            words[:1] == ["cityward"] and _ELSEWHERE.isdisjoint((words[1], " ".join(words[1:3])))
        ):
            code, came = self._ran(self._here(command))
            assert code == 0, f"{where}: {command}\n{came}"

    def _here(self, command: str) -> str:
        """With the numbers of this time, and no folder of the machine's."""
        for number, actual in self._numbers.items():
            command = command.replace(number, actual)
        return command.replace(" /etc/", f" {self._home}/etc/")

    def _types(self, command: str, shown: list[str], where: str) -> None:
        if command in _SET_UP:
            return
        if command.startswith("cd "):
            self._folder = self._folder / os.path.expandvars(command[3:].replace("~", str(self._home)))
        elif command.startswith("cityward up"):
            self._starts(command, shown)
        elif command.startswith("curl "):
            pass  # the tests of the API ask it
        elif command.startswith("mosquitto_pub") and not shutil.which("mosquitto_pub"):
            self._ran(re.sub(r'.* -t (\S+) .*"(\w+)": ([\d.]+)}.*', r"python send.py \1 \2=\3", command))
        else:
            self._waits(self._here(command), shown, where)

    def _waits(self, command: str, shown: list[str], where: str) -> None:
        try:
            eventually(partial(self._agrees, command, shown), where, TRIES)
        except AssertionError:
            pytest.fail(f"{where}: {self._differs(shown)}")

    def _agrees(self, command: str, shown: list[str]) -> bool:
        """Run it; what is being worked on may take a moment to be shown, and what changes something is done once."""
        _, came = self._ran(command)
        self.said.append((command, came))
        if same(shown, came):
            self._numbers |= dict(zip(NUMBER.findall("\n".join(shown)), NUMBER.findall(came), strict=False))
            return True
        if not re.search(r"\b(list|show|status|unregistered|explain|sort)\b", command):
            pytest.fail(self._differs(shown))
        return False

    def _ran(self, command: str) -> tuple[int, str]:
        """How it ended and what it said."""
        if re.fullmatch(r"cityward [^$|>&]+", command):
            ended_as = prompt(shlex.split(command)[1:], self._folder, self._environment, one_screen=True)
            return ended_as.code, ended_as.out
        ended = subprocess.run(
            ["bash", "-c", command.replace("mosquitto_pub ", f"mosquitto_pub -p {self._broker_port} ")],
            cwd=self._folder, env={**os.environ, **self._environment}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
        return ended.returncode, ended.stdout

    def _differs(self, shown: list[str]) -> str:
        command, came = self.said[-1]
        both = (lasting("\n".join(shown)).splitlines(), lasting(came).splitlines())
        lines = difflib.unified_diff(*both, "as shown", "as it came", lineterm="")
        return "\n".join([command, *lines])

    def _starts(self, command: str, shown: list[str]) -> None:
        self._end()
        with self._log.open("w", encoding="utf-8") as log:
            self._up = subprocess.Popen(
                [sys.executable, "-m", *command.split()], cwd=self._folder, env={**os.environ, **self._environment},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        running = self._up

        def has(line: str) -> bool:
            assert running.poll() is None, self._log.read_text(encoding="utf-8")
            return lasting(line) in lasting(self._log.read_text(encoding="utf-8"))

        for line in shown:
            eventually(partial(has, line), f"{line!r} of {command}")

    def _end(self) -> None:
        """As Ctrl-C does."""
        if self._up is not None:
            self._up.send_signal(signal.SIGINT)
            assert self._up.wait(PATIENCE) == 0, self._log.read_text(encoding="utf-8")
            self._up = None
