"""Messages that no city is spared: cut short, from devices that nobody registered, with words for numbers."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from random import Random

import msgspec

from devices.topics import device_topic, parse
from simulators.message import Message

_LATER = timedelta(milliseconds=1)


class Garbage(StrEnum):
    """A way to spoil a message; its value is the reason for which it should be turned away."""

    CUT_SHORT = "malformed"
    STRANGER = "unregistered"
    WORD_FOR_NUMBER = "wrong_type"


def spoil(message: Message, how: Garbage, random: Random) -> Message:
    """A useless copy of a message of a device, sent a millisecond after it."""
    return _WAYS[how](message, random)


def _cut_short(message: Message, random: Random) -> Message:
    end = random.randrange(1, len(message.payload))
    return Message(message.topic, message.payload[:end], message.at + _LATER)


def _stranger(message: Message, random: Random) -> Message:
    topic = parse(message.topic)
    if topic is None:
        raise ValueError(f"{message.topic!r} is not a device's topic")
    unknown = f"unknown-{random.randrange(20):02}"
    return Message(device_topic(topic.district, topic.kind, unknown), message.payload, message.at + _LATER)


def _word_for_number(message: Message, random: Random) -> Message:
    reading = msgspec.json.decode(message.payload)
    numbers = [name for name, value in reading["m"].items() if type(value) in {int, float}]
    name = random.choice(numbers)
    reading["m"][name] = str(reading["m"][name])
    return Message(message.topic, msgspec.json.encode(reading), message.at + _LATER)


_WAYS: Mapping[Garbage, Callable[[Message, Random], Message]] = {
    Garbage.CUT_SHORT: _cut_short,
    Garbage.STRANGER: _stranger,
    Garbage.WORD_FOR_NUMBER: _word_for_number,
}
