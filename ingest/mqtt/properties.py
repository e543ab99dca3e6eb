"""Properties of MQTT 5 packets (MQTT 5 §2.2.2): nearly all are skipped, but to skip one is to know its type."""

from collections.abc import Callable, Mapping
from enum import IntEnum

from ingest.mqtt.errors import ProtocolError
from ingest.mqtt.wire import Fields

Value = int | str | bytes


class Property(IntEnum):
    """The properties that mean something to a subscriber."""

    SESSION_EXPIRY = 0x11
    SERVER_KEEP_ALIVE = 0x13
    SERVER_REFERENCE = 0x1C
    REASON_STRING = 0x1F
    RECEIVE_MAXIMUM = 0x21
    TOPIC_ALIAS = 0x23


_USER_PROPERTY = 0x26
_SUBSCRIPTION_IDENTIFIER = 0x0B
_REPEATED = {_USER_PROPERTY, _SUBSCRIPTION_IDENTIFIER}


def _pair(fields: Fields) -> bytes:
    return fields.binary() + fields.binary()


_BYTES = (0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A)
_SHORTS = (Property.SERVER_KEEP_ALIVE, Property.RECEIVE_MAXIMUM, 0x22, Property.TOPIC_ALIAS)
_LONGS = (0x02, Property.SESSION_EXPIRY, 0x18, 0x27)
_BINARIES = (0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A)
_TEXTS = (Property.SERVER_REFERENCE, Property.REASON_STRING)
_READERS: Mapping[int, Callable[[Fields], Value]] = {
    **dict.fromkeys(_BYTES, Fields.byte),
    **dict.fromkeys(_SHORTS, Fields.short),
    **dict.fromkeys(_LONGS, Fields.long),
    **dict.fromkeys(_BINARIES, Fields.binary),
    **dict.fromkeys(_TEXTS, Fields.text),
    _SUBSCRIPTION_IDENTIFIER: Fields.variable,
    _USER_PROPERTY: _pair,
}


def read_properties(fields: Fields) -> Mapping[int, Value]:
    """The properties that come next, with the length before them; of those that repeat, the last.

    Raises:
        ProtocolError: if one is unknown, cut short, or there twice where it must not be.
    """
    within = Fields(fields.take(fields.variable()))
    found: dict[int, Value] = {}
    while within:
        identifier = within.variable()
        if identifier not in _READERS:
            raise ProtocolError(f"unknown property 0x{identifier:02x}")
        if identifier in found and identifier not in _REPEATED:
            raise ProtocolError(f"property 0x{identifier:02x} twice in one packet")
        found[identifier] = _READERS[identifier](within)
    return found
