"""``cityward bench ingest`` on a few thousand messages: what it reports is complete, and nothing is lost on the way."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.usefixtures("mosquitto_installed")
MESSAGES, ROUNDS = 2000, 2
BOUND = 300.0  # seconds, far more than it takes


@pytest.mark.parametrize("queued", [[], ["--queued"]], ids=["while it is there", "before it comes"])
def test_every_message_of_the_measurement_is_committed_and_every_process_is_accounted_for(queued: list[str]) -> None:
    size = ("--messages", str(MESSAGES), "--rounds", str(ROUNDS), "--devices", "100")
    command = [sys.executable, "-m", "cityward", "bench", "ingest", *size, *queued, "--qos", "1", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=BOUND, check=False)
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout.splitlines()[-1])
    whole = MESSAGES * ROUNDS
    assert report["ledger"] == {"received": whole, "stored": whole, "duplicate": 0, "quarantined": 0}
    assert min(report["ratio"], report["messages_per_second"], report["bare_messages_per_second"]) > 0
    assert set(report["cpu_us_per_message"]["bare"]) == {"broker", "subscriber", "publisher"}
    assert set(report["cpu_us_per_message"]["collector"]) == {"broker", "database", "collector", "publisher"}
    assert report["queued"] is bool(queued)


def test_a_broker_queues_nothing_of_qos_0_and_the_command_says_so() -> None:
    command = [sys.executable, "-m", "cityward", "bench", "ingest", "--queued", "--qos", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=BOUND, check=False)
    assert ended.returncode != 0
    assert "a broker queues nothing that is published with QoS 0" in ended.stderr
