"""A Mosquitto with a configuration of its own, for what the shared one must not do."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cityward import embedded
from devices.broker import Broker
from tests.fix_broker import run_mosquitto


class OwnMosquitto:
    """A Mosquitto with a configuration of one's own."""

    def __init__(self, program: str, folder: Path, configuration: str) -> None:
        self.broker = Broker("127.0.0.1", embedded.free_port(0))
        configuration = f"listener {self.broker.port} 127.0.0.1\n{configuration}"
        self._process = run_mosquitto(program, folder, configuration, self.broker.port)

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


StartMosquitto = Callable[[str], OwnMosquitto]


@pytest.fixture
def own_mosquitto(tmp_path: Path, mosquitto_installed: str) -> Iterator[StartMosquitto]:
    """Start Mosquittos with these lines of configuration."""
    started: list[OwnMosquitto] = []

    def start(configuration: str) -> OwnMosquitto:
        folder = tmp_path / f"mosquitto-{len(started)}"
        folder.mkdir()
        started.append(OwnMosquitto(mosquitto_installed, folder, configuration))
        return started[-1]

    yield start
    for each in started:
        each.end()
