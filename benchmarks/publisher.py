"""A publisher that forgets nothing: one connection, QoS 1, on a bare socket because it shares the processors."""

import select
import socket
import threading
import time
from contextlib import suppress

from benchmarks.load import Load
from devices.broker import Broker
from ingest.mqtt.publishing import Unacknowledged, welcomed

WINDOW = 1000  # messages sent and not acknowledged
TICK = 0.005  # seconds between two looks at the clock
PAUSE = 0.1  # seconds before the next attempt to connect
_CHUNK = 64 * 1024


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
