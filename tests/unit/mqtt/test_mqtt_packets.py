"""What we send, byte for byte what paho sends; what a broker answers, read back."""
# ruff: noqa: SLF001 - paho's encoder has no public name

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.messages import Message
from ingest.mqtt import packets, reasons
from ingest.mqtt.errors import LostError, ProtocolError, RefusedError
from ingest.mqtt.packets import Answer, Hello, Protocol
from ingest.mqtt.properties import Property, read_properties
from ingest.mqtt.wire import Fields, read_variable, variable
from tests.unit.mqtt.oracle import properties, sent

PROTOCOLS = st.sampled_from(Protocol)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)
EVERY_PROPERTY = {
    "SessionExpiryInterval": 3600,
    "ReceiveMaximum": 20,
    "MaximumQoS": 1,
    "RetainAvailable": 1,
    "MaximumPacketSize": 65_536,
    "AssignedClientIdentifier": "all",
    "TopicAliasMaximum": 10,
    "ReasonString": "as you wish",
    "WildcardSubscriptionAvailable": 1,
    "SubscriptionIdentifierAvailable": 1,
    "SharedSubscriptionAvailable": 0,
    "ServerKeepAlive": 20,
    "ResponseInformation": "here",
    "ServerReference": "elsewhere",
    "AuthenticationMethod": "none",
    "AuthenticationData": b"\x00\x01",
}


@given(PROTOCOLS, WORDS, st.none() | st.tuples(WORDS, st.text("pw", max_size=5)), st.integers(1, 65_535))
def test_connect_is_pahos_connect(
    protocol: Protocol, client_id: str, login: tuple[str, str] | None, keepalive: int
) -> None:
    def say(client: Client) -> None:
        if login:
            client.username_pw_set(*login)
        if protocol is Protocol.V5:
            wishes = {"SessionExpiryInterval": 0xFFFFFFFF, "ReceiveMaximum": 65_535}
            client._connect_properties = properties(PacketTypes.CONNECT, **wishes)
        client._send_connect(keepalive)

    hello = Hello(client_id, *(login or ("", "")), keepalive=keepalive, protocol=protocol)
    assert packets.connect(hello) == sent(protocol, say, client_id=client_id)


def test_a_password_is_never_shown() -> None:
    assert "secret" not in repr(Hello("all", "user", "secret"))


@given(PROTOCOLS, st.lists(WORDS, min_size=1, max_size=5))
def test_subscribe_is_pahos_subscribe(protocol: Protocol, filters: list[str]) -> None:
    options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
    wanted = [(each.encode(), options if protocol is Protocol.V5 else 1) for each in filters]
    assert packets.subscribe(filters, protocol) == sent(protocol, lambda client: client._send_subscribe(0, wanted))


@given(PROTOCOLS, st.lists(st.tuples(st.integers(1, 65_535), st.sampled_from([0, 1]))))
def test_pubacks_are_pahos_pubacks_for_what_has_qos_1(protocol: Protocol, delivered: list[tuple[int, int]]) -> None:
    messages = [Message("t", b"", packet_id if qos else 0, qos) for packet_id, qos in delivered]

    def say(client: Client) -> None:
        for packet_id, qos in delivered:
            if qos:
                client._send_puback(packet_id)

    assert packets.pubacks(messages) == sent(protocol, say)


@pytest.mark.parametrize("protocol", Protocol)
def test_ping_and_goodbye_are_pahos(protocol: Protocol) -> None:
    assert sent(protocol, lambda client: client._send_pingreq()) == packets.PINGREQ
    assert sent(protocol, lambda client: client._send_disconnect()) == packets.DISCONNECT


@given(st.integers(0, 268_435_455), st.binary(max_size=3))
def test_a_variable_integer_is_read_as_it_was_written(value: int, after: bytes) -> None:
    encoded = variable(value)
    assert read_variable(b"?" + encoded + after, 1) == (value, 1 + len(encoded))
    assert all(read_variable(encoded[:size], 0) is None for size in range(len(encoded)))


