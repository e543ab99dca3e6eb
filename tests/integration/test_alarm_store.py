from datetime import UTC, datetime, timedelta
from threading import Event

import numpy as np
import pytest
from psycopg import Connection, errors

from devices.moments import micros
from devices.registry import Registry
from rules.rule import Severity
from rules.silence import SilenceAlarm
from rules.verdicts import Change
from storage.alarm_store import ENGINE, acknowledge, active_silence_alarms, heard, lock_open, record
from storage.connection import connect
from storage.waking import listen, wait
from tests.integration.making import COVER_EAST, COVER_WEST, KITCHEN, NOON, device_of, rows, transition

LATER, LATEST = NOON + timedelta(minutes=1), NOON + timedelta(minutes=2)
SEEN = NOON + timedelta(hours=1)
ALARMS = """
    SELECT rule_id, severity, active, acknowledged, occurrences, raised_at, cleared_at FROM alarm ORDER BY id
"""
EVENTS = "SELECT event, severity, at, seen_at, actor FROM alarm_event ORDER BY id"


@pytest.fixture
def device(registry: Registry) -> int:
    return device_of(registry, COVER_EAST).id


def test_a_raised_condition_opens_an_alarm_and_says_why(connection: Connection, device: int) -> None:
    record(connection, [transition(device, because="tilt > 15", values={"tilt": 62.5})], SEEN)
    assert rows(connection, ALARMS) == [("MH-01", 3, True, False, 1, NOON, None)]
    assert rows(connection, EVENTS) == [("raised", 3, NOON, SEEN, ENGINE)]
    detail = rows(connection, "SELECT detail, handled_at FROM alarm_event")
    assert detail == [({"because": "tilt > 15", "values": {"tilt": 62.5}}, None)]


def test_an_alarm_grows_worse_clears_and_comes_back_as_the_same_one(connection: Connection, device: int) -> None:
    for change, severity, at in [
        (Change.RAISED, Severity.MAJOR, NOON),
        (Change.ESCALATED, Severity.CRITICAL, NOON),
        (Change.CLEARED, Severity.CRITICAL, LATER),
        (Change.RAISED, Severity.MINOR, LATEST),
    ]:
        record(connection, [transition(device, change, severity=severity, at=at)], SEEN)
    assert rows(connection, ALARMS) == [("MH-01", 2, True, False, 2, LATEST, None)]
    events = [(event, severity, at) for event, severity, at, *_ in rows(connection, EVENTS)]
    assert events == [("raised", 3, NOON), ("escalated", 4, NOON), ("cleared", 4, LATER), ("raised", 2, LATEST)]


def test_a_batch_can_raise_and_clear_the_same_alarm(connection: Connection, device: int) -> None:
    changes = [
        (Change.RAISED, NOON), (Change.CLEARED, LATER), (Change.RAISED, LATEST), (Change.CLEARED, LATEST),
    ]  # fmt: skip
    record(connection, [transition(device, change, at=at) for change, at in changes], SEEN)
    assert rows(connection, ALARMS) == [("MH-01", 3, False, False, 2, LATEST, LATEST)]
    assert [event for event, *_ in rows(connection, EVENTS)] == ["raised", "cleared", "raised", "cleared"]


def test_cleared_and_acknowledged_is_over_and_the_next_is_another_alarm(connection: Connection, device: int) -> None:
    record(connection, [transition(device)], SEEN)
    acknowledge(connection, [("MH-01", device)], SEEN, "crew 7")
    record(connection, [transition(device, Change.CLEARED, at=LATER)], SEEN)
    record(connection, [transition(device, at=LATEST)], SEEN)
    assert rows(connection, ALARMS) == [
        ("MH-01", 3, False, True, 1, NOON, LATER),
        ("MH-01", 3, True, False, 1, LATEST, None),
    ]


def test_acknowledging_is_on_record_once_with_who_and_when(connection: Connection, device: int) -> None:
    record(connection, [transition(device)], NOON)
    keys = [("MH-01", device), ("MH-99", device)]
    acknowledge(connection, keys, SEEN, "crew 7")
    acknowledge(connection, keys, SEEN, "crew 8")
    assert rows(connection, EVENTS)[1:] == [("acknowledged", 3, SEEN, SEEN, "crew 7")]
    assert rows(connection, ALARMS) == [("MH-01", 3, True, True, 1, NOON, None)]


