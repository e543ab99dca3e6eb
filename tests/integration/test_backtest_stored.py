"""cityward rules backtest over stored history: a changed limit, jobs, and what crews found, before it pages anybody."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cases.case import Finding
from rules.verdicts import Change
from tests.integration.desk import Desk
from tests.integration.making import COVER_EAST, COVER_WEST, LAMP
from tests.integration.prompt import Command

pytestmark = pytest.mark.each_server

NIGHT = datetime(2026, 11, 19, 16, tzinfo=UTC)  # midnight in the city
MINUTE = timedelta(minutes=1)
DAY = ("--from", "2026-11-20", "--to", "2026-11-21")


def told(ended: Any) -> Any:
    assert ended.exit_code == 0, ended.exception
    return json.loads(ended.stdout)


@pytest.fixture
def tilted(desk: Desk) -> Desk:
    """A cover that leans by 12 degrees for an hour, told every ten minutes for half a day."""
    readings = [(NIGHT + 10 * step * MINUTE, 12.0 if 18 <= step < 24 else 1.0) for step in range(72)]
    with desk.connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO reading_manhole (device, ts, received_at, quality, type, tilt, open_state)"
            " SELECT id, %(ts)s, %(ts)s, 0, 0, %(tilt)s, 0 FROM device WHERE device_id = %(id)s",
            [{"id": COVER_EAST, "ts": ts, "tilt": tilt} for ts, tilt in readings],
        )
    return desk


def test_a_lower_limit_shows_the_alarms_that_it_would_have_raised(tilted: Desk, cityward: Command) -> None:
    assert tilted
    asked = ("rules", "backtest", "manhole", *DAY, "--rule", "MH-01")
    as_now = told(cityward(*asked, "--json"))
    assert (as_now["readings"], as_now["alarms"], as_now["only_tried"]) == (72, 0, 0)
    tried = told(cityward(*asked, "--limit", "tilt=10", "--json"))
    assert (tried["alarms"], tried["cases"], tried["only_tried"], tried["only_in_force"]) == (1, 1, 1, 0)
    (example,) = tried["examples"]["only_tried"]
    assert (example["device"], example["rule"], example["values"]["tilt"]) == (COVER_EAST, "MH-01", 12.0)
    assert "only with these: 1" in " ".join(cityward(*asked, "--limit", "tilt=10").output.split())


def test_what_crews_found_is_set_against_what_would_be_raised(tilted: Desk, cityward: Command) -> None:
    """A case about the hour in which it leant, and one of a cover of which nothing is stored."""
    for cover, found in ((COVER_EAST, Finding.FOUND), (COVER_WEST, Finding.FOUND)):
        at = NIGHT + 190 * MINUTE
        tilted.alarm(("MH-01", cover), at=at)
        tilted.take_up(at)
        number = tilted.numbers()[-1]
        tilted.alarm(("MH-01", cover), at=at + 50 * MINUTE, change=Change.CLEARED)
        tilted.moves(at + 60 * MINUTE).cancel(number, "put back", found)
    asked = ("rules", "backtest", "manhole", *DAY, "--rule", "MH-01", "--limit", "tilt=10")
    rule = told(cityward(*asked, "--json"))["rules"]["MH-01"]
    assert (rule["crews_found"], rule["crews_found_nothing"], rule["crews_found_and_missed"]) == (1, 0, 1)
    assert rule["hints"] == ["misses"]
    assert "MH-01: misses what crews found" in cityward(*asked).output


def test_a_cover_that_fell_silent_long_before_the_beginning_is_found(tilted: Desk, cityward: Command) -> None:
    assert tilted
    found = told(cityward("rules", "backtest", "manhole", "--from", "2026-12-01", "--to", "2026-12-02", "--json"))
    assert {rule: (of["alarms"], of["lasting"]) for rule, of in found["rules"].items()} == {"MH-09": (1, 1)}


def test_jobs_ask_the_stored_history_once_a_day(desk: Desk, cityward: Command) -> None:
    """A lamp of a branch road that draws what a dark one draws."""
    desk.connection.execute(
        "INSERT INTO reading_streetlight (device, ts, received_at, quality, type, active_power, dim_level)"
        " SELECT id, %(ts)s, %(ts)s, 0, 0, 1, 100 FROM device WHERE device_id = %(id)s",
        {"id": LAMP, "ts": NIGHT + timedelta(hours=21)},
    )
    desk.connection.execute("UPDATE device SET road_class = 'branch' WHERE device_id = %s", [LAMP])
    found = told(cityward("rules", "backtest", "city", *DAY, "--json"))
    alarms = {rule: of["alarms"] for rule, of in found["rules"].items()}
    assert (alarms, found["passed_over"]) == ({"KP-01": 1, "KP-05": 1}, [])
