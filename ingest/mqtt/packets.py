"""Packets of a subscriber as bytes, and a broker's answers read back. PUBLISH is the reader's business."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from ingest.messages import Message
from ingest.mqtt.errors import ProtocolError
from ingest.mqtt.properties import Property, Value, read_properties
from ingest.mqtt.wire import Fields, short, text, variable

PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
SUBSCRIBE_ID = 1  # one SUBSCRIBE a connection, so that its packet id needs no counter
AT_LEAST_ONCE = 1  # the only QoS that we ask for: below it messages are lost, above it costs and gains nothing
KEPT_FOR_EVER = 0xFFFFFFFF  # session expiry
# The broker's own limit of messages in flight would bound our batches. MQTT 3.1.1 cannot ask for another one; in
# MQTT 5 the client's wish goes before it, but only when uttered, though this is also the value without one.
RECEIVE_MAXIMUM = 0xFFFF
_PUBACK = 0x4002_0000  # the whole packet, but for the packet id
_USERNAME, _PASSWORD = 0x80, 0x40
_CLEAN = 0x02
_SESSION_PRESENT = 0x01
# Of MQTT 5: retained messages only with a new subscription, for an old one has had them.
_RETAINED_WHEN_NEW = 0x10


class Protocol(IntEnum):
    """The version of MQTT, by its number in CONNECT."""

    V311 = 4
    V5 = 5


class PacketType(IntEnum):
    """What a broker sends to a subscriber."""

    CONNACK = 2
    PUBLISH = 3
    SUBACK = 9
    PINGRESP = 13
    DISCONNECT = 14


@dataclass(frozen=True, slots=True)
class Hello:
    """What a client says of itself. ``keepalive`` in whole seconds; an empty ``username`` stands for none.

    Without ``keep`` the broker forgets the session, and what it has kept for it.
    """

    client_id: str
    username: str = ""
    password: str = field(default="", repr=False)
    keepalive: int = 30
    protocol: Protocol = Protocol.V311
    keep: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """A CONNACK, SUBACK or DISCONNECT: its codes, one but for SUBACK. ``resumed``: the broker kept the session."""

    codes: bytes
    properties: Mapping[int, Value] = field(default_factory=dict)
    resumed: bool = False

    @property
    def code(self) -> int:
        """The only code of CONNACK or DISCONNECT."""
        return self.codes[0]

    def number(self, wanted: Property, default: int) -> int:
        """A property that is a number."""
        value = self.properties.get(wanted)
        return value if isinstance(value, int) else default


def connect(hello: Hello) -> bytes:
    """CONNECT to a session that outlives the connection, or ends with it."""
    flags = ((_USERNAME | _PASSWORD) if hello.username else 0) | (0 if hello.keep else _CLEAN)
    body = text("MQTT") + bytes((hello.protocol, flags)) + short(hello.keepalive)
    if hello.protocol is Protocol.V5:
        wishes = bytes((Property.SESSION_EXPIRY,)) + (KEPT_FOR_EVER if hello.keep else 0).to_bytes(4, "big")
        wishes += bytes((Property.RECEIVE_MAXIMUM,)) + short(RECEIVE_MAXIMUM)
        body += variable(len(wishes)) + wishes
    body += text(hello.client_id)
    if hello.username:
        body += text(hello.username) + text(hello.password)
    return b"\x10" + variable(len(body)) + body


def subscribe(filters: Sequence[str], protocol: Protocol) -> bytes:
    """SUBSCRIBE to all filters with QoS 1."""
    five = protocol is Protocol.V5
    options = bytes((AT_LEAST_ONCE | (_RETAINED_WHEN_NEW if five else 0),))
    body = short(SUBSCRIBE_ID) + (b"\0" if five else b"")
    body += b"".join(text(wanted) + options for wanted in filters)
    return b"\x82" + variable(len(body)) + body


def pubacks(messages: Iterable[Message]) -> bytes:
    """PUBACK for each message with QoS 1; the same bytes in both versions."""
    packet_ids = np.array([message.packet_id for message in messages if message.qos], dtype=">u4")
    return (packet_ids | np.uint32(_PUBACK)).astype(">u4").tobytes()


def read_connack(body: bytes, protocol: Protocol) -> Answer:
    """The answer to CONNECT.

    Raises:
        ProtocolError: if it is none.
    """
    fields = Fields(body)
    flags, code = fields.byte(), fields.take(1)
    if flags & ~_SESSION_PRESENT:
        raise ProtocolError(f"CONNACK with flags 0x{flags:02x}")
    # A broker that knows only 3.1.1 refuses MQTT 5 in its own way, without properties.
    properties = read_properties(fields) if protocol is Protocol.V5 and fields else {}
    _end("CONNACK", fields)
    return Answer(code, properties, resumed=bool(flags))


def read_suback(body: bytes, protocol: Protocol, filters: int) -> Answer:
    """The answer to SUBSCRIBE, one code a filter.

    Raises:
        ProtocolError: if it is none, or answers something else.
    """
    fields = Fields(body)
    packet_id = fields.short()
    properties = read_properties(fields) if protocol is Protocol.V5 else {}
    codes = fields.rest()
    if packet_id != SUBSCRIBE_ID or len(codes) != filters:
        raise ProtocolError(f"SUBACK {packet_id} with {len(codes)} codes for {filters} filters")
    return Answer(codes, properties)


def read_disconnect(body: bytes, protocol: Protocol) -> Answer:
    """The broker's goodbye; both code and properties may be missing.

    Raises:
        ProtocolError: if it is none, or of MQTT 3.1.1, where a broker just closes the connection.
    """
    if protocol is not Protocol.V5:
        raise ProtocolError("DISCONNECT from a broker of MQTT 3.1.1")
    fields = Fields(body)
    code = fields.take(1) if fields else b"\0"
    properties = read_properties(fields) if fields else {}
    _end("DISCONNECT", fields)
    return Answer(code, properties)


def read_pingresp(body: bytes) -> None:
    """The answer to PINGREQ.

    Raises:
        ProtocolError: if it carries anything.
    """
    _end("PINGRESP", Fields(body))


def _end(what: str, fields: Fields) -> None:
    if fields:
        raise ProtocolError(f"{what} with {len(fields.rest())} bytes too many")
