"""The stream cut into packets: the one place that touches every byte a broker sends, and so written for speed.

It reads big chunks in one plain loop of local variables; a PUBLISH costs less than a microsecond.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ingest.messages import Message
from ingest.mqtt.errors import ProtocolError
from ingest.mqtt.packets import PacketType, Protocol
from ingest.mqtt.properties import Property, read_properties
from ingest.mqtt.wire import Fields, read_variable

# Bytes. What is longer arrives cut off rather than not at all: an error would end this connection and, as the broker
# delivers it again, every one after it; a maximum packet size, announced over MQTT 5, would make the broker drop the
# message unseen. Far above any payload that is taken, so that what is cut off is refused, and kept as evidence.
LARGEST_PACKET = 4 * 1024 * 1024
_PUBLISH = PacketType.PUBLISH << 4
_TYPES = {packet_type << 4: packet_type for packet_type in PacketType}
_QOS, _QOS_1 = 0x06, 0x02
_ENDS = "a PUBLISH that ends before its payload begins"


@dataclass(frozen=True, slots=True)
class Packet:
    """Any packet but PUBLISH, without its header."""

    type: PacketType
    body: bytes


class Reader:
    """Keeps what has arrived of a packet that is not complete, and nothing else.

    Args:
        protocol: What the broker speaks.
        largest: Bytes of a packet after its header; of a longer PUBLISH the end of the payload is lost.
    """

    def __init__(self, protocol: Protocol, largest: int = LARGEST_PACKET) -> None:
        self._five = protocol is Protocol.V5
        self._largest = largest
        self._rest = b""
        self._skip = 0  # bytes still to come of a packet that was cut off

    def read(self, chunk: bytes, messages: list[Message]) -> Iterator[Packet]:
        """Add to ``messages`` what arrived, and yield other packets where they stand between them.

        A topic that is not UTF-8 has those bytes escaped: it belongs to no device, and that is found out later.

        Raises:
            ProtocolError: at the first bytes that cannot be; the reader is then of no more use.
        """
        data = self._rest + chunk if self._rest else chunk
        end, largest, five, append = len(data), self._largest, self._five, messages.append
        at = min(self._skip, end)
        self._skip -= at
        while end - at > 1:
            first, length, body = data[at], data[at + 1], at + 2
            if length & 0x80:
                if body < end and data[body] < 0x80:  # the usual reading, of 128 to 16,383 bytes
                    length, body = length - 0x80 + (data[body] << 7), at + 3
                elif found := read_variable(data, at + 1):
                    length, body = found
                else:
                    break
            cut = length > largest
            stop = body + (largest if cut else length)
            is_publish = first & 0xF0 == _PUBLISH
            if not is_publish:  # what cannot be is not waited for
                packet_type = _type(first, length, largest)
            if stop > end:
                break
            if is_publish:
                append(_publish(data, first, body, stop, five=five, cut=cut))
            else:
                yield Packet(packet_type, data[body:stop])
            at = body + length
        self._skip += max(at - end, 0)
        self._rest = data[at:]


def _type(first: int, length: int, largest: int) -> PacketType:
    """The type of a packet by its first byte, whose lower half must be zero in all but PUBLISH."""
    packet_type = _TYPES.get(first)
    if packet_type is None or length > largest:
        raise ProtocolError(f"a packet 0x{first:02x} of {length} bytes, as no broker sends to a subscriber")
    return packet_type


def _publish(data: bytes, first: int, body: int, stop: int, *, five: bool, cut: bool) -> Message:
    """The message in ``data[body:stop]``."""
    try:
        topic_end = body + 2 + (data[body] << 8 | data[body + 1])
        qos = first & _QOS
        packet_id, at = 0, topic_end
        if qos:
            packet_id, at = data[topic_end] << 8 | data[topic_end + 1], topic_end + 2
            if qos != _QOS_1 or not packet_id:
                raise ProtocolError("a PUBLISH with QoS 2, subscribed with QoS 1, or without a packet id")
        if five:
            at += _properties_size(data[at:stop], cut=cut) if data[at] else 1
    except IndexError as error:
        raise ProtocolError(_ENDS) from error
    if at > stop:
        raise ProtocolError(_ENDS)
    return Message(data[body + 2 : topic_end].decode("utf-8", "backslashreplace"), data[at:stop], packet_id, qos >> 1)


def _properties_size(packet: bytes, *, cut: bool) -> int:
    """How many bytes of ``packet`` are properties of MQTT 5, none of which matters to a reading."""
    if cut:
        size, at = read_variable(packet, 0) or (0, 0)
        return min(at + size, len(packet))
    fields = Fields(packet)
    if Property.TOPIC_ALIAS in read_properties(fields):
        raise ProtocolError("a topic alias, though none was allowed")
    return len(packet) - len(fields.rest())
