"""The session of a partition against real brokers: what it keeps, what it says when they are away or say no."""

import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from cityward import embedded
from cityward.clock import Clock
from devices.broker import Broker
from ingest import session as session_module
from ingest.errors import BrokerRefusedError, BrokerUnavailableError
from ingest.messages import Batch, Message
from ingest.mqtt import packets
from ingest.mqtt.packets import Hello, Protocol
from ingest.mqtt.reader import LARGEST_PACKET
from ingest.session import LARGEST_BATCH, TICK, Session
from tests.fix_broker import BROKERS
from tests.fix_city import plain_client
from tests.fix_mosquitto import StartMosquitto
from tests.needing import missing
from tests.unit.mqtt.oracle import Published, published
from tests.waiting import PATIENCE

TOPIC = "city/east/noise/n-1/up"
FILTERS = ["city/+/+/+/up", "city/+/+/+/event"]
# The embedded broker keeps sessions over 3.1.1 only.
SPOKEN = [(name, Protocol.V311) for name in BROKERS] + [(name, Protocol.V5) for name in BROKERS if name != "embedded"]

on_every_broker = pytest.mark.parametrize(("broker", "protocol"), SPOKEN, indirect=["broker"])
in_both_versions = pytest.mark.parametrize("protocol", Protocol)


def collector(
    broker: Broker, protocol: Protocol = Protocol.V311, *, tls: ssl.SSLContext | None = None, keepalive: int = 30
) -> Session:
    return Session(
        broker,
        "all",
        FILTERS,
        clock=Clock(),
        stopping=lambda: False,
        protocol=protocol,
        tls=tls,
        keepalive=keepalive,
    )


def take(session: Session, count: int) -> list[Message]:
    """The next messages, at least so many, none acknowledged."""
    messages: list[Message] = []
    for ticks, batch in enumerate(session.batches()):
        messages += batch.messages
        if len(messages) >= count:
            break
        assert ticks * TICK < PATIENCE, f"{len(messages)} of {count} messages"
    return messages


def rest(session: Session, ticks: int = 3) -> list[Message]:
    """What still comes."""
    batches = session.batches()
    return [message for _ in range(ticks) for message in next(batches).messages]


def acknowledge(session: Session, messages: list[Message]) -> None:
    session.acknowledge(Batch(messages, 0))


def payloads(messages: list[Message]) -> list[bytes]:
    return [message.payload for message in messages]


def publish(broker: Broker, *messages: bytes) -> None:
    with plain_client(broker) as client:
        for message in messages:
            client.publish(TOPIC, message)


def pour(broker: Broker, count: int) -> None:
    """Publish so many messages without waiting for each other."""
    message = published(Protocol.V311, Published(TOPIC, b"reading", packet_id=1, qos=1))
    with socket.create_connection((broker.host, broker.port), PATIENCE) as publisher:
        publisher.sendall(packets.connect(Hello("pouring")) + message * count)
        answers = 4 + 4 * count  # bytes of CONNACK and PUBACKs
        while answers:
            answers -= len(publisher.recv(answers))


@on_every_broker
def test_the_broker_keeps_what_is_published_while_the_collector_is_away(broker: Broker, protocol: Protocol) -> None:
    with collector(broker, protocol) as session:
        assert not session.resumed
    publish(broker, b"1", b"2", b"3")
    with collector(broker, protocol) as session:
        assert session.resumed
        messages = take(session, 3)
    assert payloads(messages) == [b"1", b"2", b"3"]
    assert {(message.topic, message.qos) for message in messages} == {(TOPIC, 1)}


@on_every_broker
def test_what_is_not_acknowledged_comes_again_and_nothing_else(broker: Broker, protocol: Protocol) -> None:
    with collector(broker, protocol) as session:
        publish(broker, b"1", b"2", b"3", b"4")
        messages = take(session, 4)
        assert payloads(messages) == [b"1", b"2", b"3", b"4"]
        acknowledge(session, messages[:2])
    with collector(broker, protocol) as session:
        again = take(session, 2)
        assert payloads(again) == [b"3", b"4"]
        acknowledge(session, again)
    with collector(broker, protocol) as session:
        assert rest(session) == []


@on_every_broker
def test_more_than_may_be_in_flight_arrives_whole_and_in_order(broker: Broker, protocol: Protocol) -> None:
    expected = [str(number).encode() for number in range(250)]  # the embedded broker has 100 in flight
    with collector(broker, protocol):
        pass
    publish(broker, *expected)
    found: list[bytes] = []
    with collector(broker, protocol) as session:
        while len(found) < len(expected):
            messages = take(session, 1)
            found += payloads(messages)
            acknowledge(session, messages)
        assert rest(session) == []
    assert found == expected


