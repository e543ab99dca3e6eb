from datetime import UTC, datetime

import pytest

from benchmarks.traffic import Source
from ingest.messages import Message
from ingest.mqtt.packets import Protocol
from ingest.mqtt.reader import Reader
from simulators.city import build_city

CITY = build_city(1, 100)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def read(blocks: list[bytes]) -> list[Message]:
    messages: list[Message] = []
    for block in blocks:
        assert list(Reader(Protocol.V311).read(block, messages)) == []
    return messages


@pytest.mark.parametrize("qos", [0, 1])
def test_a_broker_reads_every_message_from_the_prepared_bytes(qos: int) -> None:
    traffic = Source(CITY, (), NOW, 1).traffic(250, qos)
    found = read(traffic.blocks)
    assert len(found) == traffic.messages == 250
    assert sum(len(message.payload) for message in found) == traffic.payload_bytes
    assert [message.packet_id for message in found] == ([*range(1, 251)] if qos else [0] * 250)


def test_each_call_goes_on_where_the_last_one_ended() -> None:
    source, other = Source(CITY, (), NOW, 1), Source(CITY, (), NOW, 1)
    two = [(each.topic, each.payload) for _ in range(2) for each in read(source.traffic(150, 1).blocks)]
    assert two == [(each.topic, each.payload) for each in read(other.traffic(300, 1).blocks)]
    assert len(set(two)) == 300


def test_only_devices_of_the_kinds_asked_for_send() -> None:
    topics = {message.topic for message in read(Source(CITY, ["noise"], NOW, 1).traffic(50, 1).blocks)}
    assert {topic.split("/")[2] for topic in topics} == {"noise"}
