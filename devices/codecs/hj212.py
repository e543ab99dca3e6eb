"""HJ 212: the frames that environment bureaus require of instruments (HJ/T 212-2005, HJ 212-2017).

``##0123QN=…;ST=23;CN=2011;PW=…;MN=…;Flag=5;CP=&&DataTime=20160801085857;LA-Rtd=50.1&&1E00`` and CR LF: the length of
the data in four digits, the data, their checksum. One payload may hold several frames, each decoded or rejected on
its own. What is a metric says the kind: a table ``[codecs.hj212.<command>]`` in its kind.toml names for each metric
the items that stand for it. Items that no table names are noted as also sent.

A frame's time has seconds only. So that the figures of an hour do not meet those of its last second under one key,
every command has ten milliseconds of its own within the second, and the parts of a split packet a microsecond each.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from devices.codecs.decoded import EARLIEST, LARGEST_REAL, LATEST, Decoded, noted
from devices.device import Device
from devices.errors import DescriptionError
from devices.kind import Kind, MetricType
from devices.readings import MESSAGE_TYPES, NO_SEQUENCE
from devices.rejection import Code, Rejected

_MINUTE = 60_000_000  # µs
# Frames carry Beijing time without saying so.
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, 8, tzinfo=UTC), timedelta(microseconds=1)
_PERIODIC = MESSAGE_TYPES.index("periodic")
_NORMAL = {"", "N", "3"}  # no flag; 2017 and 2005; 2005 for air monitoring stations
_ATTRIBUTES = ("mn", "minute_interval")
_MOST_FRAMES = 1000  # in one message: each that is refused is kept with the whole message

_LENGTH = re.compile(rb"\d{4}")
_CHECKSUM = re.compile(rb"[0-9A-Fa-f]{4}")
_PRINTABLE = re.compile(rb"[\x20-\x7e]*")
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})?")
_PART = re.compile(r"[1-9]\d{0,3}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Command:
    """A command (CN) that carries readings.

    ``table`` is its table in kind.toml. DataTime is the beginning of the ``span`` (µs) that the figures describe, and
    a reading has the time of its end; None is the device's ``minute_interval``. ``shift`` (µs) keeps the readings of
    different commands apart.
    """

    table: str
    span: int | None
    shift: int


_COMMANDS = {
    "2011": _Command("realtime", 0, 0),
    "2051": _Command("minute", None, 10_000),
    "2061": _Command("hour", 60 * _MINUTE, 20_000),
    "2031": _Command("day", 24 * 60 * _MINUTE, 30_000),
}


class Hj212Codec:
    """The decoder of one kind.

    Raises:
        DescriptionError: if the kind's tables or attributes are not what the codec needs.
    """

    def __init__(self, kind: Kind) -> None:
        tables = kind.codecs["hj212"]
        if problems := [*_contradictions(kind, tables)]:
            raise DescriptionError(str(kind.folder / "kind.toml"), problems)
        self._metrics = len(kind.metrics)
        self._minute_interval = kind.attributes["minute_interval"].default
        self._tables = {
            command.table: [(kind.position[metric], names) for metric, names in tables.get(command.table, {}).items()]
            for command in _COMMANDS.values()
        }

    def decode(self, payload: bytes, device: Device) -> Sequence[Decoded | Rejected]:
        """The readings of a payload in the order sent; each frame is decoded or rejected on its own."""
        if not payload.strip():
            return [Rejected(Code.EMPTY, "the message has no payload; send an HJ 212 frame")]
        before, *frames = payload.split(b"##")
        if len(frames) > _MOST_FRAMES:
            return [Rejected(Code.TOO_LARGE, f"{len(frames)} frames in one message; at most {_MOST_FRAMES} are taken")]
        outcomes: list[Decoded | Rejected] = []
        if before.strip():
            outcomes.append(Rejected(Code.MALFORMED, f"a frame begins with ##, not with {_shown(before)}"))
        for frame in frames:
            outcomes += self._frame(frame, device)
        return outcomes

    def _frame(self, frame: bytes, device: Device) -> Iterable[Decoded | Rejected]:
        """What stands between one ## and the next."""
        try:
            data, rest = _unwrapped(frame)
        except _Refusal as refusal:
            yield refusal.rejected
            return
        try:
            yield self._reading(data, device)
        except _Refusal as refusal:
            yield refusal.rejected
        if rest.strip():
            yield Rejected(Code.MALFORMED, f"after a frame comes ## or nothing, not {_shown(rest)}")

    def _reading(self, data: bytes, device: Device) -> Decoded:
        head, body = _fields(data)
        _check_identity(head.get("MN", ""), device)
        cn = head.get("CN", "")
        command = _COMMANDS.get(cn)
        if command is None:
            what = f"command CN={cn[:64]!r} carries no readings"
            raise _Refusal(Code.UNSUPPORTED, f"{what}; {', '.join(_COMMANDS)} are taken")
        ts = _time(body) + self._span(command, device) + command.shift + _part(head)
        values: list[float | None] = [None] * self._metrics
        taken, refused = set[str](), list[str]()
        for column, names in self._tables[command.table]:
            name = next((name for name in names if name in body), "")
            if not name:
                continue
            taken.add(name)
            flag = f"{name.rpartition('-')[0]}-Flag"
            if body.get(flag, "") in _NORMAL:
                values[column] = _number(name, body[name])
            else:
                refused.append(f"{flag}={body[flag]}")
        extra = sorted(name for name in body.keys() - taken if name != "DataTime" and not name.endswith("-Flag"))
        return Decoded(ts, NO_SEQUENCE, _PERIODIC, tuple(values), noted([*refused, *extra]))

    def _span(self, command: _Command, device: Device) -> int:
        if command.span is not None:
            return command.span
        return round(float(device.attributes.get("minute_interval") or self._minute_interval or 0) * _MINUTE)


