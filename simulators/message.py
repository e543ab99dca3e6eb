"""What a device sends."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Message:
    """An MQTT message and the time at which it is sent (aware, whole milliseconds)."""

    topic: str
    payload: bytes
    at: datetime
