"""Notifications over MQTT, on the topic of the unit's crew, QoS 1."""

import asyncio
import contextlib
import ssl
from types import TracebackType
from typing import Self

import aiomqtt

from devices.broker import Broker, tls_problem
from devices.topics import crew_topic
from notify.errors import NotReachedError, UndeliverableError
from notify.message import as_json
from notify.outbox import Notification

TIMEOUT_S = 10.0
_KEEPALIVE_S = 15
_RECONNECT_S = 1.0
_AT_ONCE = 8


class MqttChannel:
    """Publishes the message's JSON; returns from ``send`` only after the broker's PUBACK.

    One connection, kept while the channel is entered with ``async with`` and opened again whenever it breaks;
    a message waits ``timeout_s`` for it. A connection that went silent is noticed by its keep-alive, at the
    latest after twice 15 s; what is sent until then is tried again. Without ``tls`` it is plain.
    """

    def __init__(self, broker: Broker, *, tls: ssl.SSLContext | None, timeout_s: float = TIMEOUT_S) -> None:
        self._broker = broker
        self._tls = tls
        self._timeout_s = timeout_s
        self._client: aiomqtt.Client | None = None
        self._connected = asyncio.Event()
        self._problem = "not connected yet"
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._keeper = asyncio.create_task(self._keep_connected(), name="mqtt channel")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper

    async def send(self, notification: Notification) -> None:
        """Publish once; see ``Channel.send``."""
        message = notification.message
        topic = crew_topic(message.district, notification.target)
        client = await self._open_client()
        try:
            await client.publish(topic, as_json(message, notification.others, notification.link), qos=1)
        except aiomqtt.MqttError as error:
            raise NotReachedError(self._says(str(error))) from error
        except ValueError as error:
            # What paho refuses before it sends: a wildcard in the topic, a payload that is too large.
            raise UndeliverableError(f"cannot be published to {topic!r}: {error}") from error

    async def _open_client(self) -> aiomqtt.Client:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._connected.wait()
        except TimeoutError as error:
            raise NotReachedError(self._says(self._problem)) from error
        if self._client is None:  # it broke again between the event and our turn
            raise NotReachedError(self._says(self._problem))
        return self._client

    async def _keep_connected(self) -> None:
        while True:
            try:
                async with self._new_client() as client:
                    self._client = client
                    self._connected.set()
                    # Nothing is subscribed: this ends with the connection, by MqttError.
                    async for _ in client.messages:
                        pass
            except aiomqtt.MqttError as error:
                self._problem = tls_problem(error.__cause__ or error)
            finally:
                self._connected.clear()
                self._client = None
            await asyncio.sleep(_RECONNECT_S)

    def _new_client(self) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.username or None,
            password=self._broker.password or None,
            tls_context=self._tls,
            timeout=self._timeout_s,
            keepalive=_KEEPALIVE_S,
            max_concurrent_outgoing_calls=_AT_ONCE,
        )

    def _says(self, problem: str) -> str:
        return f"MQTT broker {self._broker}: {problem}"
