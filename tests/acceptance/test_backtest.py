"""cityward rules backtest: a changed limit over stored history, before it pages anybody."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection

from tests.fix_processes import Command, Finished

COVER = "4201020102000001"
NIGHT = datetime(2026, 11, 19, 16, tzinfo=UTC)  # midnight in the city


def told(ended: Finished) -> Any:
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def tilted(connection: Connection) -> None:
    """A cover that leans by 12 degrees for an hour, told every ten minutes for half a day."""
    readings = [(NIGHT + timedelta(minutes=10 * step), 12.0 if 18 <= step < 24 else 1.0) for step in range(72)]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO reading_manhole (device, ts, received_at, quality, type, tilt, open_state)"
            " SELECT id, %(ts)s, %(ts)s, 0, 0, %(tilt)s, 0 FROM device WHERE device_id = %(id)s",
            [{"id": COVER, "ts": ts, "tilt": tilt} for ts, tilt in readings],
        )


def test_a_lower_limit_shows_the_alarms_that_it_would_have_raised(
    connection: Connection, registry: object, command: Command
) -> None:
    del registry
    tilted(connection)
    asked = ("rules", "backtest", "manhole", "--from", "2026-11-20", "--to", "2026-11-21", "--rule", "MH-01")
    as_now = told(command(*asked, "--json"))
    assert (as_now["readings"], as_now["alarms"], as_now["only_tried"]) == (72, 0, 0)
    tried = told(command(*asked, "--limit", "tilt=10", "--json"))
    assert (tried["alarms"], tried["cases"], tried["only_tried"], tried["only_in_force"]) == (1, 1, 1, 0)
    (example,) = tried["examples"]["only_tried"]
    assert (example["device"], example["rule"], example["values"]["tilt"]) == (COVER, "MH-01", 12.0)
    shown = command(*asked, "--limit", "tilt=10").out
    assert "only with these: 1" in shown


def test_what_cannot_be_asked_is_said_with_what_can(connection: Connection, registry: object, command: Command) -> None:
    del connection, registry
    days = ("--from", "2026-11-20", "--to", "2026-11-21")
    for arguments, words in [
        (("manhole", *days, "--limit", "tlt=10"), "no kind has a limit called tlt"),
        (("manhole", *days, "--limit", "tilt=low"), "'tilt=low' is not NAME=NUMBER"),
        (("manhole", *days, "--rule", "FU-01"), "no FU-01 among"),
        (("manholes", *days), "neither a folder of packs nor one of"),
        (("manhole", "--from", "2026-11-21", "--to", "2026-11-20"), "must be later than --from"),
        (("manhole", *days, "--device", "nobody"), "no device nobody"),
    ]:
        refused = command("rules", "backtest", *arguments)
        assert refused.code == 1
        assert words in " ".join(refused.err.split())
