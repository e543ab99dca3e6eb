"""A connection from CONNECT to its end, without a socket."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.messages import Message
from ingest.mqtt import packets
from ingest.mqtt.connection import TRANSITIONS, Connection, State
from ingest.mqtt.errors import LostError, MqttError, ProtocolError, RefusedError
from ingest.mqtt.packets import Hello, PacketType, Protocol

FILTERS = ["city/+/+/+/up", "city/+/+/+/event"]
CONNACK = {Protocol.V311: b"\x20\x02\x00\x00", Protocol.V5: b"\x20\x03\x00\x00\x00"}
RESUMED = b"\x20\x02\x01\x00"
SUBACK = {Protocol.V311: b"\x90\x04\x00\x01\x01\x01", Protocol.V5: b"\x90\x05\x00\x01\x00\x01\x01"}
PUBLISH = {Protocol.V311: b"\x32\x07\x00\x01t\x00\x09hi", Protocol.V5: b"\x32\x08\x00\x01t\x00\x09\x00hi"}
MESSAGE = Message("t", b"hi", 9, 1)
PINGRESP = b"\xd0\x00"
DISCONNECT = b"\xe0\x01\x8b"


def connection(protocol: Protocol = Protocol.V311, *, keepalive: int = 30) -> Connection:
    return Connection(Hello("all", keepalive=keepalive, protocol=protocol), FILTERS, now=0)


def subscribed(protocol: Protocol = Protocol.V311) -> Connection:
    made = connection(protocol)
    made.receive(CONNACK[protocol] + SUBACK[protocol])
    made.data_to_send(0)
    return made


def in_state(state: State, protocol: Protocol) -> Connection:
    made = connection(protocol)
    if state is not State.CONNECTING:
        made.receive(CONNACK[protocol])
    if state in {State.SUBSCRIBED, State.CLOSED}:
        made.receive(SUBACK[protocol])
    if state is State.CLOSED:
        made.disconnect()
    assert made.state is state
    return made


@pytest.mark.parametrize("protocol", Protocol)
def test_it_greets_subscribes_and_hears(protocol: Protocol) -> None:
    made = connection(protocol)
    assert made.data_to_send(0) == packets.connect(Hello("all", protocol=protocol))
    assert made.receive(CONNACK[protocol]) == []
    assert made.data_to_send(0) == packets.subscribe(FILTERS, protocol)
    assert made.receive(SUBACK[protocol] + PUBLISH[protocol]) == [MESSAGE]
    assert made.state is State.SUBSCRIBED
    assert made.data_to_send(0) == b""


def test_a_kept_session_delivers_before_the_subscription_is_granted() -> None:
    made = connection()
    assert made.receive(RESUMED + PUBLISH[Protocol.V311]) == [MESSAGE]
    assert (made.resumed, made.state) == (True, State.SUBSCRIBING)
    made.receive(SUBACK[Protocol.V311])
    assert made.state is State.SUBSCRIBED


@pytest.mark.parametrize(
    ("state", "data", "after"),
    [
        (State.CONNECTING, CONNACK, State.SUBSCRIBING),
        (State.CONNECTING, SUBACK, ProtocolError),
        (State.CONNECTING, PUBLISH, ProtocolError),
        (State.CONNECTING, PINGRESP, ProtocolError),
        (State.CONNECTING, DISCONNECT, ProtocolError),
        (State.SUBSCRIBING, CONNACK, ProtocolError),
        (State.SUBSCRIBING, SUBACK, State.SUBSCRIBED),
        (State.SUBSCRIBING, PUBLISH, State.SUBSCRIBING),
        (State.SUBSCRIBING, PINGRESP, State.SUBSCRIBING),
        (State.SUBSCRIBING, DISCONNECT, LostError),
        (State.SUBSCRIBED, CONNACK, ProtocolError),
        (State.SUBSCRIBED, SUBACK, ProtocolError),
        (State.SUBSCRIBED, PUBLISH, State.SUBSCRIBED),
        (State.SUBSCRIBED, PINGRESP, State.SUBSCRIBED),
        (State.SUBSCRIBED, DISCONNECT, LostError),
        (State.CLOSED, CONNACK, ProtocolError),
        (State.CLOSED, SUBACK, ProtocolError),
        (State.CLOSED, PUBLISH, ProtocolError),
        (State.CLOSED, PINGRESP, ProtocolError),
        (State.CLOSED, DISCONNECT, ProtocolError),
    ],
)
def test_a_broker_may_say_each_thing_at_its_time_only(
    state: State, data: bytes | dict[Protocol, bytes], after: State | type[MqttError]
) -> None:
    made = in_state(state, Protocol.V5)
    said = data if isinstance(data, bytes) else data[Protocol.V5]
    if isinstance(after, State):
        made.receive(said)
        assert made.state is after
    else:
        with pytest.raises(after):
            made.receive(said)


def test_every_state_can_be_reached_and_left() -> None:
    reached = {after for moves in TRANSITIONS.values() for after in moves.values()}
    assert reached | {State.CONNECTING} == set(State) == set(TRANSITIONS)
    assert {state for state, moves in TRANSITIONS.items() if PacketType.DISCONNECT not in moves} == {
        State.CONNECTING,
        State.CLOSED,
    }


def test_messages_before_connack_are_a_protocol_error_even_in_one_chunk() -> None:
    with pytest.raises(ProtocolError, match="PUBLISH while waiting for CONNACK"):
        connection().receive(PUBLISH[Protocol.V311] + CONNACK[Protocol.V311])


def test_a_broker_of_3_1_1_says_no_goodbye() -> None:
    with pytest.raises(ProtocolError, match=r"3\.1\.1"):
        subscribed().receive(DISCONNECT)


def test_a_goodbye_is_told_with_its_reason() -> None:
    with pytest.raises(LostError, match="session taken over; another client"):
        subscribed(Protocol.V5).receive(b"\xe0\x01\x8e")


@pytest.mark.parametrize("state", [State.CONNECTING, State.SUBSCRIBING, State.SUBSCRIBED])
def test_the_end_of_the_stream_tells_how_far_it_came(state: State) -> None:
    with pytest.raises(LostError, match=f"closed by the broker \\({state}\\)"):
        in_state(state, Protocol.V311).receive(b"")


def test_a_wrong_password_is_refused() -> None:
    with pytest.raises(RefusedError, match="bad user name or password; check the user and password"):
        connection().receive(b"\x20\x02\x00\x04")


def test_a_broker_that_is_busy_is_not_refusing() -> None:
    with pytest.raises(LostError, match="busy"):
        connection(Protocol.V5).receive(b"\x20\x03\x00\x89\x00")


def test_a_broker_that_knows_no_mqtt_5_is_understood() -> None:
    with pytest.raises(RefusedError, match="choose the other one"):
        connection(Protocol.V5).receive(b"\x20\x02\x00\x01")


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        (b"\x01\x80", ["event (unspecified error)"]),
        (b"\x87\x01", ["up (not authorized)"]),
        (b"\x80\x87", ["up (unspecified error)", "event (not authorized)"]),
        (b"\x01\x00", ["event (only with QoS 0)"]),
    ],
)
def test_filters_that_are_not_granted_are_named(codes: bytes, told: list[str]) -> None:
    with pytest.raises(RefusedError) as caught:
        in_state(State.SUBSCRIBING, Protocol.V311).receive(b"\x90\x04\x00\x01" + codes)
    assert str(caught.value) == (
        f"no subscription to {', '.join(f'city/+/+/+/{each}' for each in told)}; check the broker's access list"
    )


def test_a_broker_that_keeps_no_session_is_refused() -> None:
    with pytest.raises(RefusedError, match="keeps no session"):
        connection(Protocol.V5).receive(b"\x20\x08\x00\x00\x05\x11\x00\x00\x00\x00")


def test_a_whole_batch_is_acknowledged_in_one_piece() -> None:
    made = subscribed()
    made.acknowledge([MESSAGE, Message("t", b"", 0, 0), Message("t", b"", 258, 1)])
    assert made.data_to_send(0) == b"\x40\x02\x00\x09\x40\x02\x01\x02"
    assert made.data_to_send(0) == b""


def test_goodbye_comes_after_the_last_acknowledgement_and_nothing_after_it() -> None:
    made = subscribed()
    made.acknowledge([MESSAGE])
    made.disconnect()
    assert made.data_to_send(1000) == b"\x40\x02\x00\x09" + packets.DISCONNECT
    assert made.data_to_send(2000) == b""


def test_silence_is_broken_by_a_ping_and_without_an_answer_the_connection_is_lost() -> None:
    made = subscribed()
    assert made.data_to_send(14) == b""
    assert made.data_to_send(15) == packets.PINGREQ
    assert made.data_to_send(44) == b""
    with pytest.raises(LostError, match="no answer to PINGREQ"):
        made.data_to_send(45)


@pytest.mark.parametrize("answer", [PINGRESP, PUBLISH[Protocol.V311]])
def test_any_packet_answers_a_ping(answer: bytes) -> None:
    made = subscribed()
    assert made.data_to_send(15) == packets.PINGREQ
    made.receive(answer)
    assert made.data_to_send(29) == b""
    assert made.data_to_send(45) == packets.PINGREQ


def test_the_keep_alive_of_an_mqtt_5_broker_is_honoured() -> None:
    made = connection(Protocol.V5)
    made.receive(b"\x20\x06\x00\x00\x03\x13\x00\x0a")
    made.data_to_send(0)
    assert made.data_to_send(4) == b""
    assert made.data_to_send(5) == packets.PINGREQ


@given(st.sampled_from(Protocol), st.sampled_from(State), st.lists(st.binary(min_size=1, max_size=80), max_size=4))
def test_any_bytes_at_any_time_are_messages_or_the_end(protocol: Protocol, state: State, chunks: list[bytes]) -> None:
    made = in_state(state, protocol)
    with suppress(MqttError):
        for chunk in chunks:
            made.receive(chunk)


@pytest.mark.parametrize("protocol", Protocol)
def test_a_session_that_ends_subscribes_to_nothing(protocol: Protocol) -> None:
    made = Connection(Hello("all", protocol=protocol, keep=False), [], now=0)
    made.data_to_send(0)
    made.receive(b"\x20\x02\0\0" if protocol is Protocol.V311 else b"\x20\x03\0\0\0")
    assert (made.state, made.data_to_send(0)) == (State.SUBSCRIBED, b"")
