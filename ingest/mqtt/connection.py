"""One connection from CONNECT to its end.

What a broker may send, and when, is one table; everything else is an error. Whoever owns the socket gives ``receive``
what arrived and sends what ``data_to_send`` returns, often enough for the keep-alive: a few times in its interval.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from ingest.messages import Message
from ingest.mqtt import packets, reasons
from ingest.mqtt.errors import LostError, ProtocolError, RefusedError
from ingest.mqtt.keepalive import KeepAlive
from ingest.mqtt.packets import Answer, Hello, PacketType
from ingest.mqtt.properties import Property
from ingest.mqtt.reader import Packet, Reader


class State(StrEnum):
    """How far a connection has come."""

    CONNECTING = "waiting for CONNACK"
    SUBSCRIBING = "waiting for SUBACK"
    SUBSCRIBED = "subscribed"
    CLOSED = "closed"


# A kept session begins to deliver with CONNACK, before we have subscribed anew.
TRANSITIONS: Mapping[State, Mapping[PacketType, State]] = {
    State.CONNECTING: {
        PacketType.CONNACK: State.SUBSCRIBING,
    },
    State.SUBSCRIBING: {
        PacketType.PUBLISH: State.SUBSCRIBING,
        PacketType.SUBACK: State.SUBSCRIBED,
        PacketType.PINGRESP: State.SUBSCRIBING,
        PacketType.DISCONNECT: State.CLOSED,
    },
    State.SUBSCRIBED: {
        PacketType.PUBLISH: State.SUBSCRIBED,
        PacketType.PINGRESP: State.SUBSCRIBED,
        PacketType.DISCONNECT: State.CLOSED,
    },
    State.CLOSED: {},
}


class Connection:
    """A subscriber's side of a connection that has just been opened.

    Args:
        hello: Who we are.
        filters: Topic filters to subscribe to; none where the session ends.
        now: Seconds of any clock that does not jump; the same clock as in every method.

    Attributes:
        state: How far it has come.
        resumed: Whether the broker had kept the session; meaningful once it has answered CONNECT.
    """

    def __init__(self, hello: Hello, filters: Sequence[str], now: float) -> None:
        self.state = State.CONNECTING
        self.resumed = False
        self._keep = hello.keep
        self._protocol = hello.protocol
        self._filters = filters
        self._reader = Reader(hello.protocol)
        self._keepalive = KeepAlive(hello.keepalive, now)
        self._outgoing = [packets.connect(hello)]

    def receive(self, chunk: bytes) -> list[Message]:
        """The messages that are complete with this chunk; an empty one is the end of the stream.

        Raises:
            ProtocolError: if the broker does what it must not.
            RefusedError: if it rejects the credentials or a filter.
            LostError: if it ends the connection.
        """
        if not chunk:
            raise LostError(f"closed by the broker ({self.state})")
        self._keepalive.heard()
        messages: list[Message] = []
        for packet in self._reader.read(chunk, messages):
            if messages:
                self._move(PacketType.PUBLISH)
            self._move(packet.type)
            self._understand(packet)
        if messages:
            self._move(PacketType.PUBLISH)
        return messages

    def acknowledge(self, messages: Iterable[Message]) -> None:
        """The broker may forget these messages."""
        self._outgoing.append(packets.pubacks(messages))

    def disconnect(self) -> None:
        """The last thing to say. The broker keeps the session."""
        self._outgoing.append(packets.DISCONNECT)
        self.state = State.CLOSED

    def data_to_send(self, now: float) -> bytes:
        """What is to be sent now; each byte is given out once.

        Raises:
            LostError: if the broker has been silent for too long.
        """
        if self.state is not State.CLOSED:
            if self._keepalive.is_dead(now):
                raise LostError(f"no answer to PINGREQ ({self.state})")
            if self._keepalive.must_ask(now):
                self._outgoing.append(packets.PINGREQ)
                self._keepalive.asked(now)
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        if data:
            self._keepalive.spoke(now)
        return data

    def _move(self, received: PacketType) -> None:
        after = TRANSITIONS[self.state].get(received)
        if after is None:
            raise ProtocolError(f"{received.name} while {self.state}")
        self.state = after

    def _understand(self, packet: Packet) -> None:
        match packet.type:
            case PacketType.CONNACK:
                self._connack(packets.read_connack(packet.body, self._protocol))
            case PacketType.SUBACK:
                self._suback(packets.read_suback(packet.body, self._protocol, len(self._filters)))
            case PacketType.PINGRESP:
                packets.read_pingresp(packet.body)
            case PacketType.DISCONNECT:
                answer = packets.read_disconnect(packet.body, self._protocol)
                raise LostError(f"ended by the broker: {reasons.describe(answer)}")

    def _connack(self, answer: Answer) -> None:
        if answer.code:
            raise reasons.refusal(answer)
        if not self._keep:
            self.state = State.SUBSCRIBED
            return
        if answer.number(Property.SESSION_EXPIRY, packets.KEPT_FOR_EVER) == 0:
            raise RefusedError("it keeps no session; allow persistent sessions in the broker's configuration")
        self.resumed = answer.resumed
        self._keepalive.agree(answer.number(Property.SERVER_KEEP_ALIVE, 0))
        self._outgoing.append(packets.subscribe(self._filters, self._protocol))

    def _suback(self, answer: Answer) -> None:
        denied = [
            f"{wanted} ({reasons.granted(code)})"
            for wanted, code in zip(self._filters, answer.codes, strict=True)
            if code != packets.AT_LEAST_ONCE
        ]
        if denied:
            raise RefusedError(f"no subscription to {', '.join(denied)}; check the broker's access list")
