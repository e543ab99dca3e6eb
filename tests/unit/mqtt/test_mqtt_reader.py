"""The stream cut into packets: however it arrives, whatever it says."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.messages import Message
from ingest.mqtt.errors import ProtocolError
from ingest.mqtt.packets import PacketType, Protocol
from ingest.mqtt.reader import Packet, Reader
from ingest.mqtt.wire import variable
from tests.unit.mqtt.oracle import Published, heard, published

PROTOCOLS = st.sampled_from(Protocol)
TOPICS = st.text(st.characters(codec="utf-8", exclude_characters="#+\0"), min_size=1, max_size=60)
USERS = st.lists(st.tuples(st.text("ab", max_size=3), st.text("yz", max_size=80)), max_size=3)
PINGRESP = b"\xd0\x00"


@st.composite
def publishes(draw: st.DrawFn) -> Published:
    qos = draw(st.sampled_from([0, 1]))
    return Published(
        topic=draw(TOPICS),
        payload=draw(st.binary(max_size=300)),
        packet_id=draw(st.integers(1, 65535)) if qos else 0,
        qos=qos,
        retain=draw(st.booleans()),
        dup=bool(qos) and draw(st.booleans()),
        users=draw(USERS),
    )


def read(reader: Reader, chunks: Sequence[bytes]) -> list[Message | Packet]:
    """Messages and packets in the order in which they came."""
    found: list[Message | Packet] = []
    for chunk in chunks:
        messages: list[Message] = []
        for packet in reader.read(chunk, messages):
            found += [*messages, packet]
            messages.clear()
        found += messages
    return found


def pieces(data: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    for start, stop in pairwise([0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]):
        yield data[start:stop]


@given(PROTOCOLS, st.lists(publishes(), max_size=8), st.lists(st.integers(0, 5000), max_size=12))
def test_it_hears_what_paho_hears_however_the_stream_is_cut(
    protocol: Protocol, sent: list[Published], cuts: list[int]
) -> None:
    data = b"".join(published(protocol, each) for each in sent)
    found = read(Reader(protocol), list(pieces(data, cuts)))
    assert found == heard(protocol, data) == [each.message for each in sent]


@given(PROTOCOLS, st.lists(publishes() | st.none(), max_size=6))
def test_a_stream_that_comes_byte_by_byte_keeps_its_order(protocol: Protocol, sent: list[Published | None]) -> None:
    data = b"".join(published(protocol, each) if each else PINGRESP for each in sent)
    found = read(Reader(protocol), [data[at : at + 1] for at in range(len(data))])
    assert found == [each.message if each else Packet(PacketType.PINGRESP, b"") for each in sent]


@pytest.mark.parametrize("remaining", [127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
@pytest.mark.parametrize("protocol", Protocol)
def test_a_length_may_take_one_to_four_bytes(protocol: Protocol, remaining: int) -> None:
    header = 2 + len("t") + 2 + (protocol is Protocol.V5)
    each = Published("t", b"x" * (remaining - header), packet_id=7, qos=1)
    data = published(protocol, each)
    assert data[1 : 1 + len(variable(remaining))] == variable(remaining)
    assert read(Reader(protocol), [data[:3], data[3:], data]) == [each.message, each.message]


@given(PROTOCOLS, st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=3))
def test_any_bytes_are_packets_or_a_protocol_error(protocol: Protocol, data: bytes, cuts: list[int]) -> None:
    with suppress(ProtocolError):
        read(Reader(protocol), list(pieces(data, cuts)))


@given(PROTOCOLS, publishes(), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_publish_is_something_or_a_protocol_error_and_never_depends_on_the_cut(
    protocol: Protocol, sent: Published, damages: list[tuple[int, int]]
) -> None:
    data = bytearray(published(protocol, sent))
    for at, value in damages:
        data[at % len(data)] = value

    def outcome(chunks: list[bytes]) -> list[Message | Packet] | None:
        try:
            return read(Reader(protocol), chunks)
        except ProtocolError:
            return None

    assert outcome([bytes(data)]) == outcome([bytes(data[at : at + 1]) for at in range(len(data))])


@pytest.mark.parametrize(
    ("protocol", "data", "why"),
    [
        (Protocol.V311, b"\x30\x00", "ends before its payload"),
        (Protocol.V311, b"\x30\x01\x00", "ends before its payload"),
        (Protocol.V311, b"\x30\x03\x00\x02t", "ends before its payload"),
        (Protocol.V311, b"\x30\x03\x00\x02t" + PINGRESP, "ends before its payload"),
        (Protocol.V311, b"\x32\x04\x00\x01t\x00", "ends before its payload"),
        (Protocol.V311, b"\x32\x05\x00\x01t\x00\x00", "without a packet id"),
        (Protocol.V311, b"\x34\x05\x00\x01t\x00\x01", "QoS 2"),
        (Protocol.V311, b"\x36\x05\x00\x01t\x00\x01", "QoS 2"),
        (Protocol.V311, b"\x30\xff\xff\xff\xff", "more than four bytes"),
        (Protocol.V311, b"\x00\x00", "no broker sends"),
        (Protocol.V311, b"\x40\x02\x00\x01", "no broker sends"),
        (Protocol.V311, b"\xd1\x00", "no broker sends"),
        (Protocol.V311, b"\xd0\xff\xff\xff\x7f", "268435455 bytes"),
        (Protocol.V5, b"\x30\x03\x00\x01t", "ends before its payload"),
        (Protocol.V5, b"\x30\x03\x00\x01t\x00", "ends before its payload"),
        (Protocol.V5, b"\x30\x05\x00\x01t\x05\x26", "middle of a field"),
        (Protocol.V5, b"\x30\x05\x00\x01t\x01\x7f", "unknown property 0x7f"),
        (Protocol.V5, b"\x30\x08\x00\x01t\x04\x01\x00\x01\x00", "twice"),
        (Protocol.V5, b"\x30\x06\x00\x00\x03\x23\x00\x01", "topic alias"),
    ],
)
def test_what_cannot_be_is_named(protocol: Protocol, data: bytes, why: str) -> None:
    with pytest.raises(ProtocolError, match=why):
        read(Reader(protocol), [data])


def test_a_topic_that_is_not_utf8_is_escaped_and_costs_its_neighbours_nothing() -> None:
    odd, good = b"\x30\x06\x00\x02\xffthi", b"\x30\x05\x00\x01tho"
    assert read(Reader(Protocol.V311), [odd + good]) == [Message(r"\xfft", b"hi"), Message("t", b"ho")]


@given(
    protocol=PROTOCOLS,
    length=st.integers(1001, 3000),
    cuts=st.lists(st.integers(0, 5000), max_size=6),
    in_properties=st.booleans(),
)
def test_what_is_too_long_arrives_cut_off_and_costs_its_neighbours_nothing(
    protocol: Protocol, length: int, cuts: list[int], *, in_properties: bool
) -> None:
    users = [("k", "v" * length)] if in_properties and protocol is Protocol.V5 else []
    big = Published("big", b"x" * length, packet_id=1, qos=1, users=users)
    small = Published("small", b"y", packet_id=2, qos=1)
    data = b"".join(published(protocol, each) for each in (small, big, small))
    found = read(Reader(protocol, largest=1000), list(pieces(data, cuts)))
    first, cut, last = found
    assert first == last == small.message
    assert isinstance(cut, Message)
    assert (cut.topic, cut.packet_id, cut.qos) == ("big", 1, 1)
    header = 2 + len("big") + 2 + (protocol is Protocol.V5)
    assert cut.payload == (b"" if users else b"x" * (1000 - header))


def test_it_keeps_no_more_than_a_packet_that_is_not_complete() -> None:
    reader = Reader(Protocol.V311, largest=1000)
    announced = b"\x30" + variable(100_000_000) + b"\x00\x01t"
    found = read(reader, [announced, *[bytes(500)] * 10])
    assert found == [Message("t", bytes(1000 - 3))]
