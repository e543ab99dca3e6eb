"""The MQTT session of a partition: packets in, batches out, PUBACK when told.

The only place of the collector with a socket to the broker; what the bytes mean is decided in ``ingest.mqtt``. One
thread and a persistent session (client id = partition), so that the broker keeps for us what we have not
acknowledged. Nothing is read ahead: what the collector has no time for waits in the socket, and then at the broker.
"""

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Protocol as Interface
from typing import Self

from devices.broker import Broker, tls_problem
from ingest.errors import BrokerRefusedError, BrokerUnavailableError
from ingest.messages import Batch, Message
from ingest.mqtt.connection import Connection, State
from ingest.mqtt.errors import MqttError, RefusedError
from ingest.mqtt.packets import Hello, Protocol

TICK = 0.5  # seconds without a message after which an empty batch lets the loop look around
HANDSHAKE = 10.0  # seconds for the connection, and again for CONNACK and SUBACK
PARTING = 1.0  # seconds for the last PUBACKs and DISCONNECT
KEEPALIVE = 30  # seconds; the broker takes us for dead after one and a half of it
# Seconds from one batch to the next, looking every so many for more. A commit costs some milliseconds of processor
# time, be it of one message or of a hundred: those that come one upon the other share one. A message that comes alone
# hardly waits, and neither do a batch that is large enough and a broker that sends no more before we acknowledge.
APART, LOOK = 0.02, 0.005
LARGE = 500  # messages
LARGEST_BATCH = 5000  # messages: beyond it a commit gets longer, not cheaper per message
LARGEST_READ = 16 * 1024 * 1024  # bytes of a batch: ten times what so many usual readings are
_CHUNK = 256 * 1024  # bytes: a thousand readings in one call
_NOTHING_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Clock(Interface):
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
        protocol: The version of MQTT.
        tls: How to encrypt and whom to trust; without it the connection is plain.
        keepalive: Seconds, at least 1.
        keep: Without it the broker forgets the session; then there are no filters.

    Raises:
        BrokerUnavailableError: on entering, reading or acknowledging, if the broker is not there.
        BrokerRefusedError: on entering or reading, if the broker rejects the credentials or a filter.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        filters: Sequence[str],
        *,
        clock: Clock,
        stopping: Callable[[], bool],
        protocol: Protocol = Protocol.V311,
        tls: ssl.SSLContext | None = None,
        keepalive: int = KEEPALIVE,
        keep: bool = True,
    ) -> None:
        self._broker = broker
        self._hello = Hello(client_id, broker.username, broker.password, keepalive, protocol, keep)
        self._filters = filters
        self._clock = clock
        self._stopping = stopping
        self._tls = tls
        self._socket: socket.socket
        self._connection: Connection
        self._arrived: list[Message] = []
        self._outgoing = b""
        self._more = False  # the last look ended with a full batch, not with an empty socket

    def __enter__(self) -> Self:
        self._socket = self._connect()
        self._connection = Connection(self._hello, self._filters, time.monotonic())
        try:
            self._shake_hands()
        except BaseException:
            self._socket.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the session at the broker: it queues for the next collector of this partition."""
        with self._socket, suppress(MqttError, OSError):
            self._connection.disconnect()
            self._socket.settimeout(PARTING)
            self._socket.sendall(self._outgoing + self._connection.data_to_send(time.monotonic()))
            # The broker closes once it has read everything. Without waiting, the next collector's CONNECT could
            # overtake our last PUBACKs, and their messages would come twice.
            deadline = time.monotonic() + PARTING
            while time.monotonic() < deadline and self._socket.recv(64 * 1024):
                pass

    @property
    def resumed(self) -> bool:
        """Whether the broker had kept a session for us."""
        return self._connection.resumed

    def batches(self) -> Iterator[Batch]:
        """What has arrived, as it arrives: one message when it is quiet, thousands under load, none as a tick."""
        begun = -APART
        while not self._stopping():
            self._exchange()
            self._gather(until=begun + APART)
            begun = time.monotonic()
            messages, self._arrived = self._arrived, []
            yield Batch(messages, self._clock.micros())

    def acknowledge(self, batch: Batch) -> None:
        """Send PUBACK for every message of a committed batch."""
        self._connection.acknowledge(batch.messages)
        with self._told():
            self._write()

    def _connect(self) -> socket.socket:
        try:
            plain = socket.create_connection((self._broker.host, self._broker.port), HANDSHAKE)
        except OSError as error:
            raise BrokerUnavailableError(f"no MQTT broker at {self._broker}: {error}") from error
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # PUBACKs go out when they are written
        try:
            connected = self._tls.wrap_socket(plain, server_hostname=self._broker.host) if self._tls else plain
        except OSError as error:
            plain.close()
            raise BrokerUnavailableError(f"no TLS with the broker at {self._broker}: {tls_problem(error)}") from error
        connected.setblocking(False)
        return connected

    def _shake_hands(self) -> None:
        """Until all filters are granted or a kept session delivers: some brokers send SUBACK after the backlog."""
        deadline = time.monotonic() + HANDSHAKE
        with self._told():
            self._write()
        while self._connection.state is not State.SUBSCRIBED and not self._arrived:
            if time.monotonic() > deadline:
                raise BrokerUnavailableError(f"{self._broker} accepts connections; {self._connection.state} in vain")
            self._exchange()

    def _exchange(self) -> None:
        """Wait for the socket, then read until it is empty or the batch is full, and write what is due."""
        timeout = 0 if self._more or self._arrived else TICK
        with self._told():
            select.select([self._socket], [self._socket] if self._outgoing else [], [], timeout)
            self._read()
            self._write()

    def _gather(self, until: float) -> None:
        """More of what is arriving, as long as it does."""
        before = 0
        while not self._more and before < len(self._arrived) < LARGE and time.monotonic() < until:
            before = len(self._arrived)
            time.sleep(LOOK)
            with self._told():
                self._read()
                self._write()

    def _read(self) -> None:
        self._more, size = False, 0
        while len(self._arrived) < LARGEST_BATCH and size < LARGEST_READ:
            try:
                chunk = self._socket.recv(_CHUNK)
            except _NOTHING_YET:
                return
            self._arrived += self._connection.receive(chunk)
            size += len(chunk)
        self._more = True

    def _write(self) -> None:
        """As much as the socket takes: were we to wait for it, we might wait for each other."""
        self._outgoing += self._connection.data_to_send(time.monotonic())
        while self._outgoing:
            try:
                sent = self._socket.send(self._outgoing)
            except _NOTHING_YET:
                return
            self._outgoing = self._outgoing[sent:]

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of a connection in the words of the loop."""
        try:
            yield
        except RefusedError as error:
            raise BrokerRefusedError(f"the broker at {self._broker} refuses: {error}") from error
        except (MqttError, OSError) as error:
            raise BrokerUnavailableError(f"connection to the broker at {self._broker} lost: {error}") from error