def test_every_property_of_a_connack_is_understood_or_skipped() -> None:
    packed = properties(PacketTypes.CONNACK, **EVERY_PROPERTY, UserProperty=[("a", "b"), ("a", "c")]).pack()
    fields = Fields(packed + b"behind")
    found = read_properties(fields)
    assert fields.rest() == b"behind"
    assert found[Property.SESSION_EXPIRY] == 3600
    assert found[Property.SERVER_KEEP_ALIVE] == 20
    assert found[Property.REASON_STRING] == "as you wish"
    assert found[Property.SERVER_REFERENCE] == "elsewhere"


@given(st.binary(max_size=60))
def test_any_bytes_are_properties_or_a_protocol_error(data: bytes) -> None:
    with suppress(ProtocolError):
        read_properties(Fields(data))


def test_connack_tells_whether_the_session_was_kept() -> None:
    assert packets.read_connack(b"\x01\x00", Protocol.V311) == Answer(b"\x00", {}, resumed=True)
    assert packets.read_connack(b"\x00\x00\x00", Protocol.V5) == Answer(b"\x00", {}, resumed=False)


def test_connack_with_properties_gives_its_numbers() -> None:
    packed = properties(PacketTypes.CONNACK, ServerKeepAlive=12).pack()
    answer = packets.read_connack(b"\x00\x00" + packed, Protocol.V5)
    assert answer.number(Property.SERVER_KEEP_ALIVE, 0) == 12
    assert answer.number(Property.SESSION_EXPIRY, 7) == 7


@pytest.mark.parametrize(
    ("body", "protocol"),
    [(b"", 4), (b"\x00", 4), (b"\x02\x00", 4), (b"\x00\x00\x00", 4), (b"\x00\x00\x05\x11", 5), (b"\x00\x00\x00!", 5)],
)
def test_a_connack_that_is_none_is_a_protocol_error(body: bytes, protocol: int) -> None:
    with pytest.raises(ProtocolError):
        packets.read_connack(body, Protocol(protocol))


@pytest.mark.parametrize("body", [b"", b"\x00\x01", b"\x00\x02\x01\x01", b"\x00\x01\x01", b"\x00\x01\x01\x01\x01"])
def test_a_suback_must_answer_our_question_filter_by_filter(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        packets.read_suback(body, Protocol.V311, filters=2)
    assert packets.read_suback(b"\x00\x01\x01\x80", Protocol.V311, filters=2).codes == b"\x01\x80"


def test_a_goodbye_may_leave_out_everything() -> None:
    assert packets.read_disconnect(b"", Protocol.V5).code == 0
    assert packets.read_disconnect(b"\x8e", Protocol.V5).code == 0x8E
    assert packets.read_disconnect(b"\x8b\x00", Protocol.V5).code == 0x8B


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (0x01, RefusedError, "choose the other one"),
        (0x02, RefusedError, "client id"),
        (0x03, LostError, "server unavailable"),
        (0x04, RefusedError, "check the user and password"),
        (0x05, RefusedError, "check the user and password"),
        (0x80, LostError, "unspecified"),
        (0x84, RefusedError, "choose the other one"),
        (0x86, RefusedError, "check the user and password"),
        (0x87, RefusedError, "check the user and password"),
        (0x88, LostError, "server unavailable"),
        (0x89, LostError, "busy"),
        (0x8A, RefusedError, "banned"),
        (0x97, LostError, "quota"),
        (0x9F, LostError, "rate"),
        (0xFE, RefusedError, "reason code 0xfe"),
    ],
)
def test_a_refusal_is_waited_out_or_told(code: int, kind: type[Exception], words: str) -> None:
    error = reasons.refusal(Answer(bytes((code,))))
    assert type(error) is kind
    assert words in str(error)


def test_what_the_broker_says_of_its_reason_is_told() -> None:
    answer = Answer(b"\x9d", {Property.REASON_STRING: "moved", Property.SERVER_REFERENCE: "other:1883"})
    assert reasons.describe(answer) == "server moved ('moved') ('other:1883')"
