"""Messages to columns: which device, which payload, in its right mind?

Pure. Called by the loop once a batch; nothing here raises for what a device sent.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from msgspec.structs import astuple

from devices.codecs import codecs_of, status
from devices.codecs.decoded import Aside, Decoded, Presence
from devices.codecs.native import TYPE_CODE, UNREADABLE, NativeCodec
from devices.device import Device
from devices.kind import Kind, Metric, MetricType
from devices.quality import Quality
from devices.readings import Floats, Ints, Readings
from devices.registry import Registry
from devices.rejection import Code, Rejected
from devices.topics import CHANNELS, STATUS, DeviceTopic, parse
from ingest.messages import Batch, DecodedBatch, Message, Status

MAX_PAYLOAD = 256 * 1024  # bytes: far above a day of readings in one array, far below what could hurt
CLOCK_AHEAD = 5 * 60 * 1_000_000  # µs: project default for how far a device's clock may run ahead
CLOCK_DOUBTED = 60 * 1_000_000  # µs ahead from which a reading is flagged: beyond what networks and NTP explain

# Device, message, part of it, time (µs), counter, type, values in the order of the kind's metrics.
_Row = tuple[int, int, int, int, int, int, Sequence[float | bool | str | None]]


class Decoder:
    """Decodes batches against one snapshot of the registry."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._native = {name: NativeCodec(kind) for name, kind in registry.kinds.items()}
        self._usual = {name: codec.usual for name, codec in self._native.items()}
        self._codecs = {name: codecs_of(kind) for name, kind in registry.kinds.items()}
        self._bounds = {name: bounds_of(kind) for name, kind in registry.kinds.items()}

    def decode(self, batch: Batch) -> DecodedBatch:
        """Every reading of the batch as a row of columns or as a rejection."""
        found = _Found(batch)
        by_topic, usual, latest = self.registry.by_topic, self._usual, batch.received_at + CLOCK_AHEAD
        # Nearly all messages stay in this loop: it costs what the collector costs.
        for position, message in enumerate(batch.messages):
            device = by_topic.get(message.topic)
            if device is not None and len(message.payload) <= MAX_PAYLOAD:
                try:
                    sent = usual[device.kind](message.payload)
                except UNREADABLE:
                    pass
                else:
                    ts = sent.ts * 1000
                    if ts <= latest and sent.device in {None, device.device_id}:
                        row = (device.id, position, 0, ts, sent.seq, TYPE_CODE[sent.type], astuple(sent.m))
                        found.rows[device.kind].append(row)
                        continue
            self._look_closely(message, position, found)
        readings = [self._columns(kind, rows, batch) for kind, rows in found.rows.items()]
        return DecodedBatch(batch, readings, found.rejected, dict(found.also_sent), found.asides, found.statuses)

    def _look_closely(self, message: Message, position: int, found: "_Found") -> None:
        """A message that is anything but a single reading of the usual kind."""
        read = self._read(message)
        if isinstance(read, Rejected):
            found.rejected.append(replace(read, message=position))
            return
        device, outcomes = read
        for part, reading in enumerate(outcomes):
            if isinstance(reading, Rejected):
                where = part if len(outcomes) > 1 else -1
                found.rejected.append(Rejected(reading.code, reading.detail, position, where))
            elif isinstance(reading, Presence):
                found.statuses[device.id] = Status(reading.online, found.batch.received_at)
            elif reading.ts > found.batch.received_at + CLOCK_AHEAD:
                found.rejected.append(_ahead(reading, found.batch, position, part))
            else:
                row = (device.id, position, part, reading.ts, reading.seq, reading.type, reading.values)
                found.rows[device.kind].append(row)
                if reading.also_sent:
                    found.also_sent[device.id].update(reading.also_sent)
                if reading.aside:
                    found.asides[device.id] = reading.aside.over(found.asides.get(device.id, Aside()))

    def _read(self, message: Message) -> tuple[Device, Sequence[Decoded | Rejected | Presence]] | Rejected:
        """Whose message it is and what it holds."""
        device, topic = self.registry.by_topic.get(message.topic), None
        if device is None:
            topic = parse(message.topic)
            if topic is None:
                where = "city/<district>/<kind>/<device_id>"
                return Rejected(Code.BAD_TOPIC, f"publish to {where}/up, …/event, …/up/<codec> or …/status")
            device = self.registry.publisher(topic)
            if device is None:
                return self._stranger(topic)
        if len(message.payload) > MAX_PAYLOAD:
            return Rejected(Code.TOO_LARGE, f"{len(message.payload)} bytes; at most {MAX_PAYLOAD} are taken")
        return device, self._understand(device, topic, message.payload)

    def _understand(
        self, device: Device, topic: DeviceTopic | None, payload: bytes
    ) -> Sequence[Decoded | Rejected] | Sequence[Presence | Rejected]:
        """What a device's payload says in the language of its channel; native where the topic is well known."""
        if topic is None or topic.channel in CHANNELS:
            return self._native[device.kind].decode(payload, device.device_id)
        if topic.channel == STATUS:
            return [status.decode(payload)]
        spoken, codec = self._codecs[device.kind], topic.codec
        if codec not in spoken:
            others = ", ".join(f"…/up/{name}" for name in spoken) or "no other"
            detail = f"a {device.kind} does not speak {codec!r}; beside …/up {others}"
            return [Rejected(Code.UNKNOWN_CODEC, detail)]
        return spoken[codec].decode(payload, device)

    def _columns(self, kind_name: str, rows: Sequence[_Row], batch: Batch) -> Readings:
        """Columns in order of device and time, which is the order in which rules walk them."""
        kind = self.registry.kinds[kind_name]
        numbers, messages, parts, times, counters, types, sent = zip(*rows, strict=True)
        ts = np.array(times)
        values, texts = np.empty((len(rows), len(kind.metrics))), {}
        for index, (metric, column) in enumerate(zip(kind.metrics, zip(*sent, strict=True), strict=True)):
            values[:, index] = _numbers(metric, column)
            if metric.type is MetricType.TEXT:
                texts[metric.name] = np.array(column, dtype=object)
        readings = Readings(
            kind=kind,
            device=np.array(numbers),
            ts=ts,
            received_at=np.full(len(rows), batch.received_at),
            seq=np.array(counters),
            type=np.array(types),
            quality=doubts(self._bounds[kind_name], values, ts - batch.received_at),
            message=np.array(messages),
            part=np.array(parts),
            values=values,
            texts=texts,
        )
        return readings.take(np.lexsort((readings.ts, readings.device)))

    def _stranger(self, topic: DeviceTopic) -> Rejected:
        if topic.kind not in self.registry.kinds:
            known = ", ".join(self.registry.kinds)
            return Rejected(Code.UNKNOWN_KIND, f"{topic.kind!r} is not one of {known}")
        detail = (
            f"no {topic.kind} {topic.device_id!r} in district {topic.district!r}; cityward devices adopt registers it"
        )
        return Rejected(Code.UNREGISTERED, detail)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a batch turns out to hold: rows by kind, refusals, and what is no reading, by device."""

    batch: Batch
    rows: dict[str, list[_Row]] = field(default_factory=lambda: defaultdict(list))
    rejected: list[Rejected] = field(default_factory=list)
    also_sent: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    asides: dict[int, Aside] = field(default_factory=dict)
    statuses: dict[int, Status] = field(default_factory=dict)


def _ahead(reading: Decoded, batch: Batch, position: int, part: int) -> Rejected:
    seconds = (reading.ts - batch.received_at) / 1e6
    return Rejected(Code.CLOCK_SKEW, f"the device's clock is {seconds:.0f} s ahead; at most 300 s", position, part)


def _numbers(metric: Metric, column: Sequence[float | bool | str | None]) -> Floats | float:
    """The column of a metric; NaN, for all its rows at once, where there are no numbers."""
    # Most kinds have more metrics than a device.
    if metric.type is MetricType.TEXT or column.count(None) == len(column):
        return np.nan
    if metric.type is MetricType.ENUM:
        codes: Mapping[object, float] = {word: code for code, word in enumerate(metric.values)}
        return np.array([codes.get(word, np.nan) for word in column])
    return np.array(column, dtype=np.float64)  # None becomes NaN


def doubts(bounds: tuple[Floats, Floats], values: Floats, ahead: Ints) -> Ints:
    """What is doubtful about readings in themselves, as bits of ``Quality``.

    Args:
        bounds: The least and the largest values of each metric.
        values: The readings, one a row.
        ahead: How far each one's time is ahead of its arrival, µs.
    """
    low, high = bounds
    outside = ((values < low) | (values > high)).any(axis=1)
    return np.asarray(outside * int(Quality.IMPLAUSIBLE) | (ahead > CLOCK_DOUBTED) * int(Quality.SKEWED))


def bounds_of(kind: Kind) -> tuple[Floats, Floats]:
    """What each metric's instrument can deliver: the least and the largest values."""
    ranges = [metric.range or (-np.inf, np.inf) for metric in kind.metrics]
    low, high = zip(*ranges, strict=True)
    return np.array(low), np.array(high)
