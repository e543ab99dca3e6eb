"""What the pretend city sends, as PUBLISH packets that only need to be written to a socket."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, islice

from ingest.mqtt.wire import short, text, variable
from simulators.city import PretendCity
from simulators.fleet import Fleet
from simulators.story import Story

SPAN = timedelta(days=60)  # of the city's time, more than is ever needed: messages are drawn as they are wanted
BLOCK = 100  # messages written at once
_PACKET_IDS = 65_535


@dataclass(frozen=True, slots=True)
class Traffic:
    """Messages as bytes, ``BLOCK`` in each element of ``blocks`` but the last."""

    messages: int
    blocks: list[bytes]
    payload_bytes: int


class Source:
    """A healthy city's messages in order of time, none twice; every call goes on where the last one ended.

    Args:
        city: Who sends.
        kinds: Only devices of these kinds are heard; all where empty.
        until: When the newest message may have been sent (aware).
        seed: Where the random numbers start.
    """

    def __init__(self, city: PretendCity, kinds: Sequence[str], until: datetime, seed: int) -> None:
        if kinds:
            city = PretendCity(tuple(each for each in city.devices if each.kind in kinds), city.kinds)
        self._messages = Fleet(city, Story(), seed).messages(until - SPAN, until)
        self._ids = count()

    def traffic(self, messages: int, qos: int) -> Traffic:
        """The next messages."""
        drawn = list(islice(self._messages, messages))
        packets = [self._publish(each.topic, each.payload, qos) for each in drawn]
        return Traffic(len(drawn), list(_joined(packets)), sum(len(each.payload) for each in drawn))

    def _publish(self, topic: str, payload: bytes, qos: int) -> bytes:
        packet_id = short(next(self._ids) % _PACKET_IDS + 1) if qos else b""
        body = text(topic) + packet_id + payload
        return bytes((0x30 | qos << 1,)) + variable(len(body)) + body


def _joined(packets: list[bytes]) -> Iterator[bytes]:
    for at in range(0, len(packets), BLOCK):
        yield b"".join(packets[at : at + BLOCK])
