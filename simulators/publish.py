"""Sending the fleet's messages to a broker: the only part of the pretend city that waits.

Connections stand for gateways, or for the devices themselves; all messages of a device take the same one, in order.
What happened since the last look at the clock is a batch; the next is taken when the broker has acknowledged all of
it, so the fleet itself holds back what the broker cannot take.
"""

import asyncio
import contextlib
import random
import ssl
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Protocol

import aiomqtt
import structlog

from devices.broker import Broker, tls_problem
from devices.errors import Permanent
from devices.moments import MICROS
from simulators.fleet import Fleet
from simulators.message import Message

_log = structlog.get_logger(__name__)

GATEWAYS = 4
_IN_FLIGHT = 50  # messages a connection may have unacknowledged
_BATCH = 500  # largest batch: bounds memory, and the time for which the event loop is kept busy
_TICK_S = 0.1  # pause between two looks at the clock
_TIMEOUT_S = 5.0  # for the broker to answer
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_REFUSED = (134, 135)  # reason codes of MQTT: bad user name or password, not authorized


class Clock(Protocol):
    """Gives the time; may run faster than the wall."""

    def now(self) -> datetime:
        """The time, aware and in UTC; never runs backwards."""


class BrokerRefusedError(Permanent):
    """The broker does not let the pretend city in, or is not to be trusted; trying again would not help."""


async def run(
    fleet: Fleet,
    clock: Clock,
    broker: Broker,
    *,
    tls: ssl.SSLContext | None = None,
    stop: asyncio.Event,
    report: Callable[[int, datetime], None],
    until: datetime | None = None,
    gateways: int = GATEWAYS,
    rate: float | None = None,
) -> int:
    """Publish what the fleet sends, from the clock's time on, until ``stop`` is set.

    A message is sent again until the broker has acknowledged it, so one that a broken connection caught may
    arrive twice. After ``stop`` no new message is taken, and what has been taken is still delivered, unless
    the broker is away: then it is given up.

    Args:
        fleet: The devices.
        clock: The city's time.
        broker: Where to publish, with QoS 1.
        tls: How to encrypt and whom to trust; without it the connections are plain.
        stop: Ends the run.
        report: Called after every batch with the number of messages acknowledged so far and the time they have come to.
        until: The city's time at which the run ends too.
        gateways: How many connections share the devices.
        rate: Messages a second on the wall, at most.

    Returns:
        The number of messages that the broker has acknowledged.

    Raises:
        BrokerRefusedError: if the broker refuses the user name or password, or shows a certificate that is refused.
    """
    connections = [_Gateway(number, broker, tls, stop) for number in range(1, gateways + 1)]
    since, began, taken = clock.now(), time.monotonic(), 0
    try:
        while not stop.is_set() and (until is None or since < until):
            now = clock.now() if until is None else min(until, clock.now())
            for batch in _batches(fleet.messages(since, now)):
                await _deliver(connections, batch)
                taken += len(batch)
                report(_acknowledged(connections), datetime.fromtimestamp(batch[-1].at / MICROS, UTC))
                if rate:
                    await _pause(stop, began + taken / rate - time.monotonic())
                if stop.is_set():
                    break
            since = now
            await _pause(stop, _TICK_S)
    finally:
        for connection in connections:
            await connection.disconnect()
    return _acknowledged(connections)


