"""The publisher's memory: what was sent stays until its PUBACK has come."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.rig import share
from ingest.mqtt.publishing import Unacknowledged


def puback(publish: bytes) -> bytes:
    """The answer to a PUBLISH with a topic of one letter."""
    return b"\x40\x02" + publish[5:7]


def test_a_publish_is_what_mqtt_says() -> None:
    waiting = Unacknowledged()
    assert waiting.send(0, b"a/b", b"{}") == b"\x32\x09\x00\x03a/b\x00\x01{}"
    assert waiting.again() == b"\x3a\x09\x00\x03a/b\x00\x01{}"


@given(count=st.integers(1, 50), cuts=st.lists(st.integers(0, 200)))
def test_pubacks_are_understood_however_they_are_cut(count: int, cuts: list[int]) -> None:
    waiting = Unacknowledged()
    stream = b"".join(puback(waiting.send(number, b"t", b"")) for number in range(count))
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    rest, found = b"", []
    for start, end in pairwise(edges):
        messages, rest = waiting.acknowledged(rest + stream[start:end])
        found += messages
    assert found == list(range(count))
    assert rest == b""
    assert len(waiting) == 0


def test_what_is_sent_again_is_what_is_not_acknowledged_in_order() -> None:
    waiting = Unacknowledged()
    first, second, third = (waiting.send(number, b"t", b"%d" % number) for number in range(3))
    assert waiting.acknowledged(puback(second)) == ([1], b"")
    assert waiting.again() == b"\x3a" + first[1:] + b"\x3a" + third[1:]


def test_a_second_puback_for_the_same_message_counts_once() -> None:
    waiting = Unacknowledged()
    answer = puback(waiting.send(0, b"t", b""))
    assert waiting.acknowledged(answer + answer) == ([0], b"")


def test_packet_ids_in_use_are_passed_over() -> None:
    waiting = Unacknowledged()
    oldest = waiting.send(0, b"t", b"")
    for number in range(1, 0xFFFF):
        waiting.acknowledged(puback(waiting.send(number, b"t", b"")))
    assert oldest[5:7] == b"\x00\x01"
    assert waiting.send(0xFFFF, b"t", b"")[5:7] == b"\x00\x02"


def test_anything_but_puback_ends_the_connection() -> None:
    with pytest.raises(ConnectionError, match="PUBACK"):
        Unacknowledged().acknowledged(b"\xe0\x00\x00\x00")


def test_a_share_is_one_of_the_values() -> None:
    assert share([3.0, 1.0, 2.0], 0.5) == 2.0
    assert share([3.0, 1.0, 2.0], 0.95) == 3.0
    assert share([1.0], 0.5) == 1.0
    assert share([], 0.5) is None
