"""The README's first command, whole: what it counts adds up, and it leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cityward import embedded
from devices.kind import Kind
from tests.waiting import PATIENCE, eventually

OURS = ("collect", "dispatch", "simulate", "postgres")
MARK = "DEMO_OF_THE_TEST"
Start = Callable[..., "Demo"]


class Demo:
    """A running ``cityward demo`` with a folder of its own for its temporary files."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        folder.mkdir()
        self.folder = folder
        # Whatever it starts, and whatever that starts, inherits this.
        self._mark = uuid.uuid4().hex
        with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cityward", "demo", *arguments],
                env={**os.environ, "TMPDIR": str(folder), MARK: self._mark},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def out(self) -> str:
        return (self.folder / "out").read_text(encoding="utf-8")

    def err(self) -> str:
        return (self.folder / "err").read_text(encoding="utf-8")

    def processes(self) -> list[str]:
        """The command lines of all processes of this demonstration that live."""
        every = (process.info for process in psutil.process_iter(["environ", "cmdline"]))
        return [
            " ".join(one["cmdline"] or ()) for one in every if one["environ"] and one["environ"].get(MARK) == self._mark
        ]

    def works(self) -> bool:
        """Whether all that belongs to it runs."""
        assert self.process.poll() is None, self.err()
        return bool(self._folders()) and all(any(word in line for line in self.processes()) for word in OURS)

    def left(self) -> list[str]:
        """Processes and folders that it should have taken with it."""
        return self.processes() + self._folders()

    def _folders(self) -> list[str]:
        return [path.name for path in self.folder.glob("cityward-*")]


@pytest.fixture
def demo(open_folder: Path) -> Iterator[Start]:
    started: list[Demo] = []

    def start(*arguments: str) -> Demo:
        started.append(Demo(open_folder / f"demo-{uuid.uuid4().hex[:8]}", *arguments))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.terminate()
            each.process.wait(PATIENCE)


def test_half_a_minute_of_a_city_adds_up_and_every_kind_has_its_alarms_and_cases(
    demo: Start, kinds: dict[str, Kind]
) -> None:
    running = demo("--seconds", "25", "--json", "--port", str(embedded.free_port(0)))
    eventually(running.works, "all of it runs")
    assert running.process.wait(PATIENCE + 60) == 0, running.err()
    assert running.left() == []

    totals = json.loads(running.out().splitlines()[-1])
    assert totals["published"] == totals["received"] > 1000
    assert totals["received"] == totals["stored"] + totals["duplicate"] + totals["quarantined"]
    assert totals["duplicate"] > 0
    assert totals["quarantined"] > 0
    assert totals["by_kind"].keys() >= kinds.keys()
    for kind in kinds:
        counts = totals["by_kind"][kind]
        assert counts.keys() == {"readings", "alarms", "cases"}
        assert min(counts.values()) >= 1, kind
    assert totals["stored"] == sum(counts["readings"] for counts in totals["by_kind"].values())
    for what in ("alarms", "cases"):
        assert totals[what] == sum(counts[what] for counts in totals["by_kind"].values())
    assert totals["notifications"] >= totals["cases"]
    assert "Traceback" not in running.err()


def test_a_taken_port_is_said_and_ctrl_c_ends_everything(demo: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        running = demo("--json", "--port", str(port))
        eventually(running.works, "all of it runs")
        assert f"port {port} is taken: the broker listens on 127.0.0.1:" in running.err()
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(PATIENCE) == 0, running.err()
    assert running.left() == []
    totals = json.loads(running.out().splitlines()[-1])
    assert totals["published"] == totals["received"]
    assert "Traceback" not in running.err()
