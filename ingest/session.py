"""The MQTT session of a partition: packets in, batches out, PUBACK when told.

The only place of the collector that speaks MQTT. One thread, paho's external loop, manual acknowledgement, and a
persistent session (client id = partition), so that the broker keeps for us what we have not acknowledged.
"""

import select
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices.broker import Broker
from ingest.errors import BrokerRefusedError, BrokerUnavailableError
from ingest.messages import Batch, Message

TICK = 0.5  # seconds without a message after which an empty batch lets the loop look around
HANDSHAKE = 10.0  # seconds for CONNACK and SUBACK
KEEPALIVE = 30  # seconds; the broker takes us for dead after one and a half of it
LARGEST_BATCH = 5000  # messages: beyond it a commit gets longer, not cheaper per message
_RETRY_REASONS = {"Server unavailable", "Server busy", "Unspecified error"}


class Clock(Protocol):
    """Where the time comes from."""

    def micros(self) -> int:
        """Microseconds since 1970 UTC."""


class Session:
    """A persistent MQTT session, open from ``__enter__`` to ``__exit__``.

    Args:
        broker: Where it is.
        client_id: The session's name at the broker: the partition.
        filters: MQTT topic filters, subscribed with QoS 1.
        clock: Gives batches their time of arrival.
        stopping: Asked between batches; true ends ``batches()``.

    Raises:
        BrokerUnavailableError: on entering, reading or acknowledging, if the broker is not there.
        BrokerRefusedError: on entering, if the broker rejects the credentials or a filter.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        filters: Sequence[str],
        *,
        clock: Clock,
        stopping: Callable[[], bool],
    ) -> None:
        self._broker = broker
        self._filters = filters
        self._clock = clock
        self._stopping = stopping
        self._arrived: list[Message] = []
        self._lost: str | None = None
        self._connected = self._subscribed = False
        self._refused: str | None = None
        client = Client(CallbackAPIVersion.VERSION2, client_id, clean_session=False, manual_ack=True)
        if broker.username:
            client.username_pw_set(broker.username, broker.password)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        self._client = client

    def __enter__(self) -> Self:
        try:
            self._client.connect(self._broker.host, self._broker.port, KEEPALIVE)
        except OSError as error:
            raise BrokerUnavailableError(f"no MQTT broker at {self._broker}: {error}") from error
        self._await("CONNACK", lambda: self._connected)
        self._client.subscribe([(topic_filter, 1) for topic_filter in self._filters])
        self._await("SUBACK", lambda: self._subscribed)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the session at the broker: it queues for the next collector of this partition."""
        self._client.disconnect()

    def batches(self) -> Iterator[Batch]:
        """What has arrived, as it arrives: one message when it is quiet, thousands under load, none as a tick."""
        while not self._stopping():
            self._exchange(TICK)
            messages, self._arrived = self._arrived, []
            yield Batch(messages, self._clock.micros())

    def acknowledge(self, batch: Batch) -> None:
        """Send PUBACK for every message of a committed batch."""
        for message in batch.messages:
            if message.qos:
                self._client.ack(message.packet_id, message.qos)
        self._check()

    def _await(self, what: str, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + HANDSHAKE
        while not done():
            if time.monotonic() > deadline:
                raise BrokerUnavailableError(f"{self._broker} accepts connections but sends no {what}")
            self._exchange(TICK)

    def _exchange(self, timeout: float) -> None:
        """Wait for the socket, then read until it is empty or the batch is full, and write what is due."""
        if self._arrived:
            timeout = 0  # the rest of the session's backlog came with SUBACK
        socket = self._client.socket()
        if socket is not None:
            writing = [socket] if self._client.want_write() else []
            select.select([socket], writing, [], timeout)
            before = -1
            while before < len(self._arrived) < LARGEST_BATCH:
                before = len(self._arrived)
                self._client.loop_read()
            self._client.loop_write()
            self._client.loop_misc()
        self._check()

    def _check(self) -> None:
        if self._refused:
            raise BrokerRefusedError(f"the broker at {self._broker} refuses: {self._refused}")
        if self._lost is not None or self._client.socket() is None:
            raise BrokerUnavailableError(f"connection to the broker at {self._broker} lost: {self._lost}")

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = bytes(message._topic).decode("utf-8", "backslashreplace")  # noqa: SLF001 - paho has no public raw topic
        self._arrived.append(Message(topic, bytes(message.payload), message.mid, message.qos))

    def _on_connect(
        self, _client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _props: Properties | None
    ) -> None:
        self._connected = not reason.is_failure
        if reason.is_failure and reason.getName() not in _RETRY_REASONS:
            self._refused = f"{reason.getName()}; check the user and password of the broker URL"

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, reasons: list[ReasonCode], _props: Properties | None
    ) -> None:
        denied = [wanted for wanted, reason in zip(self._filters, reasons, strict=False) if reason.is_failure]
        self._subscribed = not denied
        if denied:
            self._refused = f"no subscription to {', '.join(denied)}; check the broker's access list"

    def _on_disconnect(
        self,
        _client: Client,
        _data: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _props: Properties | None,
    ) -> None:
        self._lost = reason.getName()
