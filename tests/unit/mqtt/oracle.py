"""paho-mqtt as the judge of what bytes mean: its own encoder and decoder, on a socket that is only a list."""
# ruff: noqa: SLF001 - paho's encoder and decoder have no public name

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.messages import Message
from ingest.mqtt.packets import Protocol


class Wire:
    """What paho takes for a socket."""

    def __init__(self, incoming: bytes = b"") -> None:
        self.sent = bytearray()
        self._incoming = incoming

    def send(self, data: bytes) -> int:
        self.sent += data
        return len(data)

    def recv(self, size: int) -> bytes:
        data, self._incoming = self._incoming[:size], self._incoming[size:]
        if not data:
            raise BlockingIOError
        return data

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class Published:
    """A PUBLISH as a broker might forward it; ``users`` are user properties, for MQTT 5 only."""

    topic: str
    payload: bytes
    packet_id: int = 0
    qos: int = 0
    retain: bool = False
    dup: bool = False
    users: Sequence[tuple[str, str]] = field(default=())

    @property
    def message(self) -> Message:
        return Message(self.topic, self.payload, self.packet_id if self.qos else 0, self.qos)


def paho(protocol: Protocol, wire: Wire, client_id: str = "all", keepalive: int = 30) -> Client:
    version = MQTTProtocolVersion(protocol.value)
    clean = None if protocol is Protocol.V5 else False
    client = Client(CallbackAPIVersion.VERSION2, client_id, clean, protocol=version, manual_ack=True)
    client._sock = cast("Any", wire)
    client._clean_start = False
    client._keepalive = keepalive
    return client


def properties(packet_type: int, **values: object) -> Any:
    """Properties of MQTT 5 by paho's names."""
    make: Any = Properties
    made = make(packet_type)
    for name, value in values.items():
        setattr(made, name, value)
    return made


def sent(protocol: Protocol, say: Callable[[Client], object], **who: Any) -> bytes:
    """The bytes that paho sends when told to."""
    wire = Wire()
    client = paho(protocol, wire, **who)
    say(client)
    client._sock = None
    return bytes(wire.sent)


def published(protocol: Protocol, each: Published) -> bytes:
    """A PUBLISH as paho encodes it."""
    five = protocol is Protocol.V5 and each.users
    users = properties(PacketTypes.PUBLISH, UserProperty=list(each.users)) if five else None

    def say(client: Client) -> None:
        info = MQTTMessageInfo(each.packet_id)
        topic = each.topic.encode()
        client._send_publish(each.packet_id, topic, each.payload, each.qos, each.retain, each.dup, info, users)

    return sent(protocol, say)


def heard(protocol: Protocol, data: bytes) -> list[Message]:
    """The messages that paho decodes."""
    messages: list[Message] = []

    def hear(_client: Client, _data: object, message: MQTTMessage) -> None:
        messages.append(Message(message.topic, bytes(message.payload), message.mid, message.qos))

    wire = Wire(data)
    client = paho(protocol, wire)
    client.on_message = hear
    while wire._incoming:
        client.loop_read()
    client._sock = None
    return messages
