"""Messages that no city is spared: cut short, from devices that nobody registered, with words for numbers."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from random import Random

import msgspec

from devices.topics import device_topic, parse
from simulators.message import Message

_LATER = 1000  # µs


class Garbage(StrEnum):
    """A way to spoil a message; its value is the reason for which it should be turned away."""

    CUT_SHORT = "malformed"
    STRANGER = "unregistered"
    WORD_FOR_NUMBER = "wrong_type"


def spoil(message: Message, random: Random) -> Message:
    """A useless copy of a message of a device, sent a millisecond after it."""
    topic, payload = _WAYS[random.choice([*Garbage])](message, random)
    return Message(message.at + _LATER, topic, payload)


def _cut_short(message: Message, random: Random) -> tuple[str, bytes]:
    return message.topic, message.payload[: random.randrange(1, len(message.payload))]


def _stranger(message: Message, random: Random) -> tuple[str, bytes]:
    topic = parse(message.topic)
    if topic is None:
        raise ValueError(f"{message.topic!r} is not a device's topic")
    unknown = f"unknown-{random.randrange(20):02}"
    return device_topic(topic.district, topic.kind, unknown), message.payload


def _word_for_number(message: Message, random: Random) -> tuple[str, bytes]:
    reading = msgspec.json.decode(message.payload)
    numbers = [name for name, value in reading["m"].items() if type(value) in {int, float}]
    name = random.choice(numbers)
    reading["m"][name] = str(reading["m"][name])
    return message.topic, msgspec.json.encode(reading)


_WAYS: Mapping[Garbage, Callable[[Message, Random], tuple[str, bytes]]] = {
    Garbage.CUT_SHORT: _cut_short,
    Garbage.STRANGER: _stranger,
    Garbage.WORD_FOR_NUMBER: _word_for_number,
}
