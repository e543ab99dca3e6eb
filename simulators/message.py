"""What a device sends."""

from typing import NamedTuple


class Message(NamedTuple):
    """An MQTT message and when it reaches the broker, in µs since 1970 UTC; messages sort by that time."""

    at: int
    topic: str
    payload: bytes
