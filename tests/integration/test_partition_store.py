import re
from datetime import timedelta

import pytest
from psycopg import Connection, errors

from devices.moments import micros
from devices.registry import Registry
from ingest.loop import Written
from ingest.messages import DecodedBatch, Ledger
from rules.observing import Observation
from rules.verdicts import RuleCrash, RuleState, Verdicts
from storage import partition_store, worked_off
from storage.connection import connect, describe
from storage.errors import DatabaseUnavailableError, RegistryChangedError
from storage.overview import ledger, overview
from storage.partition_store import PartitionStore
from storage.registry_store import also_sent, import_devices
from storage.rule_states import load_states
from tests.fix_city import payload, topic_of
from tests.integration.making import COVER_EAST, COVER_WEST, NOON, decoded, device_of, rows, transition

pytestmark = pytest.mark.each_server

SECOND = timedelta(seconds=1)
OBSERVED = RuleState(raising=(Observation(micros(NOON), micros(NOON), 1), None))
RAISED = RuleState(active=True, severity=4, raising=(Observation(micros(NOON), micros(NOON), 2), None))


@pytest.fixture
def store(connection: Connection, dsn: str, registry: Registry) -> PartitionStore:
    return PartitionStore(connection, dsn, "all", registry.revision)


@pytest.fixture
def _status_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bulk updates with every batch instead of every two seconds."""
    monkeypatch.setattr(partition_store, "STATUS_EVERY", -1.0)


def put(store: PartitionStore, batch: DecodedBatch, verdicts: Verdicts | None = None) -> Written:
    """What the loop does with a batch."""
    with store.transaction() as tx:
        written = tx.write(batch)
        tx.record(verdicts or Verdicts())
    return written


def tilt(registry: Registry, second: int, value: float = 1.0, device: str = COVER_EAST) -> tuple[str, bytes]:
    return topic_of(registry, device), payload(NOON + second * SECOND, tilt=value)


def test_every_reading_and_every_message_finds_its_fate(
    connection: Connection, store: PartitionStore, registry: Registry
) -> None:
    put(store, decoded(registry, tilt(registry, 0)))
    cover = topic_of(registry, COVER_EAST)
    two = b'[{"ts": 1795147201000, "m": {"tilt": 1}}, {"ts": "now", "m": {}}]'
    mixed = decoded(registry, tilt(registry, 0), tilt(registry, 0, 9), (cover, b"{"), ("city/up", b"x"), (cover, two))
    written = put(store, mixed)
    assert written.ledger == Ledger(received=6, stored=1, duplicate=1, quarantined=4)
    assert [len(fresh) for fresh in written.fresh] == [1]
    codes = rows(connection, "SELECT code FROM quarantine ORDER BY code")
    assert codes == [("bad_topic",), ("conflict",), ("malformed",), ("wrong_type",)]
    assert ledger(connection) == Ledger(received=7, stored=2, duplicate=1, quarantined=4)


def test_the_ledger_balances_for_every_minute_and_partition(
    connection: Connection, dsn: str, registry: Registry
) -> None:
    east, west = (PartitionStore(connection, dsn, name, registry.revision) for name in ("east", "west"))
    for second in (0, 0, 59, 60):
        at = NOON + second * SECOND
        put(east, decoded(registry, tilt(registry, second), ("city/x", b""), received_at=at))
    put(west, decoded(registry, tilt(registry, 0, device=COVER_WEST), received_at=NOON))
    assert rows(connection, "SELECT * FROM ledger ORDER BY partition, minute") == [
        (NOON, "east", 6, 2, 1, 3),
        (NOON + 60 * SECOND, "east", 2, 1, 0, 1),
        (NOON, "west", 1, 1, 0, 0),
    ]


def test_the_database_itself_refuses_a_ledger_that_does_not_balance(connection: Connection) -> None:
    with pytest.raises(errors.CheckViolation, match="ledger_balances"):
        connection.execute("INSERT INTO ledger VALUES (now(), 'all', 3, 1, 1, 0)")


def test_a_tick_without_messages_leaves_no_trace(
    connection: Connection, store: PartitionStore, registry: Registry
) -> None:
    assert put(store, decoded(registry)).ledger == Ledger()
    assert rows(connection, "SELECT * FROM ledger") == []


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        ("city/east/manhole/x/up", b"\x00\x01\xfe\xff not UTF-8 \x00"),
        ("city/east/manhole/x\x00y/up", b'{"ts": 1}'),
        ("city/东区/manhole/井盖/up", "井".encode("gbk")),
        ("city/east/manhole/x/up", b""),
        ("city/east/manhole/x/up", bytes(1_000_000)),
        ("city/east/manhole/back\\slash \\xff/up", b"\\"),
    ],
    ids=["bytes", "NUL in the topic", "another encoding", "empty", "a megabyte", "backslashes"],
)
def test_quarantine_keeps_the_whole_message(
    connection: Connection, store: PartitionStore, registry: Registry, topic: str, message: bytes
) -> None:
    received = NOON + timedelta(microseconds=123_457)
    put(store, decoded(registry, (topic, message), received_at=received))
    kept = rows(connection, "SELECT topic, payload, received_at, partition, detail <> '' FROM quarantine")
    # PostgreSQL's text has no NUL.
    assert kept == [(topic.replace("\0", "\\0"), message, received, "all", True)]


def test_a_conflict_is_kept_with_the_message_it_came_in(
    connection: Connection, store: PartitionStore, registry: Registry
) -> None:
    first, other = tilt(registry, 0, 1), tilt(registry, 0, 2)
    put(store, decoded(registry, first))
    put(store, decoded(registry, tilt(registry, 1), other))
    assert rows(connection, "SELECT code, topic, payload FROM quarantine") == [("conflict", *other)]


@pytest.mark.usefixtures("_status_at_once")
def test_when_a_device_was_last_heard_counts_every_sign_of_life(
    connection: Connection, store: PartitionStore, registry: Registry
) -> None:
    put(store, decoded(registry, tilt(registry, 0), tilt(registry, 7), received_at=NOON + 8 * SECOND))
    put(store, decoded(registry, tilt(registry, 0), tilt(registry, 3), received_at=NOON + 9 * SECOND))
    status = rows(connection, "SELECT device, last_ts, last_received_at, readings FROM device_status")
    assert status == [(device_of(registry, COVER_EAST).id, NOON + 7 * SECOND, NOON + 9 * SECOND, 4)]
    assert overview(connection).by_kind["manhole"].readings == 4


def test_the_status_of_devices_is_written_in_bulk_after_a_while(
    connection: Connection, store: PartitionStore, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, decoded(registry, tilt(registry, 0)))
    put(store, decoded(registry, tilt(registry, 1)))
    assert rows(connection, "SELECT * FROM device_status") == []
    monkeypatch.setattr(partition_store, "STATUS_EVERY", -1.0)
    put(store, decoded(registry))
    put(store, decoded(registry))
    assert rows(connection, "SELECT readings FROM device_status") == [(2,)]


@pytest.mark.usefixtures("_status_at_once")
def test_how_far_the_partition_has_come_is_on_record_with_what_was_stored(
    connection: Connection, store: PartitionStore, registry: Registry
) -> None:
    put(store, decoded(registry, tilt(registry, 0), received_at=NOON + 60 * SECOND))
    assert worked_off.load_all(connection) == {"all": micros(NOON)}, "a backlog: sent at noon"
    put(store, decoded(registry, received_at=NOON + 61 * SECOND))
    assert worked_off.load_all(connection) == {"all": micros(NOON + 61 * SECOND)}, "nothing is left"


def test_on_a_clock_faster_than_the_wall_nobody_looks_silent(
    connection: Connection, store: PartitionStore, registry: Registry
) -> None:
    put(store, decoded(registry, tilt(registry, 0)))
    put(store, decoded(registry, tilt(registry, 29), received_at=NOON + 29 * SECOND))
    assert rows(connection, "SELECT * FROM device_status") == []
    put(store, decoded(registry, tilt(registry, 30), received_at=NOON + 30 * SECOND))
    assert rows(connection, "SELECT last_received_at, readings FROM device_status") == [(NOON + 30 * SECOND, 3)]


@pytest.mark.usefixtures("_status_at_once")
def test_keys_that_a_kind_does_not_know_are_gathered(
    connection: Connection, store: PartitionStore, registry: Registry
) -> None:
    cover, measured = topic_of(registry, COVER_EAST), [b'"o2": 20', b'"co": 1, "a b": 1', b'"tilt": 1', b'"o2": 21']
    for second, metrics in enumerate(measured):
        put(store, decoded(registry, (cover, b'{"ts": %d, "m": {%s}}' % (micros(NOON) // 1000 + second, metrics))))
    assert also_sent(connection) == {COVER_EAST: ["a?b", "co", "o2"]}


def test_what_rules_remember_is_saved_loaded_and_dropped(
    connection: Connection, store: PartitionStore, registry: Registry
) -> None:
    one, other = ("MH-01", device_of(registry, COVER_EAST).id), ("MH-02", device_of(registry, COVER_WEST).id)
    put(store, decoded(registry), Verdicts(states={one: OBSERVED, other: RAISED}))
    assert load_states(connection) == {one: OBSERVED, other: RAISED}
    put(store, decoded(registry), Verdicts(states={one: RAISED, other: None}))
    assert load_states(connection) == {one: RAISED}


def test_a_rule_that_crashed_is_on_record_and_the_readings_are_stored(
    connection: Connection, store: PartitionStore, registry: Registry
) -> None:
    put(store, decoded(registry, tilt(registry, 0)), Verdicts(crashes=[RuleCrash("MH-01", "ValueError: what")]))
    assert rows(connection, "SELECT rule_id, at, detail FROM rule_error") == [("MH-01", NOON, "ValueError: what")]
    assert ledger(connection).stored == 1


def test_an_error_in_the_middle_leaves_nothing(
    connection: Connection, store: PartitionStore, registry: Registry
) -> None:
    device = device_of(registry, COVER_EAST).id
    verdicts = Verdicts(transitions=[transition(device)], states={("MH-01", device): RAISED})

    def fail_after_all_was_written() -> None:
        with store.transaction() as tx:
            tx.write(decoded(registry, tilt(registry, 0), ("city/x", b"")))
            tx.record(verdicts)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_all_was_written()
    tables = ("reading_manhole", "quarantine", "ledger", "alarm", "alarm_event", "rule_state", "device_status")
    assert [table for table in tables if rows(connection, f"SELECT 1 FROM {table}")] == []  # noqa: S608
    assert put(store, decoded(registry, tilt(registry, 0)), verdicts).ledger.stored == 1


@pytest.mark.usefixtures("_status_at_once")
def test_an_import_of_devices_stops_the_store(
    connection: Connection, store: PartitionStore, registry: Registry
) -> None:
    put(store, decoded(registry, tilt(registry, 0)))
    import_devices(connection, [], "empty.csv", NOON)
    with pytest.raises(RegistryChangedError):
        put(store, decoded(registry, tilt(registry, 1)))
    assert ledger(connection).received == 1


@pytest.mark.parametrize("moment", ["before", "during", "at the commit"])
def test_a_connection_that_is_cut_is_named_and_nothing_is_stored(
    dsn: str, connection: Connection, registry: Registry, moment: str
) -> None:
    def cut() -> None:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", [own.info.backend_pid])

    def put_and_be_cut(store: PartitionStore) -> None:
        if moment == "before":
            cut()
        with store.transaction() as tx:
            if moment == "during":
                cut()
            tx.write(decoded(registry, tilt(registry, 0)))
            cut()

    where = re.escape(describe(dsn))
    with connect(dsn) as own, pytest.raises(DatabaseUnavailableError, match=f"^no database at {where}: "):
        put_and_be_cut(PartitionStore(own, dsn, "all", registry.revision))
    assert ledger(connection) == Ledger()
    assert rows(connection, "SELECT 1 FROM reading_manhole") == []
