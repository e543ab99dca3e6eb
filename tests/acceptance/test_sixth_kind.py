"""A kind that nobody has heard of, added as one folder: stored, judged, dispatched and simulated."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from psycopg import Connection

from devices.broker import Broker
from storage.overview import overview
from tests.fix_broker import one_broker
from tests.fix_city import payload, plain_client
from tests.fix_processes import Command, Starter
from tests.waiting import eventually

pytestmark = one_broker

KINDS = {"CITYWARD_KINDS_DIRS": json.dumps([str(Path(__file__).parents[1] / "kinds")])}


def test_a_kind_is_one_folder(
    connection: Connection, broker: Broker, start: Starter, command: Command, tmp_path: Path
) -> None:
    city = tmp_path / "city"
    for arguments in (
        ("migrate",),
        ("simulate", "--devices", "100", "--write", str(city)),
        ("city", "import", str(city / "city.toml")),
        ("devices", "import", str(city / "devices.csv")),
    ):
        done = command(*arguments, **KINDS)
        assert done.code == 0, done.err
    start("collect", **KINDS).says("collecting")
    start("dispatch", **KINDS).says("dispatching")
    # An hour ago, a minute every second: the thirty pretend detectors report once a second each.
    now = datetime.now(UTC)  # noqa: TID251 - the processes under test have the wall's clock
    clock = {
        "CITYWARD_CLOCK__ANCHOR": now.isoformat(),
        "CITYWARD_CLOCK__START": (now - timedelta(hours=1)).isoformat(),
        "CITYWARD_CLOCK__FACTOR": "60",
    }
    simulated = start("simulate", "--devices", "100", "--scenario", "quiet_week", "--seconds", "3", **KINDS, **clock)
    assert simulated.ended() == 0
    eventually(lambda: _count(connection, "reading_gas") > 0, "pretend detectors are stored")

    (device,) = connection.execute(
        "SELECT 'city/' || district || '/gas/' || device_id || '/up' FROM device WHERE kind = 'gas' LIMIT 1"
    ).fetchone() or ("",)
    with plain_client(broker) as detector:
        detector.publish(device, payload(now, ch4=35, valve="open"))
    eventually(lambda: _count(connection, "dispatch_case WHERE problem = 'gas_leak'") == 1, "a case")
    assert overview(connection).by_kind["gas"].active_alarms == 1


def _count(connection: Connection, what: str) -> int:
    (count,) = connection.execute(f"SELECT count(*) FROM {what}").fetchone() or (0,)  # noqa: S608 - literals above
    return int(count)
