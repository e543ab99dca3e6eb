"""A small city of one device a kind, and somebody who publishes for them."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
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
from storage.registry_store import import_city, import_devices, load_registry
from tests.waiting import PATIENCE, eventually

CITY = Path(__file__).parent / "city" / "city.toml"
DEVICES = Path(__file__).parent / "city" / "devices.csv"
IMPORTED = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def registry(connection: Connection, kinds: dict[str, Kind]) -> Registry:
    """The small city, imported."""
    city = import_city(connection, tomllib.loads(CITY.read_text(encoding="utf-8")), str(CITY), IMPORTED)
    devices = read_registry(DEVICES, kinds, units=city.units, districts=city.districts)
    import_devices(connection, devices, str(DEVICES), IMPORTED)
    return load_registry(connection, kinds)


def topic_of(registry: Registry, device_id: str, channel: str = "up") -> str:
    device = next(device for device in registry.devices.values() if device.device_id == device_id)
    return device_topic(device.district, device.kind, device.device_id, channel)


def payload(at: datetime, *, seq: int = 1, kind: str = "periodic", **metrics: float | str | bool) -> bytes:
    """A native payload at an aware time."""
    return msgspec.json.encode({"ts": round(at.timestamp() * 1000), "seq": seq, "type": kind, "m": metrics})


@contextmanager
def plain_client(broker: Broker, name: str = "", *, listen: str = "") -> Iterator["PlainClient"]:
    """An ordinary MQTT client as anybody would use it."""
    client = PlainClient(broker, name, listen)
    try:
        yield client
    finally:
        client.close()


class PlainClient:
    """Publishes with QoS 1 and waits for PUBACK; keeps what it hears."""

    def __init__(self, broker: Broker, name: str, listen: str) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._subscribed = not listen
        self._client = Client(CallbackAPIVersion.VERSION2, name)
        self._listen = listen
        self._client.on_message = self._hear
        self._client.on_subscribe = self._subscribe
        self._client.on_connect = self._connect
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

    def publish(self, topic: str, message: bytes) -> None:
        self._client.publish(topic, message, qos=1).wait_for_publish(PATIENCE)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
