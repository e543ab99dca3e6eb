"""What a quarantined message that is tried again means for alarms, status and ledger."""

from datetime import timedelta

import pytest
from psycopg import Connection

from devices.kind import Kind
from devices.quality import Quality
from devices.registry import Registry
from ingest.messages import MOST_REFUSALS, Ledger
from storage.overview import ledger, overview
from storage.quarantine import (
    Selection,
    find,
    progress,
    request_replay,
)
from storage.reading_writer import stored_at
from tests.fix_city import topic_of
from tests.integration.making import COVER_EAST, NOON, device_of, rows
from tests.integration.quarantining import (
    HERE,
    HOUR,
    MINUTE,
    SECOND,
    Collect,
    adopted,
    array,
    element,
    message,
    minutes,
    only,
    readings,
    tick,
)

pytestmark = pytest.mark.each_server


def test_the_last_replayed_reading_raises_an_alarm_if_nothing_newer_is_known(
    connection: Connection, collects: Collect
) -> None:
    opened = [message(NOON + step * MINUTE, kind="event", open_state="open", tilt=60) for step in (0, 1)]
    collects((NOON + MINUTE, opened))
    adopted(connection)
    collects(tick())
    assert rows(connection, "SELECT rule_id, active, raised_at, occurrences FROM alarm") == [("MH-01", True, NOON, 1)]
    assert rows(connection, "SELECT event, seen_at FROM alarm_event") == [("raised", NOON + 2 * HOUR)]


def test_replayed_readings_older_than_what_was_judged_raise_nothing(connection: Connection, collects: Collect) -> None:
    collects((NOON, [message(NOON, kind="event", open_state="open", tilt=60)]))
    adopted(connection)
    connection.execute("UPDATE quarantine SET replay_partition = 'none yet'")
    collects((NOON + HOUR, [message(NOON + HOUR, open_state="closed", tilt=0)]))
    connection.execute("UPDATE quarantine SET replay_partition = 'all'")
    collects(tick())
    assert [row[2] for row in readings(connection)] == [Quality.REPLAYED | Quality.LATE, Quality.GOOD]
    assert rows(connection, "SELECT rule_id FROM alarm") == []


def test_a_replay_that_breaks_off_leaves_everything_as_it_was(
    connection: Connection, collects: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    collects((NOON, [message(NOON, kind="event", open_state="open", tilt=60)]))
    adopted(connection)
    with monkeypatch.context() as broken:
        broken.setattr("storage.alarm_store.record", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            collects(tick())
    assert readings(connection) == []
    assert minutes(connection) == [(0, "all", 1, 0, 0, 1)]
    assert only(connection).attempts == 0
    collects(tick())
    assert len(readings(connection)) == 1


@pytest.mark.usefixtures("_status_at_once")
def test_a_replay_tells_when_a_device_was_heard_and_is_no_sign_of_life(
    connection: Connection, collects: Collect
) -> None:
    collects((NOON, [message(NOON - SECOND, tilt=1, colour=3)]))
    adopted(connection)
    collects(tick(), tick())
    status = "SELECT last_ts, last_received_at, readings, also_sent FROM device_status"
    assert rows(connection, status) == [(NOON - SECOND, NOON, 0, ["colour"])]
    assert overview(connection).by_kind["manhole"].readings == 1, "found, if not heard"


@pytest.fixture
def _status_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bulk updates with every batch instead of every two seconds."""
    monkeypatch.setattr("storage.partition_store.STATUS_EVERY", -1.0)


def test_a_stored_reading_is_found_by_device_and_time(
    connection: Connection, collects: Collect, registry: Registry, kinds: dict[str, Kind]
) -> None:
    at = NOON + timedelta(milliseconds=123)
    collects((NOON + SECOND, [message(at, topic=topic_of(registry, COVER_EAST), tilt=1.5)]))
    device = device_of(registry, COVER_EAST).id
    found = stored_at(connection, kinds["manhole"], device, at)
    assert found is not None
    assert (found["tilt"], found["received_at"], found["battery_v"]) == (1.5, NOON + SECOND, None)
    assert stored_at(connection, kinds["manhole"], device, NOON) is None


def test_a_message_that_is_kept_once_counts_once_when_it_is_tried_again_too(
    connection: Connection, registry: Registry, collects: Collect
) -> None:
    cover, count = topic_of(registry, COVER_EAST), MOST_REFUSALS + 1
    elements = [[element(NOON + second * SECOND, tilt=tilt) for second in range(count)] for tilt in (1, 9)]
    first, contradiction = (array(*each, topic=cover) for each in elements)
    collects((NOON + MINUTE, [first]), (NOON + MINUTE, [contradiction]))
    book = Ledger(received=count + 1, stored=count, duplicate=0, quarantined=1)
    assert (ledger(connection), only(connection).part) == (book, -1)
    request_replay(connection, {only(connection).id: "all"}, NOON, "li")
    collects(tick())
    assert (ledger(connection), only(connection).attempts) == (book, 1)


def test_the_status_of_an_adopted_device_becomes_its_status_and_leaves_the_ledger(
    connection: Connection, collects: Collect
) -> None:
    topic = HERE.removesuffix("up") + "status"
    collects((NOON, [(topic, b"online"), message(NOON, tilt=1)]), (NOON + MINUTE, [(topic, b"offline")]))
    assert sum(line[2] for line in minutes(connection)) == 3
    adopted(connection)
    collects(tick())
    assert rows(connection, "SELECT online, since FROM device_connection") == [(False, NOON + MINUTE)]
    assert [line[2:] for line in minutes(connection)] == [(1, 1, 0, 0), (0, 0, 0, 0)]
    assert progress(connection, list(find(connection, Selection(), resolved=True))).waiting == {}
