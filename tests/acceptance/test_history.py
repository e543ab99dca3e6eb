"""Readings that come hours late or out of order, and what is missing: what table, alarms and operator see."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from psycopg import Connection

from cityward.clock import Clock
from devices.broker import Broker
from devices.quality import Quality
from devices.registry import Registry
from storage.overview import ledger
from tests.fix_broker import one_broker
from tests.fix_city import payload, plain_client, topic_of
from tests.fix_processes import Command, Starter
from tests.waiting import eventually

pytestmark = one_broker

LAMP = "4201020118000005"
SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTE = timedelta(minutes=1)
UPLOAD = range(120)
LEAKS = range(60, 70)  # minutes of the upload in which touching the pole is dangerous


@pytest.fixture
def start_of_upload() -> datetime:
    """Two hours ago."""
    return Clock().now().replace(microsecond=0) - 125 * MINUTE


def two_hours(start: datetime) -> bytes:
    """A reading a minute, sent at once."""
    readings = [payload(start + minute * MINUTE, seq=minute, leakage_ma=leakage(minute)) for minute in UPLOAD]
    return json.dumps([json.loads(reading) for reading in readings]).encode()


def leakage(minute: int) -> float:
    return 150 if minute in LEAKS else 5


def received(connection: Connection, count: int) -> None:
    eventually(lambda: ledger(connection).received == count, f"{count} received")


def history(connection: Connection) -> Sequence[tuple[datetime, float, int]]:
    return connection.execute("SELECT ts, leakage_ma, quality FROM reading_streetlight ORDER BY ts").fetchall()


def alarms(connection: Connection) -> Sequence[tuple[str, bool, datetime, datetime | None]]:
    return connection.execute("SELECT rule_id, active, raised_at, cleared_at FROM alarm").fetchall()


def test_two_hours_that_are_older_than_what_was_judged_are_exact_history_and_no_alarm(
    connection: Connection, registry: Registry, broker: Broker, start: Starter, start_of_upload: datetime
) -> None:
    start("collect").says("collecting")
    now = start_of_upload + 125 * MINUTE
    with plain_client(broker) as lamp:
        lamp.publish(topic_of(registry, LAMP), payload(now, seq=125, leakage_ma=5))
        received(connection, 1)
        lamp.publish(topic_of(registry, LAMP), two_hours(start_of_upload))
        received(connection, 1 + len(UPLOAD))
    told = [(start_of_upload + minute * MINUTE, leakage(minute), int(Quality.LATE)) for minute in UPLOAD]
    assert history(connection) == [*told, (now, 5, 0)]
    assert alarms(connection) == []
    assert connection.execute("SELECT * FROM rule_state").fetchall() == []


def test_two_hours_of_a_device_that_was_silent_until_now_are_live_with_their_own_times(
    connection: Connection, registry: Registry, broker: Broker, start: Starter, start_of_upload: datetime
) -> None:
    """Nothing newer was judged, so they are the newest that is known: an alarm of an hour ago may still need a crew."""
    start("collect").says("collecting")
    with plain_client(broker) as lamp:
        lamp.publish(topic_of(registry, LAMP), payload(start_of_upload - MINUTE, seq=0, leakage_ma=5))
        received(connection, 1)
        lamp.publish(topic_of(registry, LAMP), two_hours(start_of_upload))
        received(connection, 1 + len(UPLOAD))
    assert {quality for _, _, quality in history(connection)} == {0}
    # Cleared after half an hour of quiet, as the rule demands.
    quiet = start_of_upload + (LEAKS.stop + 30) * MINUTE
    assert alarms(connection) == [("SL-04", False, start_of_upload + LEAKS.start * MINUTE, quiet)]


@pytest.mark.parametrize(
    ("third", "fourth"), [(5, 150), (150, 150), (150, 5)], ids=["late quiet", "late leak", "late leak, quiet since"]
)
def test_of_readings_one_two_four_three_the_newest_decides_and_the_late_one_is_history(
    connection: Connection,
    registry: Registry,
    broker: Broker,
    start: Starter,
    start_of_upload: datetime,
    third: float,
    fourth: float,
) -> None:
    start("collect").says("collecting")
    levels = {1: 5.0, 2: 5.0, 4: fourth, 3: third}
    with plain_client(broker) as lamp:
        for count, (minute, level) in enumerate(levels.items(), start=1):
            at = start_of_upload + minute * MINUTE
            lamp.publish(topic_of(registry, LAMP), payload(at, seq=minute, leakage_ma=level))
            received(connection, count)
    found = [((ts - start_of_upload) / MINUTE, level, quality) for ts, level, quality in history(connection)]
    assert found == [(1, 5, 0), (2, 5, 0), (3, third, int(Quality.LATE)), (4, fourth, 0)]
    leaking = [("SL-04", True, start_of_upload + 4 * MINUTE, None)]
    assert alarms(connection) == (leaking if fourth > 100 else [])


def test_an_operator_sees_what_is_missing_and_between_which_readings(
    connection: Connection, registry: Registry, broker: Broker, start: Starter, command: Command
) -> None:
    start("collect").says("collecting")
    noon = datetime(2026, 11, 20, 12, tzinfo=SHANGHAI).astimezone(UTC)
    numbers = {0: 7, 1: 8, 4: 11, 5: 12, 6: 14, 7: 0, 8: 1}  # minute: number; the lamp restarts after 14
    connection.execute("UPDATE device SET registered_at = %s", [noon - 60 * MINUTE])
    with plain_client(broker) as lamp:
        for minute, seq in numbers.items():
            lamp.publish(topic_of(registry, LAMP), payload(noon + minute * MINUTE, seq=seq, leakage_ma=5 + minute))
        received(connection, len(numbers))
        heard = "SELECT lag > interval '1 hour' FROM device_status"
        eventually(lambda: connection.execute(heard).fetchall() == [(True,)], "the lamp's status")

    gaps = command("devices", "gaps", LAMP, "--day", "2026-11-20")
    assert gaps.code == 0, gaps.err
    assert "7 readings; 7 of 10 sequence numbers (70.0 %), 3 missing; 1 restart." in gaps.out
    lines = [" ".join(line.split()) for line in gaps.out.splitlines()]
    assert lines[2:] == ["numbers how many after before", "9 - 10 2 12:01:00 12:04:00", "13 1 12:05:00 12:06:00"]

    day = command("devices", "completeness", "--day", "2026-11-20", "--below", "0.98")
    lines = [" ".join(line.split()) for line in day.out.splitlines()]
    assert f"{LAMP} streetlight west 7 7 7 - 1 3 70.0 % 1 0 0 0 0" in lines
    assert "1 of 1 device" in lines[0]
    assert "0 of 1 device" in command("devices", "completeness", "--day", "2026-11-20", "--below", "0.5").out
    assert LAMP in command("devices", "list", "--behind", "3600").out
    assert "0 devices" in command("devices", "list", "--behind", "1e12").out

    nobody = command("devices", "gaps", "nobody", "--day", "2026-11-20")
    assert nobody.code == 1
    assert "nobody: not registered by 2026-11-20, or never heard" in nobody.err
