"""The native payload: JSON, one reading or an array of readings.

``{"ts": 1795291326000, "seq": 17, "m": {"tilt": 1.5}, "type": "periodic"}``; ``ts`` is milliseconds since 1970 UTC
or RFC 3339 with an offset. A reading may name its ``"device"``, which must then be that of the topic. Types are
strict: ``"1.5"`` is not a number and ``true`` is not 1. Beside its metrics a device may name its firmware, ``"fw"``,
and the signal, ``"csq"`` and ``"rsrp"``, where these are no metrics of its kind. Other keys are tolerated and reported,
because devices gain metrics before their descriptions do; nobody looks at their values.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec.structs import astuple

from devices.codecs.decoded import EARLIEST, LARGEST_REAL, LATEST, Aside, Decoded, noted
from devices.kind import Kind, Metric, MetricType
from devices.readings import MESSAGE_TYPES, NO_SEQUENCE
from devices.rejection import Code, Rejected

_ENVELOPE = frozenset({"ts", "seq", "m", "type", "device", "fw"})
_SIGNAL = ("csq", "rsrp")  # taken beside the metrics too, where they are none
_MOST_FIRMWARE = 64  # characters
_MOST_READINGS = 10_000  # in one message: more than fit into the largest that is taken, but for elements that are none
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
TYPE_CODE = {word: code for code, word in enumerate(MESSAGE_TYPES)}
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_INTEGERS = {MetricType.SMALLINT: 2**15, MetricType.INTEGER: 2**31}


class NativeCodec:
    """The decoder of one kind.

    Attributes:
        usual: Decodes a single reading as nearly all devices send it, to the fields of the payload, ``ts`` in
            milliseconds and values of ``m`` in the order of the kind's metrics. Raises one of ``UNREADABLE`` for
            whatever needs a closer look.
    """

    def __init__(self, kind: Kind) -> None:
        self.usual = _usual(kind).decode
        self._tolerant = _tolerant(kind)
        self._known = frozenset(metric.name for metric in kind.metrics)
        self._beside = _ENVELOPE | (set(_SIGNAL) - self._known)

    def decode(self, payload: bytes, device_id: str) -> Sequence[Decoded | Rejected]:
        """The readings of a payload in the order sent; each is decoded or rejected on its own."""
        start = payload[:1] if payload[:1] == b"{" else payload.lstrip()[:1]
        if not start:
            return [Rejected(Code.EMPTY, "the message has no payload; send a JSON object")]
        if start != b"[":
            return [self._one(payload, device_id)]
        try:
            elements = msgspec.json.decode(payload, type=list[msgspec.Raw])
        except UNREADABLE as error:
            return [_refusal(payload, error)]
        if not elements:
            return [Rejected(Code.EMPTY, "the array holds no reading")]
        if len(elements) > _MOST_READINGS:
            return [
                Rejected(Code.TOO_LARGE, f"{len(elements)} elements in one array; at most {_MOST_READINGS} are taken")
            ]
        return [self._one(bytes(element), device_id) for element in elements]

    def _one(self, payload: bytes, device_id: str) -> Decoded | Rejected:
        try:
            sent = self.usual(payload)
        except UNREADABLE:
            return self._look_closely(payload, device_id)
        if sent.device is not None and sent.device != device_id:
            return _of_another(sent.device, device_id)
        return Decoded(sent.ts * 1000, sent.seq, TYPE_CODE[sent.type], astuple(sent.m))

    def _look_closely(self, payload: bytes, device_id: str) -> Decoded | Rejected:
        try:
            sent = self._tolerant.decode(payload)
            also_sent = self._unknown_keys(payload)
        except UNREADABLE as error:
            return _refusal(payload, error)
        if sent.device is not None and sent.device != device_id:
            return _of_another(sent.device, device_id)
        values = astuple(sent.m)
        if any(type(value) is float and abs(value) > LARGEST_REAL for value in values):
            return Rejected(Code.NON_FINITE, "a number is too large for any sensor; send finite numbers")
        ts = (sent.ts - _EPOCH) // _MICROSECOND if isinstance(sent.ts, datetime) else sent.ts * 1000
        if not EARLIEST <= ts < LATEST:
            return Rejected(Code.BAD_TIME, f"ts {sent.ts} is not of this century; send milliseconds since 1970 UTC")
        return Decoded(ts, sent.seq, TYPE_CODE[sent.type], values, also_sent, _aside(sent))

    def _unknown_keys(self, payload: bytes) -> tuple[str, ...]:
        outer = _raw_fields(payload)
        unknown = sorted((outer.keys() - self._beside) | (_raw_fields(outer["m"]).keys() - self._known))
        return noted(unknown)


def _raw_fields(document: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(document, type=dict[str, msgspec.Raw])


def _of_another(device: str, device_id: str) -> Rejected:
    what = f"the reading is of {device[:64]!r}, the topic of {device_id!r}"
    return Rejected(Code.WRONG_IDENTITY, f"{what}; a device publishes on its own topic")


def _aside(sent: Any) -> Aside | None:
    """What stands beside the metrics, if anything."""
    said = Aside(sent.fw, *(getattr(sent, name, None) for name in _SIGNAL))
    return said if said != Aside() else None


def _usual(kind: Kind) -> msgspec.json.Decoder[Any]:
    """Takes only what needs no second look: a number of this century for a time, finite values, no unknown key."""
    ms = Annotated[int, msgspec.Meta(ge=EARLIEST // 1000, lt=LATEST // 1000)]
    finite = Annotated[float, msgspec.Meta(ge=-LARGEST_REAL, le=LARGEST_REAL)]
    return _decoder(kind, ms, finite, strict=True)


def _tolerant(kind: Kind) -> msgspec.json.Decoder[Any]:
    """Takes everything that has the right types; what it holds is looked at afterwards."""
    return _decoder(kind, int | Annotated[datetime, msgspec.Meta(tz=True)], float, strict=False)


def _decoder(kind: Kind, ts: Any, number: Any, *, strict: bool) -> msgspec.json.Decoder[Any]:
    metrics = msgspec.defstruct(
        f"{kind.name}_metrics",
        [(metric.name, _annotation(metric, number) | None, None) for metric in kind.metrics],
        forbid_unknown_fields=strict,
        gc=False,
    )
    # What devices say of themselves now and then; the usual reading goes without.
    text = Annotated[str, msgspec.Meta(max_length=_MOST_FIRMWARE, pattern=r"^[^\x00-\x1f]*\Z")]
    beside = [("fw", text | None, None), *((name, float | None, None) for name in _SIGNAL if name not in kind.position)]
    message = msgspec.defstruct(
        f"{kind.name}_message",
        [
            ("ts", ts),
            ("m", metrics),
            ("seq", Annotated[int, msgspec.Meta(ge=0, lt=2**31)], NO_SEQUENCE),
            ("type", Literal[MESSAGE_TYPES], MESSAGE_TYPES[0]),
            ("device", str | None, None),
            *(() if strict else beside),
        ],
        forbid_unknown_fields=strict,
        gc=False,
    )
    return msgspec.json.Decoder(message)


def _annotation(metric: Metric, number: Any) -> Any:
    match metric.type:
        case MetricType.BOOL:
            return bool
        case MetricType.ENUM:
            return Literal[metric.values]
        case MetricType.TEXT:
            # PostgreSQL's text has no NUL.
            return Annotated[str, msgspec.Meta(max_length=metric.max_length, pattern=r"^[^\x00]*$")]
        case MetricType.SMALLINT | MetricType.INTEGER:
            bound = _INTEGERS[metric.type]
            return Annotated[int, msgspec.Meta(ge=-bound, lt=bound)]
        case _:
            return number


def _refusal(payload: bytes, error: Exception) -> Rejected:
    """Tell a wrong type from broken JSON, and from NaN and Infinity, which JSON lacks but many encoders write."""
    try:
        json.loads(payload, parse_constant=_refuse_constant)
    except _NotFiniteError as found:
        return Rejected(Code.NON_FINITE, f"{found} is not a measurement; leave the metric out instead")
    except (ValueError, RecursionError):
        return Rejected(Code.MALFORMED, f"not JSON: {error}")
    if not isinstance(error, msgspec.ValidationError):
        return Rejected(Code.MALFORMED, f"not JSON: {error}")
    if "out of range" in str(error):
        return Rejected(Code.NON_FINITE, f"{error}; send finite numbers")
    return Rejected(Code.WRONG_TYPE, str(error))


class _NotFiniteError(Exception):
    pass


def _refuse_constant(word: str) -> float:
    raise _NotFiniteError(word)