@on_every_broker
def test_a_payload_of_a_mebibyte_arrives_whole(broker: Broker, protocol: Protocol) -> None:
    large = os.urandom(1024 * 1024)
    with collector(broker, protocol) as session:
        publish(broker, large, b"small")
        assert payloads(take(session, 2)) == [large, b"small"]


def test_large_messages_make_small_batches(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "LARGEST_READ", 1024 * 1024)
    large = [bytes([number]) * 400_000 for number in range(10)]
    with collector(broker) as session:
        publish(broker, *large)
        batches = session.batches()
        found: list[bytes] = []
        while len(found) < len(large):
            messages = next(batches).messages
            assert len(messages) <= 4
            found += payloads(messages)
    assert found == large


@on_every_broker
def test_an_idle_session_is_kept_alive(broker: Broker, protocol: Protocol) -> None:
    with collector(broker, protocol, keepalive=1) as session:
        idle_until = time.monotonic() + 3  # of which the broker grants 1.5
        while time.monotonic() < idle_until:
            assert rest(session, ticks=1) == []
        publish(broker, b"still there")
        assert payloads(take(session, 1)) == [b"still there"]


def test_without_a_broker_the_address_is_named() -> None:
    broker = Broker("127.0.0.1", embedded.free_port(0))
    with (
        pytest.raises(BrokerUnavailableError, match=f"no MQTT broker at 127.0.0.1:{broker.port}: .*refused"),
        collector(broker),
    ):
        pass


def test_what_accepts_connections_and_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "HANDSHAKE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        broker = Broker("127.0.0.1", silent.getsockname()[1])
        with (
            pytest.raises(BrokerUnavailableError, match=f"{broker} accepts connections; waiting for CONNACK in vain"),
            collector(broker),
        ):
            pass


def test_what_speaks_something_else_is_told_so() -> None:
    def answer() -> None:
        accepted, _ = other.accept()
        with accepted:
            accepted.recv(1024)
            accepted.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            accepted.recv(1024)

    with socket.create_server(("127.0.0.1", 0)) as other:
        answering = threading.Thread(target=answer)
        answering.start()
        with (
            pytest.raises(BrokerUnavailableError, match="lost: a packet 0x48"),
            collector(Broker("127.0.0.1", other.getsockname()[1])),
        ):
            pass
        answering.join()


@in_both_versions
def test_a_broker_killed_in_mid_read_is_unavailable(own_mosquitto: StartMosquitto, protocol: Protocol) -> None:
    running = own_mosquitto("allow_anonymous true")
    with collector(running.broker, protocol) as session:
        publish(running.broker, b"1")
        messages = take(session, 1)
        running.end()
        with pytest.raises(BrokerUnavailableError, match=f"connection to the broker at {running.broker} lost"):
            rest(session)
        with suppress(BrokerUnavailableError):  # the first write to a closed connection may pass
            acknowledge(session, messages)
        with pytest.raises(BrokerUnavailableError, match="lost"):
            acknowledge(session, messages)


def test_a_broker_that_hangs_is_noticed(own_mosquitto: StartMosquitto) -> None:
    running = own_mosquitto("allow_anonymous true")
    with collector(running.broker, keepalive=1) as session:
        running.signal(signal.SIGSTOP)
        with pytest.raises(BrokerUnavailableError, match="no answer to PINGREQ"):
            rest(session, ticks=10)


@on_every_broker
def test_a_second_collector_of_the_same_name_takes_over(broker: Broker, protocol: Protocol) -> None:
    with collector(broker, protocol) as first, collector(broker, protocol) as second:
        with pytest.raises(BrokerUnavailableError, match="lost"):
            rest(first)
        publish(broker, b"1")
        assert payloads(take(second, 1)) == [b"1"]


@in_both_versions
def test_a_wrong_password_is_refused_with_advice(
    own_mosquitto: StartMosquitto, tmp_path: Path, protocol: Protocol
) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, "collector", "right"], check=True)
    running = own_mosquitto(f"allow_anonymous false\npassword_file {passwords}")
    host, port = running.broker.host, running.broker.port
    with collector(Broker(host, port, "collector", "right"), protocol):
        pass
    for wrong in (Broker(host, port, "collector", "wrong"), running.broker):
        with (
            pytest.raises(BrokerRefusedError, match=f"{host}:{port} refuses: not authorized.*check the user and pass"),
            collector(wrong, protocol),
        ):
            pass


