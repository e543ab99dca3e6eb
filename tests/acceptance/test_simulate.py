"""The pretend city at a prompt: what comes along, a past with its truth, a week at once, and what is refused."""

import json
import re
from pathlib import Path

import pytest
from psycopg import Connection

from devices.broker import Broker
from tests.fix_city import plain_client
from tests.fix_processes import Starter
from tests.waiting import eventually

WEEK = ("--scenario", "cloudburst", "--devices", "300", "--start", "2026-11-16 15:00")


@pytest.fixture
def prepared(start_without_broker: Starter, tmp_path: Path) -> Starter:
    """A database in which the devices of a pretend city of 300 are registered."""
    city = tmp_path / "city"
    for arguments in (
        ("migrate",),
        ("simulate", "--devices", "300", "--write", str(city)),
        ("city", "import", str(city / "city.toml")),
        ("devices", "import", str(city / "devices.csv")),
    ):
        done = start_without_broker(*arguments)
        assert done.ended() == 0, done.log()
    return start_without_broker


def test_a_past_is_written_with_the_truth_about_it(connection: Connection, prepared: Starter, tmp_path: Path) -> None:
    labels = tmp_path / "truth.json"
    done = prepared("simulate", *WEEK, "--days", "0.1", "--into-database", "--json", "--labels", str(labels))
    assert done.ended() == 0, done.log()
    told = json.loads(done.log().splitlines()[-1])
    (rows,) = connection.execute("SELECT count(*) FROM reading_noise").fetchone() or (0,)
    assert told["stored"] > rows > 1000
    truth = json.loads(labels.read_bytes())
    assert {"high_water", "truck_shocks"} <= {each["kind"] for each in truth["labels"]}
    assert all(each["start"] < each["end"] for each in truth["labels"])


def test_hours_pass_in_a_moment_and_every_device_has_a_connection_of_its_own(broker: Broker, start: Starter) -> None:
    with plain_client(broker, listen="city/#") as collector:
        ran = start("simulate", *WEEK, "--days", "0.01", "--speed", "max", "--gateways", "each", "--json")
        assert ran.ended() == 0, ran.log()
        published = json.loads(ran.log().splitlines()[-1])["published"]
        assert published > 500
        eventually(lambda: len(collector.heard) == published, "all of it arrives")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--scenario", "flod"), r"no scenario 'flod'; there are blackout, cloudburst"),
        (("--speed", "10"), r"--speed: .* give a --start in the past"),
        (("--speed", "fast", "--start", "2026-01-01"), r"--speed: 'fast' is neither max nor a number"),
        (("--gateways", "0"), r"--gateways: '0' is neither each nor a number"),
        (("--start", "2199-01-01"), r"--start: 2199-01-01 00:00 has yet to come"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    start_without_broker: Starter, arguments: tuple[str, ...], said: str
) -> None:
    refused = start_without_broker("simulate", "--devices", "100", *arguments)
    assert refused.ended() == 1
    assert re.search(said, " ".join(refused.log().split()))
    assert "Traceback" not in refused.log()


def test_the_scenarios_that_come_along_are_listed(start_without_broker: Starter) -> None:
    listed = start_without_broker("simulate", "--list")
    assert listed.ended() == 0
    assert "cloudburst" in listed.log()
    assert "quiet_week" in listed.log()
