"""The quarantine in the database: who asks, who does it, what becomes of a message and of the ledger."""

from collections.abc import Callable
from typing import Any

import pytest
from psycopg import Connection, errors

from devices.device import Description
from devices.errors import DescriptionError
from devices.kind import Kind
from devices.quality import Quality
from devices.registry import Registry
from devices.rejection import Code
from ingest.messages import Ledger
from storage import replay_store
from storage.connection import connect
from storage.errors import RegistryChangedError
from storage.overview import ledger, overview
from storage.partition_store import PartitionStore
from storage.quarantine import (
    Resolution,
    Selection,
    adopt,
    drop,
    find,
    load_message,
    load_rows,
    progress,
    request_replay,
    unregistered,
)
from storage.registry_store import import_devices, load_registry
from tests.fix_city import payload, topic_of
from tests.integration.making import COVER_EAST, KITCHEN, NOON, rows
from tests.integration.quarantining import (
    COVER,
    HERE,
    HOUR,
    MINUTE,
    SECOND,
    STRANGER,
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


@pytest.fixture
def asks(connection: Connection) -> Callable[..., list[int]]:
    """``asks(code=…)``: a person asks for everything chosen to be tried again, by the collector of "all"."""

    def ask(**selection: Any) -> list[int]:
        chosen = dict.fromkeys(find(connection, Selection(**selection)), "all")
        return request_replay(connection, chosen, NOON + 2 * HOUR, "wang")

    return ask


@pytest.mark.each_server
def test_an_adopted_devices_messages_become_readings_of_their_own_time(
    connection: Connection, collects: Collect
) -> None:
    collects((NOON, [message(NOON, tilt=1)]), (NOON + 5 * MINUTE, [message(NOON + 4 * MINUTE, tilt=2)]))
    assert minutes(connection) == [(0, "all", 1, 0, 0, 1), (5, "all", 1, 0, 0, 1)]

    assert len(adopted(connection)) == 2
    collects(tick())

    assert readings(connection) == [
        (NOON, NOON, Quality.REPLAYED, 1),
        (NOON + 4 * MINUTE, NOON + 5 * MINUTE, Quality.REPLAYED, 2),
    ]
    assert minutes(connection) == [(0, "all", 1, 1, 0, 0), (5, "all", 1, 1, 0, 0)]
    row = load_rows(connection, list(find(connection, Selection(), resolved=True)))[0]
    assert (row.resolution, row.resolved_by, row.resolved_at) == (Resolution.REPLAYED, "li", NOON + 2 * HOUR)
    assert (row.attempts, row.stored, row.duplicate, row.replay_partition) == (1, 1, 0, None)
    assert find(connection, Selection()) == {}
    assert overview(connection).quarantine == {}


def test_what_is_refused_again_stays_with_its_new_reason(
    connection: Connection, collects: Collect, asks: Callable[..., list[int]]
) -> None:
    collects((NOON, [(HERE, b"{")]))
    assert only(connection).code == Code.UNREGISTERED
    adopted(connection)
    collects(tick())
    row = only(connection)
    assert (row.code, row.attempts, row.resolution, row.replay_partition) == (Code.MALFORMED, 1, None, None)
    assert row.detail.startswith("not JSON")
    asks()
    collects(tick())
    assert only(connection).attempts == 2
    assert minutes(connection) == [(0, "all", 1, 0, 0, 1)]


@pytest.mark.each_server
def test_trying_again_twice_is_trying_once(
    connection: Connection, collects: Collect, asks: Callable[..., list[int]]
) -> None:
    collects((NOON, [message(NOON, tilt=1)]))
    (number,) = adopted(connection)
    assert asks(ids=[number]) == [number]
    collects(tick(), tick())
    assert asks(ids=[number]) == []
    assert request_replay(connection, {number: "all"}, NOON, "wang") == []
    collects(tick())
    assert len(readings(connection)) == 1
    assert minutes(connection) == [(0, "all", 1, 1, 0, 0)]


@pytest.mark.each_server
def test_what_came_again_meanwhile_is_a_duplicate(connection: Connection, collects: Collect) -> None:
    again = message(NOON, tilt=1)
    collects((NOON, [again]))
    adopted(connection)
    connection.execute("UPDATE quarantine SET replay_partition = 'none yet'")
    collects((NOON + 30 * MINUTE, [again]))
    connection.execute("UPDATE quarantine SET replay_partition = 'all'")
    collects(tick())
    assert readings(connection) == [(NOON, NOON + 30 * MINUTE, Quality.GOOD, 1)]
    assert minutes(connection) == [(0, "all", 1, 0, 1, 0), (30, "all", 1, 1, 0, 0)]
    assert (only(connection).stored, only(connection).duplicate) == (0, 1)


@pytest.mark.each_server
def test_a_message_that_holds_several_readings_brings_all_of_them_to_the_ledger(
    connection: Connection, collects: Collect, asks: Callable[..., list[int]]
) -> None:
    good = [element(NOON - step * SECOND, tilt=step) for step in (1, 2)]
    collects((NOON, [array(good[0], {"ts": "?", "m": {}}, good[1], 17)]))
    assert minutes(connection) == [(0, "all", 1, 0, 0, 1)]

    adopted(connection)
    collects(tick())
    assert len(readings(connection)) == 2
    assert minutes(connection) == [(0, "all", 4, 2, 0, 2)]
    found = load_rows(connection, list(find(connection, Selection())))
    assert sorted((row.part, row.code, row.attempts) for row in found) == [
        (1, Code.WRONG_TYPE, 1),
        (3, Code.WRONG_TYPE, 1),
    ]
    assert {row.received_at for row in found} == {NOON}

    assert len(asks()) == 2
    collects(tick())
    assert len(readings(connection)) == 2
    assert minutes(connection) == [(0, "all", 4, 2, 0, 2)]
    assert [row.attempts for row in load_rows(connection, list(find(connection, Selection())))] == [2, 2]


@pytest.mark.each_server
def test_of_an_array_the_refused_reading_alone_is_tried_again(
    connection: Connection, collects: Collect, registry: Registry, asks: Callable[..., list[int]]
) -> None:
    cover = topic_of(registry, COVER_EAST)
    collects((NOON, [message(NOON, topic=cover, tilt=1)]))
    two = array(element(NOON - SECOND, tilt=5), element(NOON, tilt=9), topic=cover)
    collects((NOON, [two]))
    row = only(connection)
    assert (row.code, row.part) == (Code.CONFLICT, 1)

    asks()
    collects(tick())
    assert only(connection).resolution is None, "the first one stays"
    # Somebody finds out that the stored one was wrong.
    connection.execute("DELETE FROM reading_manhole WHERE ts = %s", [NOON])
    asks()
    collects(tick())
    assert readings(connection) == [
        (NOON - SECOND, NOON, Quality.LATE, 5),
        (NOON, NOON, Quality.REPLAYED, 9),
    ]
    assert minutes(connection) == [(0, "all", 3, 3, 0, 0)]
    assert (only(connection).attempts, only(connection).stored) == (2, 1)


def test_a_device_that_is_registered_meanwhile_is_not_refused_for_a_second_time(
    connection: Connection, dsn: str, collects: Collect, registry: Registry, kinds: dict[str, Kind]
) -> None:
    collects((NOON, [message(NOON, tilt=1)]))
    behind = PartitionStore(connection, dsn, "all", registry.revision)
    adopted(connection)
    assert behind.replays_waiting()
    with pytest.raises(RegistryChangedError), behind.transaction() as tx:
        tx.requested()
    assert only(connection).attempts == 0
    reloaded = PartitionStore(connection, dsn, "all", load_registry(connection, kinds).revision)
    with reloaded.transaction() as tx:
        assert [each.topic for each in tx.requested()] == [HERE]


@pytest.mark.each_server
def test_a_collector_tries_what_its_own_partition_is_asked_for(connection: Connection, collects: Collect) -> None:
    collects((NOON, [message(NOON, tilt=1)]), partition="old")
    adopt(connection, COVER, lambda _topic: "east", NOON + HOUR, "li")
    collects(tick(), partition="old")
    assert readings(connection) == []
    assert progress(connection, [only(connection).id]).waiting == {"east": 1}
    collects(tick(), partition="east")
    assert len(readings(connection)) == 1
    assert minutes(connection) == [(0, "old", 1, 1, 0, 0)], "the partition that received it"


def test_what_no_partition_hears_is_not_asked_for(connection: Connection, collects: Collect) -> None:
    collects((NOON, [message(NOON, tilt=1)]))
    assert adopt(connection, COVER, lambda _topic: None, NOON + HOUR, "li") == []


def test_nobody_waits_while_nobody_has_asked(connection: Connection, dsn: str, collects: Collect) -> None:
    collects((NOON, [(HERE, b"{")]))
    store = PartitionStore(connection, dsn, "all", 0)
    assert not store.replays_waiting()
    request_replay(connection, {only(connection).id: "all"}, NOON, "wang")
    assert not store.replays_waiting(), "asked again a second later only"


def test_a_lot_is_bounded_in_messages_and_in_bytes(
    connection: Connection, collects: Collect, asks: Callable[..., list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    collects((NOON, [(HERE, b"x" * size) for size in (10, 500, 10, 10, 10)]))
    numbers = sorted(asks())
    monkeypatch.setattr(replay_store, "MOST_MESSAGES", 3)
    monkeypatch.setattr(replay_store, "MOST_BYTES", 100)

    def lot() -> list[int]:
        with connection.transaction(force_rollback=True):
            return [each.id for each in replay_store.requested(connection, "all")]

    assert lot() == numbers[:2], "one above the bound goes, or it would stay forever"
    drop(connection, numbers[:2], "done with", NOON, "wang")
    assert lot() == numbers[2:]
    monkeypatch.setattr(replay_store, "MOST_MESSAGES", 2)
    assert lot() == numbers[2:4]


def test_a_message_that_is_being_dropped_is_passed_over(
    connection: Connection, dsn: str, collects: Collect, asks: Callable[..., list[int]]
) -> None:
    collects((NOON, [(HERE, b"1"), (HERE, b"2")]))
    first, second = sorted(asks())
    with connect(dsn) as person, person.transaction():
        assert drop(person, [first], "noise", NOON, "wang") == [first]
        with connection.transaction():
            assert [each.id for each in replay_store.requested(connection, "all")] == [second]
    with connection.transaction():
        assert [each.id for each in replay_store.requested(connection, "all")] == [second]


def test_what_is_given_up_keeps_its_row_and_its_place_in_the_ledger(connection: Connection, collects: Collect) -> None:
    collects((NOON, [(HERE, b"{"), (HERE, b"}")]))
    kept, gone = sorted(find(connection, Selection()))
    request_replay(connection, {gone: "all"}, NOON, "wang")
    assert drop(connection, [gone], "a test device", NOON + HOUR, "wang") == [gone]
    assert drop(connection, [gone], "once more", NOON + HOUR, "li") == []

    (row,) = load_rows(connection, [gone])
    assert (row.resolution, row.resolved_by, row.reason) == (Resolution.DROPPED, "wang", "a test device")
    assert row.resolved_at == NOON + HOUR
    assert row.replay_partition is None
    assert [*find(connection, Selection())] == [kept]
    assert [*find(connection, Selection(), resolved=True)] == [gone, kept]
    assert ledger(connection) == Ledger(2, 0, 0, 2)
    assert overview(connection).quarantine == {"unregistered": 1}


@pytest.mark.parametrize(
    "change",
    [
        "resolution = 'dropped', resolved_at = now(), resolved_by = 'wang'",
        "resolution = 'forgotten', resolved_at = now(), resolved_by = 'wang'",
        "resolution = 'replayed', resolved_at = now()",
        "replay_partition = 'all'",
        "replay_partition = 'all', replay_requested_at = now()",
    ],
)
def test_the_database_refuses_half_a_decision(connection: Connection, collects: Collect, change: str) -> None:
    collects((NOON, [(HERE, b"{")]))
    with pytest.raises(errors.CheckViolation):
        connection.execute(f"UPDATE quarantine SET {change}".encode())  # noqa: S608 - our own words


def test_what_is_resolved_waits_for_nobody(connection: Connection, collects: Collect) -> None:
    collects((NOON, [(HERE, b"{")]))
    drop(connection, [only(connection).id], "noise", NOON, "wang")
    with pytest.raises(errors.CheckViolation):
        connection.execute(
            "UPDATE quarantine SET replay_partition = 'all', replay_requested_at = now(), replay_requested_by = 'wang'"
        )


def test_messages_are_found_by_what_is_known_of_them(
    connection: Connection, collects: Collect, registry: Registry
) -> None:
    cover = topic_of(registry, COVER_EAST)
    collects((NOON, [(HERE, b"a"), (cover, b"{")]), (NOON + HOUR, [(cover, b"17"), ("city/x", b"c")]))
    unknown, malformed, wrong, topicless = sorted(find(connection, Selection()))

    def chosen(**selection: Any) -> list[int]:
        return sorted(find(connection, Selection(**selection)))

    assert chosen(code=Code.UNREGISTERED) == [unknown]
    assert chosen(topic=f"*{COVER_EAST}*") == [malformed, wrong]
    assert chosen(topic="city/_") == []
    assert chosen(since=NOON + HOUR) == [wrong, topicless]
    assert chosen(before=NOON + HOUR) == [unknown, malformed]
    assert chosen(ids=[wrong, unknown, 10**9]) == [unknown, wrong]
    assert chosen(ids=[]) == []
    assert chosen(topic="city/*", before=NOON + HOUR, code=Code.MALFORMED) == [malformed]
    assert [*find(connection, Selection(), limit=2)] == [topicless, wrong]


def test_a_message_is_loaded_as_it_arrived(connection: Connection, collects: Collect) -> None:
    collects((NOON, [(HERE, b"\xff\0")]))
    row = only(connection)
    loaded = load_message(connection, row.id)
    assert loaded is not None
    assert (loaded.topic, loaded.payload, loaded.part) == (HERE, b"\xff\0", -1)
    assert loaded.received_at == NOON.timestamp() * 1e6
    assert (row.size, row.received_at, row.partition, row.topic) == (2, NOON, "all", HERE)
    assert load_message(connection, row.id + 1) is None


@pytest.mark.each_server
def test_unregistered_devices_are_counted_from_first_to_last(
    connection: Connection, collects: Collect, registry: Registry
) -> None:
    moved = topic_of(registry, KITCHEN).replace("/east/", "/west/")
    collects(
        (NOON, [message(NOON, tilt=1), (moved, b"{}"), (HERE.replace("up", "event"), b"x")]),
        (NOON + HOUR, [message(NOON, tilt=2), ("city/west/manhole/twin/up", b"y"), ("city/east/noise/twin/up", b"z")]),
    )
    first, *others = unregistered(connection)
    assert (first.district, first.kind, first.device_id, first.messages) == ("east", "manhole", STRANGER, 3)
    assert (first.first, first.last, first.known_kind) == (NOON, NOON + HOUR, None)
    sample = load_message(connection, first.sample)
    assert sample is not None
    assert sample.payload == payload(NOON, tilt=2)
    assert {(each.device_id, each.district, each.known_district, each.known_kind) for each in others} == {
        ("twin", "west", None, None),
        ("twin", "east", None, None),
        (KITCHEN, "west", "east", "fume"),
    }
    assert [each.kind for each in unregistered(connection, "twin")] == ["noise", "manhole"]
    assert len(unregistered(connection, limit=2)) == 2
    adopted(connection)
    collects(tick())
    assert STRANGER not in {each.device_id for each in unregistered(connection)}


def test_a_device_is_adopted_with_its_own_messages_only(connection: Connection, collects: Collect) -> None:
    near = f"city/east/manhole/{STRANGER}0/up"
    collects((NOON, [message(NOON, tilt=1), message(NOON, topic=near, tilt=1), (f"{HERE}/hj212", b"x"), (HERE, b"{")]))
    asked = adopted(connection)
    assert {load_rows(connection, [number])[0].topic for number in asked} == {HERE, f"{HERE}/hj212"}


def test_a_device_is_registered_with_its_request_or_not_at_all(connection: Connection, collects: Collect) -> None:
    collects((NOON, [message(NOON, tilt=1)]))
    import_devices(connection, [COVER], "test", NOON)
    changed = Description(device_id=STRANGER, kind="noise", name="", district="east", lon=0, lat=0)
    with pytest.raises(DescriptionError):
        adopt(connection, changed, lambda _topic: "all", NOON, "li")
    assert only(connection).replay_partition is None
    with pytest.raises(ZeroDivisionError):
        adopt(connection, Description(**{**_fields(COVER), "name": "X"}), lambda _topic: str(1 // 0), NOON, "li")
    assert rows(connection, "SELECT name FROM device WHERE device_id = %s", STRANGER) == [("Cover 99",)]


def _fields(device: Description) -> dict[str, Any]:
    return {name: getattr(device, name) for name in Description.__struct_fields__}


@pytest.mark.each_server
def test_progress_tells_who_waits_what_is_resolved_and_why_the_rest_stays(
    connection: Connection, collects: Collect, asks: Callable[..., list[int]]
) -> None:
    collects((NOON, [message(NOON, tilt=1), (HERE, b"{"), (HERE, b"}"), message(NOON, tilt=1)]))
    numbers = sorted(adopted(connection))
    assert progress(connection, numbers).waiting == {"all": 4}
    drop(connection, numbers[2:3], "noise", NOON, "wang")
    collects(tick())
    done = progress(connection, numbers)
    assert (done.waiting, done.refused) == ({}, {Code.MALFORMED: 1})
    assert done.resolved == {Resolution.REPLAYED: 2, Resolution.DROPPED: 1}
    assert (done.stored, done.duplicate) == (1, 1)
    asks(ids=numbers[1:2])
    assert progress(connection, numbers).waiting == {"all": 1}
