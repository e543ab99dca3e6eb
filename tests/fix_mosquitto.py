"""A Mosquitto with a configuration of its own, for what the shared one must not do."""

import getpass
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cityward import embedded
from devices.broker import Broker
from tests.fix_broker import BROKERS, MOSQUITTO
from tests.waiting import eventually


class OwnMosquitto:
    """A Mosquitto with a configuration of one's own."""

    def __init__(self, folder: Path, configuration: str) -> None:
        self.broker = Broker("127.0.0.1", embedded.free_port(0))
        (folder / "mosquitto.conf").write_text(
            # Started by root it would change to a user who may not read what a test has written.
            f"user {getpass.getuser()}\nlistener {self.broker.port} 127.0.0.1\n{configuration}\n"
        )
        with (folder / "mosquitto.log").open("w") as log:
            self._process = subprocess.Popen(
                [MOSQUITTO or "mosquitto", "-c", str(folder / "mosquitto.conf")], stdout=log, stderr=log
            )
        eventually(lambda: self._answers() or self._process.poll() is not None, "Mosquitto listens")
        assert self._process.poll() is None, (folder / "mosquitto.log").read_text()

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.broker.host, self.broker.port)) == 0

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


StartMosquitto = Callable[[str], OwnMosquitto]


@pytest.fixture
def own_mosquitto(tmp_path: Path) -> Iterator[StartMosquitto]:
    """Start Mosquittos with these lines of configuration."""
    if "mosquitto" not in BROKERS:
        pytest.skip("Mosquitto is not installed")
    started: list[OwnMosquitto] = []

    def start(configuration: str) -> OwnMosquitto:
        folder = tmp_path / f"mosquitto-{len(started)}"
        folder.mkdir()
        started.append(OwnMosquitto(folder, configuration))
        return started[-1]

    yield start
    for each in started:
        each.end()
