from datetime import UTC, datetime, timedelta

from psycopg import Connection

from devices.moments import micros
from ingest.cuts import Kept
from storage import partition_sessions, worked_off

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_a_session_has_every_topic_that_it_was_asked_for_since_it_was_first_granted(connection: Connection) -> None:
    partition_sessions.ask(connection, "all", ["city/west/#"])
    assert partition_sessions.load_all(connection) == {"all": Kept(["city/west/#"])}
    assert worked_off.load_all(connection) == {}
    assert not partition_sessions.granted(connection, "all", NOON, resumed=False), "there was none to be lost"
    assert worked_off.load_all(connection) == {"all": micros(NOON)}, "what is sent from now on waits to be collected"
    partition_sessions.ask(connection, "all", ["city/west/#", "city/east/#"])
    assert not partition_sessions.granted(connection, "all", NOON + timedelta(hours=1), resumed=True)
    worked_off.save(connection, "all", micros(NOON) + 1)
    assert partition_sessions.load_all(connection) == {
        "all": Kept(["city/east/#", "city/west/#"], micros(NOON), micros(NOON) + 1)
    }
    assert partition_sessions.granted(connection, "all", NOON + timedelta(hours=2), resumed=False), "it was lost"
    assert partition_sessions.load_all(connection)["all"].since == micros(NOON + timedelta(hours=2))
    partition_sessions.ask(connection, "west", ["city/west/#"])
    partition_sessions.forget(connection, "all", "west")
    assert partition_sessions.load_all(connection) == {}
