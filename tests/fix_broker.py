"""Real brokers: Mosquitto where it is installed, and the embedded one. A test that takes ``broker`` runs on both."""

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
CONFIGURATION = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 1
max_queued_messages 0
max_inflight_messages 1000
"""


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A broker of one's own on a free port."""
    port = embedded.free_port(0)
    if request.param == "embedded":
        with embedded.broker(port) as started:
            yield started
        return
    assert MOSQUITTO, "Mosquitto is required here (CITYWARD_REQUIRE_SERVICES) and not installed"
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    folder.chmod(0o777)  # started by root it changes to a user of its own
    configuration = folder / "mosquitto.conf"
    configuration.write_text(CONFIGURATION.format(port=port, folder=folder), encoding="utf-8")
    with (folder / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen([MOSQUITTO, "-c", str(configuration)], stdout=log, stderr=log)
    try:
        eventually(lambda: _answers(port) or process.poll() is not None, "Mosquitto listens")
        assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")
        yield Broker("127.0.0.1", port)
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