class _Gateway:
    """One connection, made when it is needed and again after it broke."""

    def __init__(self, number: int, broker: Broker, tls: ssl.SSLContext | None, stop: asyncio.Event) -> None:
        self._number = number
        self._trouble = ""  # what was last logged
        self._broker = broker
        self._tls = tls
        self._stop = stop
        self._connection = contextlib.AsyncExitStack()
        self._client: aiomqtt.Client | None = None
        self._broken: asyncio.Task[None] | None = None  # fails as soon as the connection breaks
        self.acknowledged = 0

    async def deliver(self, messages: Sequence[Message]) -> None:
        """Return when the broker has acknowledged every message, over as many connections as it takes.

        A first attempt that fails after ``stop`` gives up the rest.
        """
        waiting = dict(enumerate(messages))
        pause = _FIRST_PAUSE_S
        while waiting:
            before, last_attempt = len(waiting), self._stop.is_set()
            try:
                await self._publish(waiting)
            except* aiomqtt.MqttError as errors:
                self._log(str(errors.exceptions[0]))
            if not waiting:
                self._trouble = ""
                return
            await self.disconnect()
            if last_attempt:
                self._log(f"the broker is away at the end: {len(waiting)} messages given up")
                return
            pause = _FIRST_PAUSE_S if len(waiting) < before else min(2 * pause, _LONGEST_PAUSE_S)
            await _pause(self._stop, pause * random.uniform(0.5, 1))

    async def disconnect(self) -> None:
        """Close the connection, if there is one and however broken it is."""
        if self._broken is not None:
            self._broken.cancel()
            await asyncio.gather(self._broken, return_exceptions=True)
        self._client = self._broken = None
        with contextlib.suppress(aiomqtt.MqttError):
            await self._connection.aclose()

    def _log(self, trouble: str) -> None:
        """Say what is wrong, once as long as it stays the same."""
        if trouble != self._trouble:
            _log.warning("gateway_troubled", gateway=self._number, problem=trouble)
            self._trouble = trouble

    async def _connected(self) -> tuple[aiomqtt.Client, asyncio.Task[None]]:
        if self._client is None or self._broken is None:
            client = aiomqtt.Client(
                self._broker.host,
                self._broker.port,
                username=self._broker.username or None,
                password=self._broker.password or None,
                tls_context=self._tls,
                timeout=_TIMEOUT_S,
                max_inflight_messages=_IN_FLIGHT,
            )
            client.pending_calls_threshold = _IN_FLIGHT
            try:
                self._client = await self._connection.enter_async_context(client)
            except aiomqtt.MqttCodeError as error:
                if any(error.rc == code for code in _REFUSED):
                    raise BrokerRefusedError(f"the broker at {self._broker} refuses: {error}") from error
                raise
            except aiomqtt.MqttError as error:
                if isinstance(error.__context__, ssl.SSLCertVerificationError):
                    problem = f"no TLS with the broker at {self._broker}: {tls_problem(error)}"
                    raise BrokerRefusedError(problem) from error
                raise
            self._broken = asyncio.create_task(_until_broken(client))
        return self._client, self._broken

    async def _publish(self, waiting: dict[int, Message]) -> None:
        """Publish what is waiting, in order; whatever the broker acknowledges waits no longer."""
        client, broken = await self._connected()
        window = asyncio.Semaphore(_IN_FLIGHT)

        async def send(number: int) -> None:
            message = waiting[number]
            await client.publish(message.topic, message.payload, qos=1)
            del waiting[number]
            self.acknowledged += 1
            window.release()

        async with asyncio.TaskGroup() as group:
            watch = group.create_task(_follow(broken))
            sending = []
            for number in [*waiting]:
                await window.acquire()
                sending.append(group.create_task(send(number)))
            await asyncio.wait(sending)
            watch.cancel()


async def _follow(task: asyncio.Task[None]) -> None:
    """Fail when the task fails; end without ending it."""
    await asyncio.shield(task)


async def _until_broken(client: aiomqtt.Client) -> None:
    """Raise MqttError as soon as the connection breaks; nothing is subscribed, so nothing arrives."""
    async for _ in client.messages:
        pass


async def _deliver(gateways: Sequence[_Gateway], batch: Iterable[Message]) -> None:
    """Hand a batch to the gateways; all messages of a device go through the same one."""
    shares: dict[int, list[Message]] = defaultdict(list)
    for message in batch:
        device = message.topic.rpartition("/")[0]
        shares[zlib.crc32(device.encode()) % len(gateways)].append(message)
    deliveries = [gateways[number].deliver(share) for number, share in shares.items()]
    for outcome in await asyncio.gather(*deliveries, return_exceptions=True):
        if outcome is not None:
            raise outcome


def _batches(messages: Iterator[Message]) -> Iterator[list[Message]]:
    while batch := [*islice(messages, _BATCH)]:
        yield batch


def _acknowledged(gateways: Iterable[_Gateway]) -> int:
    return sum(gateway.acknowledged for gateway in gateways)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), max(0, seconds))
