"""Sends one reading, as a device would: python send.py TOPIC METRIC=VALUE ...

python send.py city/east/manhole/4201020102000099/up tilt=0.5 battery_v=3.6

``ts=`` sends a time of its own, milliseconds since 1970 UTC; else it is now.
"""

import asyncio
import json
import os
import sys
import time
from typing import Any
from urllib.parse import urlsplit

from aiomqtt import Client


def value(text: str) -> Any:
    """A number, true or false where it is one, else the word."""
    try:
        return json.loads(text)
    except ValueError:
        return text


async def send(topic: str, metrics: list[str]) -> None:
    """QoS 1: back when the broker has it."""
    measured = {name: value(word) for name, _, word in (each.partition("=") for each in metrics)}
    now = time.time_ns() // 1_000_000  # noqa: TID251 - the device's own clock
    reading = {"ts": int(measured.pop("ts", now)), "m": measured}
    broker = urlsplit(os.environ.get("CITYWARD_BROKER_URL", "mqtt://127.0.0.1:1883"))
    async with Client(broker.hostname or "", broker.port or 1883) as client:
        await client.publish(topic, json.dumps(reading), qos=1)


if len(sys.argv) < 3 or not all("=" in each for each in sys.argv[2:]):
    sys.exit(__doc__)
asyncio.run(send(sys.argv[1], sys.argv[2:]))
print("sent to", sys.argv[1])
