"""A small city of one device a kind, and somebody who publishes for them."""

import ssl
import threading
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

import msgspec
import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from psycopg import Connection

from devices.broker import Broker
from devices.kind import Kind
from devices.registry import Registry
from devices.registry_csv import read_registry
from devices.topics import device_topic
from storage.connection import connect
from storage.registry_store import import_city, import_devices, load_registry
from tests.fix_postgres import OnServer, new_template
from tests.waiting import PATIENCE, eventually

CITY = Path(__file__).parent / "city" / "city.toml"
DEVICES = Path(__file__).parent / "city" / "devices.csv"
IMPORTED = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def city_on(template_on: OnServer, kinds: dict[str, Kind]) -> Iterator[OnServer]:
    """The name of a database to copy that holds the small city, made once on each server."""

    def fill(dsn: str) -> None:
        with connect(dsn) as connection:
            city = import_city(connection, tomllib.loads(CITY.read_text(encoding="utf-8")), str(CITY), IMPORTED)
            devices = read_registry(DEVICES, kinds, units=city.units, districts=city.districts)
            import_devices(connection, devices, str(DEVICES), IMPORTED)

    with ExitStack() as stack:
        yield cache(lambda server: stack.enter_context(new_template(server, fill, template=template_on(server))))


@pytest.fixture(scope="session")
def city_template(server: str, city_on: OnServer) -> str:
    return city_on(server)


@pytest.fixture
def registry(connection: Connection, kinds: dict[str, Kind]) -> Registry:
    """The small city, imported: ``dsn`` has copied it."""
    return load_registry(connection, kinds)


def topic_of(registry: Registry, device_id: str, channel: str = "up") -> str:
    device = next(device for device in registry.devices.values() if device.device_id == device_id)
    return device_topic(device.district, device.kind, device.device_id, channel)


def payload(at: datetime, *, seq: int = 1, kind: str = "periodic", **metrics: float | str | bool) -> bytes:
    """A native payload at an aware time."""
    return msgspec.json.encode({"ts": round(at.timestamp() * 1000), "seq": seq, "type": kind, "m": metrics})


@contextmanager
def plain_client(
    broker: Broker, name: str = "", *, listen: str = "", tls: ssl.SSLContext | None = None
) -> Iterator["PlainClient"]:
    """An ordinary MQTT client as anybody would use it."""
    client = PlainClient(broker, name, listen, tls)
    try:
        yield client
    finally:
        client.close()


class PlainClient:
    """Publishes with QoS 1 and waits for PUBACK, over as many connections as it takes; keeps what it hears."""

    def __init__(self, broker: Broker, name: str, listen: str, tls: ssl.SSLContext | None = None) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._pubacks: set[int] = set()
        self._puback = threading.Condition()
        self._subscribed = not listen
        self._client = Client(CallbackAPIVersion.VERSION2, name)
        self._listen = listen
        self._client.on_message = self._hear
        self._client.on_publish = self._acknowledge
        self._client.on_subscribe = self._subscribe
        self._client.on_connect = self._connect
        if broker.username:
            self._client.username_pw_set(broker.username, broker.password)
        if tls:
            self._client.tls_set_context(tls)
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        eventually(lambda: self._client.is_connected() and self._subscribed, "connected and subscribed")

    def _connect(self, client: Client, *_: object) -> None:
        if self._listen:
            client.subscribe(self._listen, 1)

    def _subscribe(self, *_: object) -> None:
        self._subscribed = True

    def _hear(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload)))

    def _acknowledge(self, _client: Client, _data: object, packet_id: int, *_: object) -> None:
        with self._puback:
            self._pubacks.add(packet_id)
            self._puback.notify_all()

    def publish(self, topic: str, message: bytes) -> None:
        self.publish_all([(topic, message)])

    def publish_all(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Many at once, in order, without waiting for one before the next is sent."""
        for packet_id in [self._client.publish(topic, message, qos=1).mid for topic, message in messages]:
            with self._puback:
                assert self._puback.wait_for(partial(self._pubacks.__contains__, packet_id), PATIENCE), "no PUBACK"
                self._pubacks.remove(packet_id)

    @property
    def connected(self) -> bool:
        return self._client.is_connected()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
