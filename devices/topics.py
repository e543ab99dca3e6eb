"""The topic grammar: ``city/<district>/<kind>/<device_id>/<channel>``.

Channel ``up`` carries the native payload, ``event`` the same at once on a change, ``up/<codec>`` another format;
``status`` says whether the device is connected (retained, the device's last will).
Cityward's own messages to crews travel as ``city/<district>/crew/<unit>/cases``; no partition subscribes to them.
"""

import re
from dataclasses import dataclass

ROOT = "city"
CHANNELS = ("up", "event")  # of readings
STATUS = "status"
# One level of a topic: no wildcard, no separator, no control character (MQTT 3.1.1 §4.7).
_LEVEL = re.compile(r"[^+#/\x00-\x1f]{1,64}")
_CODEC_CHANNEL = re.compile(rf"up/{_LEVEL.pattern}")


@dataclass(frozen=True, slots=True)
class DeviceTopic:
    """A parsed topic of a device."""

    district: str
    kind: str
    device_id: str
    channel: str

    @property
    def codec(self) -> str:
        """The format of the payload; empty for the native one."""
        return self.channel.partition("/")[2]


def parse(topic: str) -> DeviceTopic | None:
    """The parts of a device's topic, or None where the topic does not follow the grammar."""
    levels = topic.split("/", 4)
    if len(levels) != 5 or levels[0] != ROOT or not all(map(_LEVEL.fullmatch, levels[1:4])):
        return None
    if levels[4] not in (*CHANNELS, STATUS) and not _CODEC_CHANNEL.fullmatch(levels[4]):
        return None
    return DeviceTopic(*levels[1:])


def device_topic(district: str, kind: str, device_id: str, channel: str = "up") -> str:
    """The topic on which a device publishes."""
    return f"{ROOT}/{district}/{kind}/{device_id}/{channel}"


def crew_topic(district: str, unit: str) -> str:
    """The topic on which a crew hears of its cases."""
    return f"{ROOT}/{district}/crew/{unit}/cases"


def subscriptions(topic_filter: str) -> list[str]:
    """The MQTT filters of a partition's filter.

    ``city/#`` and ``city/<district>/#`` stand for the devices there: one filter a channel, so that the city's own
    messages to crews do not come back as readings. Any other filter is taken as it is.
    """
    levels = topic_filter.split("/")
    if levels[0] != ROOT or levels[-1] != "#" or len(levels) > 3:
        return [topic_filter]
    return own_topics("+", district=levels[1] if len(levels) == 3 else "+")


def own_topics(device_id: str, *, district: str = "+") -> list[str]:
    """The MQTT filters of everything that a device may publish, one a channel."""
    return [f"{ROOT}/{district}/+/{device_id}/{channel}" for channel in (*CHANNELS, "up/+", STATUS)]


def overlap(one: str, other: str) -> bool:
    """Whether some topic matches both filters."""
    levels = list(zip(one.split("/"), other.split("/"), strict=False))
    for mine, yours in levels:
        if "#" in {mine, yours}:
            return True
        if mine != yours and "+" not in {mine, yours}:
            return False
    lengths = one.count("/"), other.count("/")
    longer = one if lengths[0] > lengths[1] else other
    # "a/#" matches "a" too (MQTT 3.1.1 §4.7.1.2).
    return lengths[0] == lengths[1] or longer.split("/")[len(levels) :] == ["#"]


def is_level(text: str) -> bool:
    """Whether a name may stand as one level of a topic, as district and device ids must."""
    return _LEVEL.fullmatch(text) is not None
