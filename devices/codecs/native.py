"""The native payload: JSON, one reading or an array of readings.

``{"ts": 1795291326000, "seq": 17, "m": {"tilt": 1.5}, "type": "periodic"}``; ``ts`` is milliseconds since 1970 UTC
or RFC 3339 with an offset. Types are strict: ``"1.5"`` is not a number and ``true`` is not 1. Keys that the kind
does not know are tolerated and reported, because devices gain metrics before their descriptions do.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any, Literal

import msgspec

from devices.kind import Kind, Metric, MetricType
from devices.readings import MESSAGE_TYPES, NO_SEQUENCE
from devices.rejection import Code, Rejected

# Integers are ms; before 2000 or after 2100 it is another unit (seconds, µs) or a dead clock.
_MS_FROM, _MS_TO = 946_684_800_000, 4_102_444_800_000
_TYPE_CODE = {word: code for code, word in enumerate(MESSAGE_TYPES)}
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# The largest 32-bit float: what the table can hold.
_LARGEST_REAL = 3.4028234e38
_INTEGERS = {MetricType.SMALLINT: 2**15, MetricType.INTEGER: 2**31}


@dataclass(frozen=True, slots=True)
class Decoded:
    """One reading as it was sent.

    ``ts`` in microseconds since 1970 UTC; ``values`` in the order of the kind's metrics, None where not sent;
    ``also_sent`` names keys that the kind does not know.
    """

    ts: int
    seq: int
    type: int
    values: tuple[float | bool | str | None, ...]
    also_sent: tuple[str, ...] = ()


class NativeCodec:
    """The decoder of one kind."""

    def __init__(self, kind: Kind) -> None:
        self._strict = _decoder(kind, strict=True)
        self._tolerant = _decoder(kind, strict=False)
        names = [metric.name for metric in kind.metrics]
        self._values: Callable[[Any], tuple[Any, ...]] = attrgetter(*names) if len(names) > 1 else _one(names[0])
        self._known = frozenset(names)

    def decode(self, payload: bytes) -> Sequence[Decoded | Rejected]:
        """The readings of a payload in the order sent; each is decoded or rejected on its own."""
        if not payload.strip():
            return [Rejected(Code.EMPTY, "the message has no payload; send a JSON object")]
        if payload.lstrip()[:1] != b"[":
            return [self._one(payload)]
        try:
            elements = msgspec.json.decode(payload, type=list[msgspec.Raw])
        except _UNREADABLE as error:
            return [_refusal(payload, error)]
        if not elements:
            return [Rejected(Code.EMPTY, "the array holds no reading")]
        return [self._one(bytes(element)) for element in elements]

    def _one(self, payload: bytes) -> Decoded | Rejected:
        also_sent: tuple[str, ...] = ()
        try:
            sent = self._strict.decode(payload)
        except _UNREADABLE:
            try:
                sent = self._tolerant.decode(payload)
            except _UNREADABLE as error:
                return _refusal(payload, error)
            also_sent = self._unknown_keys(payload)
        values = self._values(sent.m)
        if any(type(value) is float and abs(value) > _LARGEST_REAL for value in values):
            return Rejected(Code.NON_FINITE, "a number is too large for any sensor; send finite numbers")
        if isinstance(sent.ts, datetime):
            ts = round(sent.ts.timestamp() * 1_000_000)
        elif _MS_FROM <= sent.ts < _MS_TO:
            ts = sent.ts * 1000
        else:
            return Rejected(Code.BAD_TIME, f"ts {sent.ts} is not milliseconds since 1970 UTC of this century")
        return Decoded(ts, sent.seq, _TYPE_CODE[sent.type], values, also_sent)

    def _unknown_keys(self, payload: bytes) -> tuple[str, ...]:
        document = msgspec.json.decode(payload)
        outer = document.keys() - {"ts", "seq", "m", "type"}
        return tuple(sorted(outer | (document["m"].keys() - self._known)))


def _one(name: str) -> Callable[[Any], tuple[Any, ...]]:
    return lambda sent: (getattr(sent, name),)


def _decoder(kind: Kind, *, strict: bool) -> msgspec.json.Decoder[Any]:
    metrics = msgspec.defstruct(
        f"{kind.name}_metrics",
        [(metric.name, _annotation(metric) | None, None) for metric in kind.metrics],
        forbid_unknown_fields=strict,
    )
    message = msgspec.defstruct(
        f"{kind.name}_message",
        [
            ("ts", int | Annotated[datetime, msgspec.Meta(tz=True)]),
            ("m", metrics),
            ("seq", Annotated[int, msgspec.Meta(ge=0, lt=2**31)], NO_SEQUENCE),
            ("type", Literal[MESSAGE_TYPES], MESSAGE_TYPES[0]),
        ],
        forbid_unknown_fields=strict,
    )
    return msgspec.json.Decoder(message)


def _annotation(metric: Metric) -> Any:
    match metric.type:
        case MetricType.BOOL:
            return bool
        case MetricType.ENUM:
            return Literal[metric.values]
        case MetricType.TEXT:
            return Annotated[str, msgspec.Meta(max_length=metric.max_length)]
        case MetricType.SMALLINT | MetricType.INTEGER:
            bound = _INTEGERS[metric.type]
            return Annotated[int, msgspec.Meta(ge=-bound, lt=bound)]
        case _:
            return float


def _refusal(payload: bytes, error: Exception) -> Rejected:
    """Tell a wrong type from broken JSON, and from NaN and Infinity, which JSON lacks but many encoders write."""
    try:
        json.loads(payload, parse_constant=_refuse_constant)
    except _NotFiniteError as found:
        return Rejected(Code.NON_FINITE, f"{found} is not a measurement; leave the metric out instead")
    except (ValueError, RecursionError):
        return Rejected(Code.MALFORMED, f"not JSON: {error}")
    if "out of range" in str(error):
        return Rejected(Code.NON_FINITE, f"{error}; send finite numbers")
    return Rejected(Code.WRONG_TYPE, str(error))


class _NotFiniteError(Exception):
    pass


def _refuse_constant(word: str) -> float:
    raise _NotFiniteError(word)
