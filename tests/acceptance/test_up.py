"""A city of one's own: what is killed comes back by itself and goes on where it was."""

import psutil

from cityward import embedded
from devices.broker import Broker
from storage import partition_sessions
from storage.connection import connect
from storage.overview import ledger
from tests.documents import ROOT
from tests.fix_city import plain_client
from tests.fix_processes import Starter
from tests.waiting import eventually

TOPIC = "city/east/manhole/4201020102000099/up"  # nobody knows it: what it says is kept


def test_a_collector_that_is_killed_is_started_again_and_stores_what_was_sent_meanwhile(
    start_without_broker: Starter, dsn: str
) -> None:
    broker = Broker("127.0.0.1", embedded.free_port(0))
    city = str(ROOT / "examples/my-city/city.toml")
    port = str(embedded.free_port(0))
    with connect(dsn) as connection:
        partition_sessions.ask(connection, "all", ["city/north/#"])  # as another up had it, with a broker that is gone
    up = start_without_broker("up", city, CITYWARD_BROKER_URL=broker.url, CITYWARD_CONSOLE_PORT=port)
    up.says("is up")
    up.says("collecting ")
    with plain_client(broker) as device, connect(dsn) as connection:
        device.publish(TOPIC, b"{}")
        eventually(lambda: ledger(connection).received == 1, "the first message is kept")
        of_up = psutil.Process(up.pid).children()
        (collector,) = (child for child in of_up if "collect" in child.cmdline())
        collector.kill()
        device.publish(TOPIC, b"[]")
        up.says("cityward collect has ended, and is started again")
        eventually(lambda: ledger(connection).received == 2, "what was sent meanwhile is kept too")
    assert up.stop() == 0
