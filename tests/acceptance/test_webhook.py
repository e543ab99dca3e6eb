"""A unit's webhook: called once a message, and no brake on anybody when it is dead."""

import json
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from psycopg import Connection

from cityward.clock import Clock
from devices.broker import Broker
from devices.registry import Registry
from storage.overview import waiting_work
from storage.registry_store import import_city
from tests.fix_broker import one_broker
from tests.fix_city import CITY, payload, plain_client, topic_of
from tests.fix_processes import Starter
from tests.waiting import PATIENCE, eventually

COVER = "4201020102000001"
pytestmark = one_broker


class Receiver(ThreadingHTTPServer):
    """Notes what it is sent; while it is ``dead`` it answers nobody."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/cases"
        self.calls: list[tuple[str, dict[str, str], bytes]] = []
        self.alive = threading.Event()
        self.alive.set()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((self.path, dict(self.headers), body))
        assert self.server.alive.wait(PATIENCE)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            yield server
        finally:
            server.alive.set()
            server.shutdown()
            serving.join()


def give_webhook(connection: Connection, url: str) -> None:
    document = tomllib.loads(CITY.read_text(encoding="utf-8"))
    document["units"]["drainage"]["webhook"] = url
    import_city(connection, document, "city.toml", Clock().now())


def states(connection: Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT channel, state FROM notification").fetchall())


def open_cover(registry: Registry, broker: Broker) -> None:
    with plain_client(broker) as cover:
        cover.publish(topic_of(registry, COVER, "event"), payload(Clock().now(), kind="event", open_state="open"))


def test_the_webhook_of_the_unit_gets_each_message_once_with_its_key(
    connection: Connection, registry: Registry, broker: Broker, start: Starter
) -> None:
    with receiver() as hook:
        give_webhook(connection, hook.url)
        start("collect").says("collecting")
        start("dispatch").says("dispatching")
        open_cover(registry, broker)
        eventually(lambda: hook.calls, "the call")
        eventually(lambda: waiting_work(connection) == 0, "everything delivered")
        ((path, headers, body),) = hook.calls
    ((key, number),) = connection.execute("""
        SELECT notification.id, dispatch_case.number FROM notification
        JOIN dispatch_case ON dispatch_case.id = notification.case_id
        WHERE channel = 'webhook' AND notification.state = 'delivered'
    """).fetchall()
    assert path == "/cases"
    assert headers["Idempotency-Key"] == str(key)
    assert headers["Content-Type"] == "application/json"
    told = json.loads(body)
    assert (told["id"], told["case"], told["event"], told["unit"]) == (key, number, "dispatch", "drainage")


def test_a_dead_webhook_delays_no_message_over_mqtt_and_gets_its_own_later(
    connection: Connection, registry: Registry, broker: Broker, start: Starter
) -> None:
    with receiver() as hook, plain_client(broker, listen="city/east/crew/drainage/cases") as crew:
        hook.alive.clear()
        give_webhook(connection, hook.url)
        start("collect").says("collecting")
        start("dispatch").says("dispatching")
        open_cover(registry, broker)
        eventually(lambda: hook.calls, "the call")
        eventually(lambda: crew.heard, "the crew's message")
        assert states(connection)["webhook"] == "pending", "it hangs still"
        hook.alive.set()
        eventually(lambda: waiting_work(connection) == 0, "everything delivered")
    assert len(crew.heard) == 1
    assert states(connection) == {"mqtt": "delivered", "webhook": "delivered"}
