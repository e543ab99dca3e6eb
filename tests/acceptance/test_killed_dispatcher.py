"""A dispatcher killed in mid-delivery: the crew hears of the case, under one id."""

import json

import pytest
from psycopg import Connection

from cityward.clock import Clock
from devices.broker import Broker
from devices.registry import Registry
from storage.overview import waiting_work
from tests.fix_broker import one_broker
from tests.fix_city import payload, plain_client, topic_of
from tests.fix_processes import Starter
from tests.waiting import eventually

COVER = "4201020102000001"


@one_broker
@pytest.mark.parametrize(("moment", "copies"), [("before sending", 1), ("before recording", 2)])
def test_a_message_is_neither_lost_nor_another_one(
    connection: Connection, registry: Registry, broker: Broker, start: Starter, moment: str, copies: int
) -> None:
    with plain_client(broker, listen="city/east/crew/drainage/cases") as crew:
        start("collect").says("collecting")
        doomed = start(moment, module="tests.acceptance.doomed_dispatcher")
        doomed.says("dispatching")
        with plain_client(broker) as cover:
            opened = payload(Clock().now(), kind="event", open_state="open")
            cover.publish(topic_of(registry, COVER, "event"), opened)
        assert doomed.ended() == -9
        assert waiting_work(connection) == 1
        # Its job is given back once it has given no sign for half a minute; here that is now.
        connection.execute("UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 hour'")
        start("dispatch").says("dispatching")
        eventually(lambda: waiting_work(connection) == 0, "the message delivered")
        eventually(lambda: len(crew.heard) == copies, f"{copies} heard")
    assert len({json.loads(message)["id"] for _, message in crew.heard}) == 1
    assert connection.execute("SELECT count(*) FROM dispatch_case").fetchone() == (1,)