class _Refusal(Exception):  # noqa: N818 - not an error of ours: what becomes a Rejected
    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.rejected = Rejected(code, detail)


def _contradictions(kind: Kind, tables: Mapping[str, Mapping[str, tuple[str, ...]]]) -> Iterable[str]:
    commands = [command.table for command in _COMMANDS.values()]
    for table in tables.keys() - set(commands):
        yield f"codecs.hj212.{table}: the tables are {', '.join(commands)}"
    for table, metrics in tables.items():
        for name in metrics:
            if kind.metric(name).type not in {MetricType.REAL, MetricType.DOUBLE}:
                yield f"codecs.hj212.{table}: metric {name} is not a real number, and HJ 212 has no other values"
    for attribute in _ATTRIBUTES:
        if attribute not in kind.attributes:
            yield f"codecs.hj212: the kind needs an attribute {attribute!r}"


def _unwrapped(frame: bytes) -> tuple[bytes, bytes]:
    """The data of a frame and what follows its checksum."""
    if not _LENGTH.match(frame):
        raise _Refusal(Code.MALFORMED, f"after ## stands the length in four digits, not {_shown(frame[:4])}")
    length = int(frame[:4])
    data, given, rest = frame[4 : length + 4], frame[length + 4 : length + 8], frame[length + 8 :]
    if len(given) < 4:
        what = f"the length announces {length} characters of data and a checksum, {len(frame) - 4} characters are there"
        raise _Refusal(Code.MALFORMED, f"{what}: the frame is cut off, or its length is wrong")
    if not _CHECKSUM.fullmatch(given):
        what = f"after the {length} characters that the length announces stands no checksum but {_shown(given)}"
        raise _Refusal(Code.MALFORMED, f"{what}: the length is wrong, or the data lost or gained characters")
    if int(given, 16) != (computed := _checksum(data)):
        what = f"the checksum is {given.decode()}, that of the data is {computed:04X}"
        raise _Refusal(Code.BAD_CHECKSUM, f"{what}; it is the one of annex A, not CRC-16/MODBUS")
    return data, rest