def test_alarms_of_several_rules_and_devices_in_one_batch_do_not_mix(
    connection: Connection, registry: Registry
) -> None:
    east, west = device_of(registry, COVER_EAST).id, device_of(registry, COVER_WEST).id
    record(connection, [transition(east, severity=Severity.CRITICAL)], SEEN)
    record(
        connection,
        [
            transition(east, rule="MH-08", severity=Severity.NOTICE),
            transition(west, severity=Severity.MAJOR),
            transition(east, Change.CLEARED, at=LATER, severity=Severity.CRITICAL),
        ],
        SEEN,
    )
    found = rows(connection, "SELECT rule_id, device, severity, active FROM alarm ORDER BY rule_id, device")
    assert found == [("MH-01", east, 4, False), ("MH-01", west, 3, True), ("MH-08", east, 1, True)]
    paired = rows(connection, "SELECT alarm.rule_id, device, event FROM alarm_event JOIN alarm ON alarm.id = alarm_id")
    assert sorted(paired) == [
        ("MH-01", east, "cleared"),
        ("MH-01", east, "raised"),
        ("MH-01", west, "raised"),
        ("MH-08", east, "raised"),
    ]


def test_times_keep_their_microseconds(connection: Connection, device: int) -> None:
    at = datetime(2037, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    record(connection, [transition(device, at=at)], SEEN)
    assert lock_open(connection, [("MH-01", device)])["MH-01", device].raised_at == micros(at)
    record(connection, [transition(device, Change.CLEARED, at=at)], SEEN)
    assert rows(connection, "SELECT raised_at, cleared_at FROM alarm") == [(at, at)]
    assert rows(connection, "SELECT DISTINCT at FROM alarm_event") == [(at,)]


def test_the_database_refuses_a_second_open_alarm_of_a_rule_and_device(connection: Connection, device: int) -> None:
    insert = """
        INSERT INTO alarm (rule_id, rule_version, device, severity, active, acknowledged, raised_at)
        VALUES ('MH-01', 'x', %s, 3, %s, %s, now())
    """
    record(connection, [transition(device)], SEEN)
    for active, acknowledged in ((True, False), (True, True), (False, False)):
        with pytest.raises(errors.UniqueViolation, match="alarm_open"):
            connection.execute(insert, [device, active, acknowledged])
    connection.execute(insert, [device, False, True])


def test_nothing_to_record_wakes_nobody(dsn: str, connection: Connection, device: int) -> None:
    with connect(dsn) as ears:
        listen(ears)
        record(connection, [], SEEN)
        assert list(ears.notifies(timeout=0)) == []
        record(connection, [transition(device)], SEEN)
        wait(ears, 60, Event())
        assert list(ears.notifies(timeout=0)) == []


def test_the_watchdog_finds_its_alarms_with_how_often_the_device_had_been_heard(
    connection: Connection, registry: Registry
) -> None:
    kitchen = device_of(registry, KITCHEN).id
    for at, readings in ((NOON, 17), (LATEST, 25)):
        record(connection, [transition(kitchen, rule="FU-08", at=at, readings=readings)], SEEN)
        assert active_silence_alarms(connection, ["FU-08", "NO-06"]) == {
            ("FU-08", kitchen): SilenceAlarm(readings),
        }
        assert active_silence_alarms(connection, ["NO-06"]) == {}
        record(connection, [transition(kitchen, Change.CLEARED, rule="FU-08", at=LATER)], SEEN)
        assert active_silence_alarms(connection, ["FU-08"]) == {}


def test_devices_never_heard_of_are_not_in_the_watchdogs_list(connection: Connection, device: int) -> None:
    asked = np.array([device, device + 1], dtype=np.int64)
    assert heard(connection, asked).device.tolist() == []
    connection.execute("INSERT INTO device_status VALUES (%s, %s, %s, 5, '{}')", [device, NOON, LATER])
    signs = heard(connection, asked)
    assert (signs.device.tolist(), signs.last.tolist(), signs.readings.tolist()) == ([device], [micros(LATER)], [5])
    assert heard(connection, asked[1:]).device.tolist() == []
