"""A collector speaks the version of MQTT that it is told to; either way nothing is lost, and a last will is heard."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from psycopg import Connection

from cityward.clock import Clock
from devices.broker import Broker
from devices.registry import Registry
from storage import device_status
from storage.overview import ledger
from tests.fix_broker import BROKERS
from tests.fix_city import payload, plain_client, topic_of
from tests.fix_processes import Starter
from tests.waiting import eventually

COVER = "4201020102000001"
SPOKEN = [("3.1.1", name) for name in BROKERS] + [("5", name) for name in BROKERS if name != "embedded"]


@contextmanager
def device_with_a_will(broker: Broker, topic: str) -> Iterator[Client]:
    """A device that says online; whoever closes its socket makes the broker say offline."""
    client = Client(CallbackAPIVersion.VERSION2, COVER)
    client.will_set(topic, b"offline", qos=1, retain=True)
    client.connect(broker.host, broker.port)
    client.loop_start()
    client.publish(topic, b"online", qos=1, retain=True).wait_for_publish()
    try:
        yield client
    finally:
        client.loop_stop()


@pytest.mark.parametrize(("version", "broker"), SPOKEN, indirect=["broker"])
def test_a_collector_of_either_version_loses_nothing_and_hears_last_wills(
    connection: Connection, registry: Registry, broker: Broker, start: Starter, version: str
) -> None:
    began = Clock().now().replace(microsecond=0)
    topic, status = topic_of(registry, COVER), topic_of(registry, COVER, "status")

    def online() -> bool | None:
        found = device_status.one(connection, COVER)
        return found.online if found else None

    def readings(first: int) -> list[tuple[str, bytes]]:
        return [(topic, payload(began + timedelta(milliseconds=n), seq=n, tilt=1)) for n in range(first, first + 50)]

    collector = start("collect", CITYWARD_MQTT_VERSION=version)
    collector.says("collecting")
    with plain_client(broker, "test") as sender, device_with_a_will(broker, status) as device:
        eventually(lambda: online() is True, "online")
        sender.publish_all(readings(0))
        eventually(lambda: ledger(connection).stored == 50, "the first stored")
        collector.kill()
        sender.publish_all(readings(50))
        device.socket().close()  # type: ignore[union-attr]  # as a power cut does
        collector = start("collect", CITYWARD_MQTT_VERSION=version)
        eventually(lambda: ledger(connection).stored == 100, "what the broker kept")
        eventually(lambda: online() is False, "offline")
    assert collector.stop() == 0
    book = ledger(connection)
    assert book.received == book.stored + book.duplicate, "a status is in no ledger and in no quarantine"
