"""Real brokers: Mosquitto where it is installed, and the embedded one. A test that takes ``broker`` runs on both."""

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cityward import embedded
from devices.broker import Broker
from tests.needing import REQUIRED, missing
from tests.waiting import eventually

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
BROKERS = ["embedded", "mosquitto"] if MOSQUITTO or REQUIRED else ["embedded"]
one_broker = pytest.mark.parametrize("broker", ["embedded"], indirect=True)  # where they cannot differ

# What the collector needs of a Mosquitto: sessions that outlive it, and queues without a bound that loses.
CONFIGURATION = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 1
max_queued_messages 0
max_inflight_messages 1000
"""


@pytest.fixture(scope="session")
def mosquitto_installed() -> str:
    """The program; who takes this goes no further without it."""
    if MOSQUITTO is None or shutil.which("mosquitto_sub") is None:
        missing("Mosquitto", "install Debian's mosquitto and mosquitto-clients")
    return MOSQUITTO


def run_mosquitto(program: str, folder: Path, configuration: str, port: int) -> subprocess.Popen[bytes]:
    """One with this configuration, whose log is added to ``folder / "log"``; return when it listens."""
    # Started by root it would change to a user who may not read or write where tests do.
    (folder / "mosquitto.conf").write_text(f"user {getpass.getuser()}\n{configuration}\n", encoding="utf-8")
    with (folder / "log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen([program, "-c", str(folder / "mosquitto.conf")], stdout=log, stderr=log)
    eventually(lambda: _answers(port) or process.poll() is not None, "Mosquitto listens")
    assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")
    return process


class Mosquitto:
    """A Mosquitto on a port of its own, which it keeps when it is stopped and started again, like its sessions."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self.broker = Broker("127.0.0.1", embedded.free_port(0))
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    def start(self) -> None:
        """Return when it listens."""
        configuration = CONFIGURATION.format(port=self.broker.port, folder=self._folder)
        self._process = run_mosquitto(self._program, self._folder, configuration, self.broker.port)

    def stop(self) -> None:
        """End it as an operator would, if it runs: it saves its sessions."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


@pytest.fixture
def mosquitto(tmp_path: Path, mosquitto_installed: str) -> Iterator[Mosquitto]:
    """One that is not started yet."""
    made = Mosquitto(mosquitto_installed, tmp_path / "mosquitto")
    yield made
    made.stop()


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """A broker of one's own on a free port."""
    if request.param == "embedded":
        with embedded.broker(embedded.free_port(0)) as started:
            yield started
        return
    made: Mosquitto = request.getfixturevalue("mosquitto")
    made.start()
    yield made.broker


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