ONLY_UP = {
    "defaultACLAccess": {"publishClientSend": True, "publishClientReceive": True, "subscribe": False},
    "roles": [
        {"rolename": "up", "acls": [{"acltype": "subscribePattern", "topic": "city/+/+/+/up", "allow": True}]},
    ],
    "groups": [{"groupname": "anyone", "roles": [{"rolename": "up"}], "clients": []}],
    "anonymousGroup": "anyone",
    "clients": [],
}


@in_both_versions
def test_a_filter_that_is_denied_is_named(own_mosquitto: StartMosquitto, tmp_path: Path, protocol: Protocol) -> None:
    places = ("lib*/mosquitto_dynamic_security.so", "lib*/*/mosquitto_dynamic_security.so")
    plugins = [plugin for place in places for plugin in Path("/usr").glob(place)]
    if not plugins:
        missing("dynamic security plugin of Mosquitto", "it comes with Debian's mosquitto")
    access = tmp_path / "access.json"
    access.write_text(json.dumps(ONLY_UP))
    running = own_mosquitto(f"allow_anonymous true\nplugin {plugins[0]}\nplugin_opt_config_file {access}")
    with (
        pytest.raises(BrokerRefusedError, match=r"refuses: no subscription to city/\+/\+/\+/event \([^)]*\); check"),
        collector(running.broker, protocol),
    ):
        pass


@pytest.mark.parametrize(("protocol", "delivered"), [(Protocol.V311, 20), (Protocol.V5, 100)])
def test_mqtt_5_lifts_the_brokers_limit_of_messages_in_flight(
    own_mosquitto: StartMosquitto, protocol: Protocol, delivered: int
) -> None:
    running = own_mosquitto("allow_anonymous true\nmax_inflight_messages 20")
    with collector(running.broker, protocol):
        pass
    pour(running.broker, 100)
    with collector(running.broker, protocol) as session:
        assert len(take(session, delivered) + rest(session)) == delivered


@in_both_versions
def test_what_is_beyond_all_measure_arrives_cut_off_and_is_no_obstacle(
    own_mosquitto: StartMosquitto, protocol: Protocol
) -> None:
    running = own_mosquitto("allow_anonymous true")
    with collector(running.broker, protocol) as session:
        publish(running.broker, bytes(LARGEST_PACKET + 1000), b"small")
        cut, small = take(session, 2)
        assert LARGEST_PACKET - 100 < len(cut.payload) < LARGEST_PACKET
        assert small.payload == b"small"
        acknowledge(session, [cut, small])
    with collector(running.broker, protocol) as session:
        assert rest(session) == []


def test_a_backlog_behind_which_suback_comes_late_is_no_obstacle(own_mosquitto: StartMosquitto) -> None:
    running = own_mosquitto("allow_anonymous true\nmax_queued_messages 0")
    count = 2 * LARGEST_BATCH
    with collector(running.broker, Protocol.V5):
        pass
    pour(running.broker, count)
    with collector(running.broker, Protocol.V5) as session:
        assert len(take(session, count)) == count


NEW_CERTIFICATE = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
    "-subj /CN=broker -addext subjectAltName=IP:127.0.0.1"
)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    made, key = tmp_path / "broker.crt", tmp_path / "broker.key"
    subprocess.run(
        [*NEW_CERTIFICATE.split(), "-keyout", key, "-out", made],
        check=True,
        capture_output=True,
    )
    return made, key


@in_both_versions
def test_tls_carries_a_session(
    own_mosquitto: StartMosquitto, certificate: tuple[Path, Path], protocol: Protocol
) -> None:
    made, key = certificate
    plain = embedded.free_port(0)
    running = own_mosquitto(f"certfile {made}\nkeyfile {key}\nallow_anonymous true\nlistener {plain} 127.0.0.1")
    trusting = ssl.create_default_context(cafile=str(made))
    large = os.urandom(300_000)
    with collector(running.broker, protocol, tls=trusting) as session:
        publish(Broker("127.0.0.1", plain), b"1", large, b"2")
        messages = take(session, 3)
        assert payloads(messages) == [b"1", large, b"2"]
        acknowledge(session, messages)
        assert rest(session, ticks=1) == []
    with collector(running.broker, protocol, tls=trusting) as session:
        assert rest(session, ticks=1) == []
    with (
        pytest.raises(BrokerUnavailableError, match=f"no TLS with the broker at {running.broker}: .*certificate"),
        collector(running.broker, protocol, tls=ssl.create_default_context()),
    ):
        pass
    with pytest.raises(BrokerUnavailableError, match="lost"), collector(running.broker, protocol):
        pass
