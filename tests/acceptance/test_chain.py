"""One reading, from a plain MQTT client to the crew's topic; and the same reading once more."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection

from devices.broker import Broker
from devices.registry import Registry
from storage.overview import ledger, overview, waiting_work
from tests.fix_city import PlainClient, payload, plain_client, topic_of
from tests.fix_processes import Command, Starter
from tests.waiting import eventually

pytestmark = pytest.mark.each_server
COVER = "4201020102000001"


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the collector under test has the wall's clock


@pytest.fixture
def crew(broker: Broker) -> Iterator[PlainClient]:
    """The drainage company's crew in the east, listening."""
    with plain_client(broker, listen="city/east/crew/drainage/cases") as client:
        yield client


def settled(connection: Connection, received: int) -> None:
    eventually(lambda: ledger(connection).received == received, f"{received} received")
    eventually(lambda: waiting_work(connection) == 0, "everything taken up and delivered")


def test_one_reading_is_one_row_one_alarm_one_case_and_one_message_to_the_owner(
    connection: Connection, registry: Registry, broker: Broker, start: Starter, crew: PlainClient
) -> None:
    start("collect").says("collecting")
    start("dispatch").says("dispatching")
    opened = payload(now(), kind="event", open_state="open", tilt=62.5)
    with plain_client(broker) as cover:
        cover.publish(topic_of(registry, COVER, "event"), opened)
        settled(connection, 1)
        eventually(lambda: crew.heard, "the crew's message")

        cover.publish(topic_of(registry, COVER, "event"), opened)
        settled(connection, 2)

    rows = connection.execute("SELECT tilt, open_state, quality FROM reading_manhole").fetchall()
    assert rows == [(62.5, 1, 0)]
    assert connection.execute("SELECT rule_id, severity, active, acknowledged, occurrences FROM alarm").fetchall() == [
        ("MH-01", 4, True, False, 1)
    ]
    (case,) = connection.execute(
        "SELECT number, unit, reason, state, arrive_by - opened_at, fix_by - opened_at FROM dispatch_case"
    ).fetchall()
    assert case[1:] == (
        "drainage",
        "component_class",
        "dispatched",
        timedelta(minutes=30),
        timedelta(hours=2),
    )
    assert case[0].startswith("420102")
    (message,) = crew.heard
    told = json.loads(message[1])
    assert (told["case"], told["unit"], told["problem"], told["severity"]) == (case[0], "drainage", "cover_open", 4)
    totals = overview(connection)
    assert (totals.ledger.stored, totals.ledger.duplicate, totals.ledger.quarantined) == (1, 1, 0)
    assert totals.notifications == {"delivered": 1}


@pytest.mark.parametrize("moment", ["before commit", "before puback"])
def test_a_collector_killed_in_mid_batch_loses_and_doubles_nothing(
    connection: Connection, registry: Registry, broker: Broker, start: Starter, crew: PlainClient, moment: str
) -> None:
    doomed = start(moment, module="tests.acceptance.doomed_collector")
    doomed.says("collecting")
    with plain_client(broker) as cover:
        cover.publish(topic_of(registry, COVER, "event"), payload(now(), kind="event", open_state="open"))
    assert doomed.ended() == -9
    (committed,) = connection.execute("SELECT count(*) FROM reading_manhole").fetchone() or (0,)
    assert committed == (0 if moment == "before commit" else 1)

    start("collect").says("collecting")
    start("dispatch").says("dispatching")
    settled(connection, 1 if moment == "before commit" else 2)
    eventually(lambda: crew.heard, "the crew's message")

    counts = "SELECT (SELECT count(*) FROM reading_manhole), (SELECT count(*) FROM alarm), count(*) FROM dispatch_case"
    assert connection.execute(counts).fetchone() == (1, 1, 1)
    assert overview(connection).ledger.duplicate == (0 if moment == "before commit" else 1)
    assert len(crew.heard) == 1


def test_a_case_goes_its_way_to_closed_by_telemetry(
    connection: Connection, registry: Registry, broker: Broker, start: Starter, command: Command
) -> None:
    start("collect").says("collecting")
    start("dispatch").says("dispatching")
    topic, began = topic_of(registry, COVER), now() - timedelta(minutes=30)
    with plain_client(broker) as cover:
        cover.publish(topic, payload(began, seq=1, open_state="open", tilt=40))
        settled(connection, 1)
        (number,) = connection.execute("SELECT number FROM dispatch_case").fetchone() or ("",)

        refused = command("cases", "done", number, "--result", "closed it")
        assert refused.code == 1
        assert "possible now: accept, return" in refused.err
        for move in ("accept", "arrive"):
            assert command("cases", move, number, "--by", "crew 7").code == 0
        assert connection.execute("SELECT acknowledged FROM alarm").fetchone() == (True,)
        assert command("cases", "done", number, "--result", "closed it", "--by", "crew 7").code == 0
        not_yet = command("cases", "verify", number, "--photo", "cover.jpg")
        assert not_yet.code == 1
        assert "still active" in not_yet.err

        for minute in range(3, 25, 7):
            closed = payload(began + timedelta(minutes=minute), seq=minute, open_state="closed", tilt=0.5)
            cover.publish(topic, closed)
        settled(connection, 5)
        assert connection.execute("SELECT active, acknowledged FROM alarm").fetchall() == [(False, True)]
        assert connection.execute("SELECT state FROM dispatch_case").fetchall() == [("verifying",)], "all from before"
        cover.publish(topic, payload(now(), seq=30, open_state="closed", tilt=0.5))
        eventually(
            lambda: connection.execute("SELECT open FROM dispatch_case").fetchall() == [(False,)],
            "the case is closed by a reading after the work",
        )

    history = [row[0] for row in connection.execute("SELECT event FROM case_event ORDER BY id")]
    assert history == ["filed", "dispatch", "accept", "arrive", "finish", "verify", "alarm_cleared", "close"]
    shown = command("cases", "show", number)
    assert shown.code == 0
    assert "crew 7" in shown.out