def _shift_out(register: int) -> int:
    for _ in range(8):
        register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register


_SHIFTED = tuple(map(_shift_out, range(256)))


def _checksum(data: bytes) -> int:
    """Annex A: a CRC-16 that drops the register's low byte each time, so that only 256 checksums occur."""
    register = 0xFFFF
    for byte in data:
        register = _SHIFTED[register >> 8 ^ byte]
    return register


def _fields(data: bytes) -> tuple[dict[str, str], dict[str, str]]:
    """The items of the head, and those of the data area CP that have a value."""
    if not _PRINTABLE.fullmatch(data):
        raise _Refusal(Code.MALFORMED, "the data are not printable ASCII")
    head, opened, body = data.decode("ascii").partition("CP=&&")
    if not opened or not body.endswith("&&"):
        raise _Refusal(Code.MALFORMED, "the data end with CP=&&…&&, which these do not")
    items = _items(re.split("[;,]", body.removesuffix("&&")))
    return _items(head.split(";")), {name: value for name, value in items.items() if value}


def _items(parts: Iterable[str]) -> dict[str, str]:
    items: dict[str, str] = {}
    for part in filter(None, map(str.strip, parts)):
        name, equals, value = map(str.strip, part.partition("="))
        if not name or not equals:
            raise _Refusal(Code.MALFORMED, f"{part[:64]!r} is not of the form name=value")
        if name in items:
            raise _Refusal(Code.MALFORMED, f"{name[:64]!r} stands twice in one frame")
        items[name] = value
    return items


def _check_identity(mn: str, device: Device) -> None:
    if not mn:
        raise _Refusal(Code.MALFORMED, "the frame has no MN, which says whose it is")
    known = [str(each) for each in (device.device_id, device.attributes.get("mn")) if each]
    if mn not in known:
        what = f"the frame is of {mn[:64]!r}, the topic of {' or '.join(map(repr, known))}"
        raise _Refusal(Code.WRONG_IDENTITY, f"{what}; set the device's attribute mn, or correct its topic")


def _time(body: Mapping[str, str]) -> int:
    """DataTime in microseconds since 1970 UTC."""
    text = body.get("DataTime", "")
    found = _TIME.fullmatch(text)
    wrong = f"DataTime={text[:64]!r} is not a time of this century as YYYYMMDDhhmmss"
    if not found:
        raise _Refusal(Code.BAD_TIME, wrong)
    year, month, day, hour, minute, second, millis = (int(digits or 0) for digits in found.groups())
    try:
        ts = (datetime(year, month, day, hour, minute, second, millis * 1000, UTC) - _EPOCH) // _MICROSECOND
    except ValueError:
        raise _Refusal(Code.BAD_TIME, wrong) from None
    if not EARLIEST <= ts < LATEST:
        raise _Refusal(Code.BAD_TIME, wrong)
    return ts


def _part(head: Mapping[str, str]) -> int:
    """Which part of a split packet the frame is, from 0."""
    text = head.get("PNO", "1")
    if not _PART.fullmatch(text):
        raise _Refusal(Code.MALFORMED, f"PNO={text[:64]!r} is not a number from 1 to 9999")
    return int(text) - 1


def _number(name: str, text: str) -> float:
    if not _NUMBER.fullmatch(text):
        code = Code.NON_FINITE if _NOT_FINITE.fullmatch(text) else Code.WRONG_TYPE
        raise _Refusal(code, f"{name}={text[:64]!r} is not a number")
    if abs(value := float(text)) > LARGEST_REAL:
        raise _Refusal(Code.NON_FINITE, f"{name} is too large for any sensor; send finite numbers")
    return value


def _shown(some: bytes) -> str:
    """The beginning of some bytes for a person."""
    return ascii(some[:16].decode("latin-1"))
