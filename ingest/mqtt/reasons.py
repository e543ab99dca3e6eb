"""Why a broker says no (MQTT 3.1.1 §3.2.2.3; MQTT 5 §2.4), and whether asking again can help."""

from ingest.mqtt.errors import LostError, MqttError, RefusedError
from ingest.mqtt.packets import Answer
from ingest.mqtt.properties import Property

_FAILURE = 0x80  # codes of SUBACK from here on are failures
_NAMES = {
    0x00: "normal disconnection",
    # MQTT 3.1.1
    0x01: "unacceptable protocol version",
    0x02: "identifier rejected",
    0x03: "server unavailable",
    0x04: "bad user name or password",
    0x05: "not authorized",
    # MQTT 5
    0x80: "unspecified error",
    0x81: "malformed packet",
    0x82: "protocol error",
    0x83: "implementation specific error",
    0x84: "unsupported protocol version",
    0x85: "client identifier not valid",
    0x86: "bad user name or password",
    0x87: "not authorized",
    0x88: "server unavailable",
    0x89: "server busy",
    0x8A: "banned",
    0x8B: "server shutting down",
    0x8C: "bad authentication method",
    0x8D: "keep alive timeout",
    0x8E: "session taken over",
    0x8F: "topic filter invalid",
    0x93: "receive maximum exceeded",
    0x95: "packet too large",
    0x96: "message rate too high",
    0x97: "quota exceeded",
    0x98: "administrative action",
    0x9C: "use another server",
    0x9D: "server moved",
    0x9F: "connection rate exceeded",
    0xA0: "maximum connect time",
    0xA2: "wildcard subscriptions not supported",
}
_CREDENTIALS = "check the user and password of the broker URL"
_VERSION = "the broker does not speak this version of MQTT; choose the other one"
_NAME = "the broker does not take the partition's name as a client id"
_HINTS = {
    0x01: _VERSION,
    0x02: _NAME,
    0x04: _CREDENTIALS,
    0x05: _CREDENTIALS,
    0x84: _VERSION,
    0x85: _NAME,
    0x86: _CREDENTIALS,
    0x87: _CREDENTIALS,
    0x8E: "another client has connected with this partition's name",
}
# What passes by itself: load, quotas, a restart.
_PASSING = {0x03, 0x80, 0x83, 0x88, 0x89, 0x97, 0x9F}


def describe(answer: Answer) -> str:
    """The reason of a CONNACK or DISCONNECT in words, with what the broker itself says of it and what may help."""
    said = [
        f" ({answer.properties[each]!r})"
        for each in (Property.REASON_STRING, Property.SERVER_REFERENCE)
        if each in answer.properties
    ]
    hint = [f"; {_HINTS[answer.code]}"] if answer.code in _HINTS else []
    return "".join([_name(answer.code), *said, *hint])


def granted(code: int) -> str:
    """What a code of SUBACK grants."""
    return _name(code) if code >= _FAILURE else f"only with QoS {code}"


def refusal(answer: Answer) -> MqttError:
    """The error that a CONNACK is: to be waited out, or to be told to an operator."""
    kind = LostError if answer.code in _PASSING else RefusedError
    return kind(describe(answer))


def _name(code: int) -> str:
    return _NAMES.get(code, f"reason code 0x{code:02x}")
