"""Until when what was sent to a partition is stored, as a batch tells it."""

from collections.abc import Sequence

import msgspec
import pytest

from devices.device import Device
from devices.kind import load_kinds
from devices.registry import Registry
from ingest.backlog import worked_off
from ingest.decoding import Decoder
from ingest.messages import Batch, Message, Quarantined
from ingest.replaying import decode_again

NOW = 1_795_291_326_000_000
MINUTE = 60_000_000
TOPIC = "city/east/manhole/d/up"
DECODER = Decoder(
    Registry(load_kinds(), [Device(id=3, device_id="d", kind="manhole", name="", district="east", lon=0, lat=0)])
)


def message(*minutes_ago: int) -> Message:
    readings = [{"ts": (NOW - ago * MINUTE) // 1000, "m": {"tilt": 1}} for ago in minutes_ago]
    return Message(TOPIC, msgspec.json.encode(readings))


@pytest.mark.parametrize(
    ("messages", "minutes_ago"),
    [
        ([], 0),
        ([message(60), message(59), message(58)], 59),
        ([message(0), message(0), message(300)], 0),  # one clock is far behind
        ([message(60), message(60), message(-4)], 60),  # one is ahead
        ([message(-4)], 0),
        ([message(60, 30, 1)], 1),  # an hour sent at once has just been sent
    ],
)
def test_a_batch_tells_when_it_was_sent(messages: Sequence[Message], minutes_ago: int) -> None:
    assert worked_off(DECODER.decode(Batch(list(messages), NOW))) == NOW - minutes_ago * MINUTE


def test_what_cannot_be_read_and_what_is_tried_again_tell_nothing() -> None:
    assert worked_off(DECODER.decode(Batch([Message(TOPIC, b"?")], NOW))) is None
    assert worked_off(decode_again(DECODER, [Quarantined(1, NOW, TOPIC, message(1).payload)], NOW)) is None
