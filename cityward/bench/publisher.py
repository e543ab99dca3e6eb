"""A publisher that forgets nothing: one connection, QoS 1, on a bare socket because it shares the processors."""

import select
import socket
import threading
import time
from collections import OrderedDict
from contextlib import suppress

from cityward.bench.load import Load
from devices.broker import Broker
from ingest.mqtt import packets
from ingest.mqtt.wire import short, variable

WINDOW = 1000  # messages sent and not acknowledged
TICK = 0.005  # seconds between two looks at the clock
TIMEOUT = 5.0  # seconds for the broker to answer
PAUSE = 0.1  # seconds before the next attempt to connect
_CHUNK = 64 * 1024
_KEEPALIVE = 0xFFFF  # seconds; the embedded broker refuses 0, which would be for ever
_PUBACK = b"\x40\x02"


class Unacknowledged:
    """What was sent and not yet acknowledged, oldest first; pure."""

    def __init__(self) -> None:
        self._sent: OrderedDict[int, tuple[int, bytes]] = OrderedDict()  # packet id: message, topic and payload
        self._packet_id = 0

    def __len__(self) -> int:
        return len(self._sent)

    def send(self, number: int, topic: bytes, payload: bytes) -> bytes:
        """A PUBLISH with a packet id that is free."""
        while True:
            self._packet_id = self._packet_id % 0xFFFF + 1
            if self._packet_id not in self._sent:
                break
        body = b"%b%b%b%b" % (short(len(topic)), topic, short(self._packet_id), payload)
        rest = variable(len(body)) + body
        self._sent[self._packet_id] = (number, rest)
        return b"\x32" + rest

    def again(self) -> bytes:
        """All of it once more, in the order in which it was sent, marked as such."""
        return b"".join(b"\x3a" + rest for _, rest in self._sent.values())

    def acknowledged(self, data: bytes) -> tuple[list[int], bytes]:
        """The messages that these PUBACKs are for, and the bytes of one that is not complete."""
        whole = len(data) - len(data) % 4
        messages = []
        for at in range(0, whole, 4):
            if data[at : at + 2] != _PUBACK:
                raise ConnectionError(f"a broker should answer a publisher with PUBACK, not {data[at : at + 2].hex()}")
            # A broker that was killed may acknowledge for the second time what it had acknowledged before.
            found = self._sent.pop(int.from_bytes(data[at + 2 : at + 4], "big"), None)
            if found is not None:
                messages.append(found[0])
        return messages, data[whole:]


class Publisher:
    """Publishes a load at a steady rate, from its first message on; what a broker that is away delays comes after.

    Args:
        broker: Where to.
        load: What.
        rate: Messages a second.

    Attributes:
        acknowledged: A byte a message: 1 once every copy of it has been acknowledged by the broker.
        sent: How many messages have been sent, from the first on.
        behind: How many messages it was behind its rate at worst.
    """

    def __init__(self, broker: Broker, load: Load, rate: float) -> None:
        self.acknowledged = bytearray()
        self.sent = 0
        self.behind = 0
        self._broker = broker
        self._load = load
        self._rate = rate
        self._end: int | None = None
        self._round = 0
        self._waiting = Unacknowledged()
        self._copies: dict[int, int] = {}  # copies to be acknowledged, of messages that have several
        self._stop = threading.Event()

    @property
    def done(self) -> bool:
        """Whether everything up to the end has been acknowledged."""
        return self._end is not None and self.sent >= self._end and not self._waiting

    def end_at(self, count: int) -> None:
        """Send no more than so many messages; to be said before it runs."""
        self._end = count

    def end_with_round(self, size: int) -> None:
        """Finish the round of so many messages that is being sent, send one more, and end."""
        self._round = size

    def stop(self) -> None:
        """End, whatever is not acknowledged."""
        self._stop.set()

    def run(self) -> None:
        """Publish until the end, or until ``stop``."""
        began, first = time.monotonic(), self.sent
        while not (self.done or self._stop.is_set()):
            with suppress(OSError), self._connect() as connection:
                self._publish(connection, began, first)
            self._stop.wait(PAUSE)

    def _connect(self) -> socket.socket:
        connection = welcomed(self._broker, "bench-publisher")
        try:
            connection.sendall(self._waiting.again())
        except BaseException:
            connection.close()
            raise
        connection.setblocking(False)
        return connection

    def _publish(self, connection: socket.socket, began: float, first: int) -> None:
        outgoing, incoming = b"", b""
        while not (self.done or self._stop.is_set()):
            if self._round and self._end is None:
                self._end = (self.sent // self._round + 2) * self._round
            due = first + int((time.monotonic() - began) * self._rate)
            due = due if self._end is None else min(due, self._end)
            self.behind = max(self.behind, due - self.sent)
            outgoing += b"".join(self._next(due))
            if outgoing:
                with suppress(BlockingIOError):
                    outgoing = outgoing[connection.send(outgoing) :]
            # Not woken by each PUBACK: they are read together, a tick later.
            select.select([], [connection] if outgoing else [], [], TICK)
            with suppress(BlockingIOError):
                chunk = connection.recv(_CHUNK)
                if not chunk:
                    raise ConnectionError("closed by the broker")
                messages, incoming = self._waiting.acknowledged(incoming + chunk)
                self._note(messages)

    def _next(self, due: int) -> list[bytes]:
        """What is due, as far as the window has room."""
        publishes = []
        while self.sent < due and len(self._waiting) < WINDOW:
            number = self.sent
            topic, payload = self._load.message(number)
            copies = self._load.copies(number)
            publishes += [self._waiting.send(number, topic, payload) for _ in range(copies)]
            if copies > 1:
                self._copies[number] = copies
            self.acknowledged.append(0)
            self.sent += 1
        return publishes

    def _note(self, messages: list[int]) -> None:
        for number in messages:
            left = self._copies.pop(number, 1) - 1
            if left:
                self._copies[number] = left
            else:
                self.acknowledged[number] = 1


def welcomed(broker: Broker, client_id: str) -> socket.socket:
    """A connection that the broker has accepted and will not find silent; it waits for TIMEOUT at most."""
    connection = socket.create_connection((broker.host, broker.port), TIMEOUT)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(packets.connect(packets.Hello(client_id, broker.username, broker.password, _KEEPALIVE)))
        _understand(connection.recv(4, socket.MSG_WAITALL))
    except BaseException:
        connection.close()
        raise
    return connection


def _understand(answer: bytes) -> None:
    if answer[:2] != b"\x20\x02" or packets.read_connack(answer[2:], packets.Protocol.V311).code:
        raise ConnectionError(f"the broker answered {answer.hex()}")
