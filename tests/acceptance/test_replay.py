"""A device nobody had registered: its messages wait in quarantine, it is adopted, its past becomes readings."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from devices.broker import Broker
from devices.quality import Quality
from ingest.messages import Ledger
from storage.overview import ledger, waiting_work
from tests.fix_broker import one_broker
from tests.fix_city import payload, plain_client
from tests.fix_processes import Command, Starter
from tests.prompting import Finished
from tests.waiting import eventually

pytestmark = one_broker

STRANGER = "4201020102000099"
HERE = f"city/east/manhole/{STRANGER}/up"
ADOPT = ("devices", "adopt", STRANGER, "--name", "Cover 99", "--lon", "114.3", "--lat", "30.6")


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the collector under test has the wall's clock


def quarantined(connection: Connection, broker: Broker, *messages: bytes) -> None:
    """A stranger publishes; what it says lies in quarantine."""
    with plain_client(broker) as stranger:
        for message in messages:
            stranger.publish(HERE, message)
    count = len(messages)
    eventually(lambda: ledger(connection) == Ledger(count, 0, 0, count), f"{count} in quarantine")


def readings(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT reading.tilt, reading.quality, reading.received_at < device.registered_at"
        " FROM reading_manhole AS reading JOIN device ON device.id = reading.device ORDER BY reading.ts"
    ).fetchall()


def counts(connection: Connection) -> tuple[Any, ...] | None:
    return connection.execute(
        "SELECT (SELECT count(*) FROM reading_manhole), (SELECT count(*) FROM alarm),"
        " (SELECT count(*) FROM alarm_event WHERE event = 'raised'), (SELECT count(*) FROM dispatch_case)"
    ).fetchone()


def answer(ended: Finished) -> str:
    assert ended.code == 0, ended.err
    return ended.out


@pytest.mark.usefixtures("registry")
def test_an_adopted_devices_past_becomes_readings_an_alarm_and_a_case_once(
    connection: Connection, broker: Broker, start: Starter, command: Command
) -> None:
    start("collect").says("collecting")
    start("dispatch").says("dispatching")
    began = now() - timedelta(minutes=30)
    past = [payload(began + timedelta(minutes=step), seq=step, tilt=0.5, open_state="closed") for step in range(3)]
    last = payload(began + timedelta(minutes=3), seq=3, kind="event", tilt=62.5, open_state="open")
    quarantined(connection, broker, *past, last)

    listed = answer(command("devices", "unregistered"))
    assert f"cityward devices adopt {STRANGER} --name" in listed
    assert "open_state=open" in listed
    told = answer(command(*ADOPT))
    assert "4 messages replayed: 4 readings stored." in told

    eventually(lambda: waiting_work(connection) == 0, "everything taken up and delivered")
    assert readings(connection) == [(tilt, Quality.REPLAYED, True) for tilt in (0.5, 0.5, 0.5, 62.5)]
    assert ledger(connection) == Ledger(4, 4, 0, 0)
    assert connection.execute("SELECT rule_id, active, occurrences FROM alarm").fetchall() == [("MH-01", True, 1)]
    assert connection.execute("SELECT unit, state FROM dispatch_case").fetchall() == [("drainage", "dispatched")]

    assert "Nothing to replay." in answer(command("quarantine", "replay", "1", "2"))
    with plain_client(broker) as device:
        device.publish(HERE, last)
        device.publish(HERE, payload(now(), seq=4, tilt=62.5, open_state="open"))
    eventually(lambda: ledger(connection) == Ledger(6, 5, 1, 0), "one duplicate, one new")
    assert readings(connection)[-1] == (62.5, Quality.GOOD, False)
    assert counts(connection) == (5, 1, 1, 1)


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(("moment", "committed"), [("before commit", 0), ("after commit", 2)])
def test_a_collector_killed_while_it_replays_loses_and_doubles_nothing(
    connection: Connection, broker: Broker, start: Starter, command: Command, moment: str, committed: int
) -> None:
    doomed = start(moment, module="tests.acceptance.doomed_replay")
    doomed.says("collecting")
    opened = [
        payload(now() - timedelta(minutes=ago), seq=ago, kind="event", tilt=62.5, open_state="open") for ago in (9, 8)
    ]
    quarantined(connection, broker, *opened)
    assert "2 messages will be tried again" in answer(command(*ADOPT, "--no-wait"))
    assert doomed.ended() == -9
    assert len(readings(connection)) == committed
    assert ledger(connection) == Ledger(2, committed, 0, 2 - committed)

    start("collect").says("collecting")
    start("dispatch").says("dispatching")
    eventually(lambda: ledger(connection) == Ledger(2, 2, 0, 0), "both replayed")
    eventually(lambda: waiting_work(connection) == 0, "everything taken up and delivered")
    assert counts(connection) == (2, 1, 1, 1)
    with plain_client(broker) as device:
        device.publish(HERE, payload(now(), seq=10, tilt=62.5, open_state="open"))
    eventually(lambda: ledger(connection) == Ledger(3, 3, 0, 0), "the next reading")
    assert counts(connection) == (3, 1, 1, 1)
