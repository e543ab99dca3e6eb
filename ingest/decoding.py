"""Messages to columns: which device, which payload, in its right mind?

Pure. Called by the loop once a batch; nothing here raises for what a device sent.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from devices.codecs import codecs_of
from devices.codecs.decoded import Decoded
from devices.codecs.native import NativeCodec
from devices.kind import Kind, Metric, MetricType
from devices.quality import Quality
from devices.readings import Floats, Ints, Readings
from devices.registry import Device, Registry
from devices.rejection import Code, Rejected
from devices.topics import DeviceTopic, parse
from ingest.messages import Batch, DecodedBatch, Message, condensed

MAX_PAYLOAD = 256 * 1024  # bytes: far above a day of readings in one array, far below what could hurt
CLOCK_AHEAD = 5 * 60 * 1_000_000  # µs: project default for how far a device's clock may run ahead
CLOCK_DOUBTED = 60 * 1_000_000  # µs ahead from which a reading is flagged: beyond what networks and NTP explain

_Row = tuple[int, int, int, Decoded]  # device, message, part of it, reading


class Decoder:
    """Decodes batches against one snapshot of the registry."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._native = {name: NativeCodec(kind) for name, kind in registry.kinds.items()}
        self._codecs = {name: codecs_of(kind) for name, kind in registry.kinds.items()}

    def decode(self, batch: Batch) -> DecodedBatch:
        """Every reading of the batch as a row of columns or as a rejection."""
        rows: dict[str, list[_Row]] = defaultdict(list)
        rejected: list[Rejected] = []
        also_sent: dict[int, set[str]] = defaultdict(set)
        latest = batch.received_at + CLOCK_AHEAD
        for position, message in enumerate(batch.messages):
            found = self._read(message)
            if isinstance(found, Rejected):
                rejected.append(replace(found, message=position))
                continue
            device, outcomes = found
            for part, reading in enumerate(outcomes):
                if isinstance(reading, Rejected):
                    where = part if len(outcomes) > 1 else -1
                    rejected.append(Rejected(reading.code, reading.detail, position, where))
                elif reading.ts > latest:
                    rejected.append(_ahead(reading, batch, position, part))
                else:
                    rows[device.kind].append((device.id, position, part, reading))
                    if reading.also_sent:
                        also_sent[device.id].update(reading.also_sent)
        readings = [_columns(self.registry.kinds[kind], found, batch) for kind, found in rows.items()]
        return DecodedBatch(batch, readings, condensed(rejected), dict(also_sent))

    def _read(self, message: Message) -> tuple[Device, Sequence[Decoded | Rejected]] | Rejected:
        """Whose message it is and what it holds."""
        device, codec = self.registry.by_topic.get(message.topic), ""
        if device is None:
            topic = parse(message.topic)
            if topic is None:
                where = "city/<district>/<kind>/<device_id>"
                return Rejected(Code.BAD_TOPIC, f"publish to {where}/up, …/event or …/up/<codec>")
            device = self.registry.publisher(topic)
            if device is None:
                return self._stranger(topic)
            codec = topic.codec
        if len(message.payload) > MAX_PAYLOAD:
            return Rejected(Code.TOO_LARGE, f"{len(message.payload)} bytes; at most {MAX_PAYLOAD} are taken")
        if not codec:
            return device, self._native[device.kind].decode(message.payload, device.device_id)
        spoken = self._codecs[device.kind]
        if codec not in spoken:
            others = ", ".join(f"…/up/{name}" for name in spoken) or "no other"
            return Rejected(Code.UNKNOWN_CODEC, f"a {device.kind} does not speak {codec!r}; beside …/up {others}")
        return device, spoken[codec].decode(message.payload, device)

    def _stranger(self, topic: DeviceTopic) -> Rejected:
        if topic.kind not in self.registry.kinds:
            known = ", ".join(self.registry.kinds)
            return Rejected(Code.UNKNOWN_KIND, f"{topic.kind!r} is not one of {known}")
        detail = (
            f"no {topic.kind} {topic.device_id!r} in district {topic.district!r}; cityward devices adopt registers it"
        )
        return Rejected(Code.UNREGISTERED, detail)


def _ahead(reading: Decoded, batch: Batch, position: int, part: int) -> Rejected:
    seconds = (reading.ts - batch.received_at) / 1e6
    return Rejected(Code.CLOCK_SKEW, f"the device's clock is {seconds:.0f} s ahead; at most 300 s", position, part)


def _columns(kind: Kind, rows: Sequence[_Row], batch: Batch) -> Readings:
    """Columns in order of device and time, which is the order in which rules walk them."""
    device = _ints(row[0] for row in rows)
    ts = _ints(row[3].ts for row in rows)
    order = np.lexsort((ts, device))
    values = np.empty((len(rows), len(kind.metrics)))
    texts = {}
    for index, metric in enumerate(kind.metrics):
        column = [row[3].values[index] for row in rows]
        values[:, index] = _numbers(metric, column)
        if metric.type is MetricType.TEXT:
            texts[metric.name] = np.array(column, dtype=object)
    readings = Readings(
        kind=kind,
        device=device,
        ts=ts,
        received_at=np.full(len(rows), batch.received_at, dtype=np.int64),
        seq=_ints(row[3].seq for row in rows),
        type=_ints(row[3].type for row in rows),
        quality=_plausibility(kind, values) | np.where(ts > batch.received_at + CLOCK_DOUBTED, int(Quality.SKEWED), 0),
        message=_ints(row[1] for row in rows),
        part=_ints(row[2] for row in rows),
        values=values,
        texts=texts,
    )
    return readings.take(order)


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int64)


def _numbers(metric: Metric, column: Sequence[float | bool | str | None]) -> Floats:
    if metric.type is MetricType.TEXT:
        return np.full(len(column), np.nan)
    if metric.type is MetricType.ENUM:
        codes: dict[object, float] = {word: code for code, word in enumerate(metric.values)}
        return np.array([codes.get(word, np.nan) for word in column])
    return np.array(column, dtype=np.float64)  # None becomes NaN


def _plausibility(kind: Kind, values: Floats) -> Ints:
    low = np.array([metric.range[0] if metric.range else -np.inf for metric in kind.metrics])
    high = np.array([metric.range[1] if metric.range else np.inf for metric in kind.metrics])
    with np.errstate(invalid="ignore"):
        outside = ((values < low) | (values > high)).any(axis=1)
    return np.where(outside, int(Quality.IMPLAUSIBLE), int(Quality.GOOD)).astype(np.int64)
