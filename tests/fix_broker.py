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
from tests.waiting import eventually

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
BROKERS = ["embedded", "mosquitto"] if MOSQUITTO or os.environ.get("CITYWARD_REQUIRE_SERVICES") else ["embedded"]

# What the collector needs of a Mosquitto: sessions that outlive it, and queues without a bound that loses.
# Started by root it would change to a user who may not write where tests write.
CONFIGURATION = """\
user {user}
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 1
max_queued_messages 0
max_inflight_messages 1000
"""


class Mosquitto:
    """A Mosquitto on a port of its own, which it keeps when it is stopped and started again, like its sessions."""

    def __init__(self, folder: Path) -> None:
        assert MOSQUITTO, "Mosquitto is required here (CITYWARD_REQUIRE_SERVICES) and not installed"
        self.broker = Broker("127.0.0.1", embedded.free_port(0))
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        text = CONFIGURATION.format(user=getpass.getuser(), port=self.broker.port, folder=folder)
        (folder / "mosquitto.conf").write_text(text, encoding="utf-8")

    def start(self) -> None:
        """Return when it listens."""
        with (self._folder / "log").open("a", encoding="utf-8") as log:
            command = [str(MOSQUITTO), "-c", str(self._folder / "mosquitto.conf")]
            process = self._process = subprocess.Popen(command, stdout=log, stderr=log)
        eventually(lambda: _answers(self.broker.port) or process.poll() is not None, "Mosquitto listens")
        assert process.poll() is None, (self._folder / "log").read_text(encoding="utf-8")

    def stop(self) -> None:
        """End it as an operator would, if it runs: it saves its sessions."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """One that is not started yet."""
    if "mosquitto" not in BROKERS:
        pytest.skip("Mosquitto is not installed")
    made = Mosquitto(tmp_path / "mosquitto")
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
