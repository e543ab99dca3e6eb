"""What was heard of devices between two bulk updates of their status. Pure; as columns, because it is every reading."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.codecs.decoded import Aside
from devices.kind import Kind, Metric, MetricType
from devices.quality import Quality
from devices.readings import Readings

_Bools = NDArray[np.bool_]
_Rows = NDArray[np.intp]
_NOTHING = Aside()


class Heard(msgspec.Struct, frozen=True, gc=False):
    """What was heard of one device.

    Attributes:
        device: Its number.
        last_ts: The newest device time, microseconds since 1970 UTC.
        last_received_at: The last arrival, microseconds since 1970 UTC.
        readings: How many live readings, duplicates and late ones included: all are signs of life.
        lag: Arrival minus device time (µs) of what was new last; None where nothing was.
        quality: Of the newest new reading; None where there is none.
        latest: JSON: the last value of each metric that was sent, and of signal strengths beside the metrics.
        firmware: As the device names it; None where it did not.
        also_sent: Keys that its kind does not know.
    """

    device: int
    last_ts: int
    last_received_at: int
    readings: int
    lag: int | None
    quality: int | None
    latest: bytes
    firmware: str | None
    also_sent: frozenset[str]


@dataclass(frozen=True, slots=True)
class Hearing:
    """Gathers readings as they are written, and sums them up by device."""

    _tables: dict[str, list[tuple[Readings, _Bools]]] = field(default_factory=lambda: defaultdict(list))
    _also_sent: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    _asides: dict[int, Aside] = field(default_factory=dict)

    def add(self, readings: Readings, fresh: _Bools) -> None:
        """Readings of one kind, and which of them were new.

        What a gateway repeats is no sign of life: the gateway lives, the device may be dead.
        """
        own = (readings.quality & int(Quality.REPEATED)) == 0
        if not own.all():
            readings, fresh = readings.take(own), fresh[own]
        if len(readings):
            self._tables[readings.kind.name].append((readings, fresh))

    def note(self, also_sent: Mapping[int, set[str]], asides: Mapping[int, Aside]) -> None:
        """What devices have sent beside their metrics, by number."""
        for device, keys in also_sent.items():
            self._also_sent[device] |= keys
        for device, aside in asides.items():
            self._asides[device] = aside.over(self._asides.get(device, _NOTHING))

    def clear(self) -> None:
        """It has been written down."""
        for memory in (self._tables, self._also_sent, self._asides):
            memory.clear()

    def summary(self) -> Iterator[Heard]:
        """Every device that was heard."""
        for tables in self._tables.values():
            yield from self._summary(tables)

    def _summary(self, tables: Sequence[tuple[Readings, _Bools]]) -> Iterator[Heard]:
        parts = [readings for readings, _ in tables]
        whole = Readings.joined(parts)
        order = np.lexsort([np.concatenate([getattr(part, key) for part in parts]) for key in ("ts", "device")])
        fresh = np.concatenate([new for _, new in tables])[order]
        devices, starts = np.unique(whole.device, return_index=True)
        live = (whole.quality & int(Quality.REPLAYED)) == 0
        # A replay tells when there was a reading; it is none.
        counts = np.add.reduceat(live, starts, dtype=np.int64)
        told = np.flatnonzero(fresh & ((whole.quality & int(Quality.LATE)) == 0))
        news = dict(_latest(whole.take(told)))
        lags = dict(_lags(whole.take(rows))) if len(rows := np.flatnonzero(live & fresh)) else {}
        columns = (
            devices,
            np.maximum.reduceat(whole.ts, starts),
            np.maximum.reduceat(whole.received_at, starts),
            counts,
        )
        for device, last_ts, last_received_at, count in zip(*(each.tolist() for each in columns), strict=True):
            quality, latest = news.get(device, (None, b"{}"))
            aside = self._asides.get(device, _NOTHING)
            yield Heard(
                device,
                last_ts,
                last_received_at,
                count,
                lags.get(device),
                quality,
                _with(latest, aside.signal),
                aside.firmware,
                frozenset(self._also_sent.get(device, ())),
            )


def _lags(readings: Readings) -> Iterator[tuple[int, int]]:
    """Of the last arrival of each device the smallest lag.

    An array of readings is sent when its last one is measured: the smallest lag is the clock's and the way's.
    """
    lag = readings.received_at - readings.ts
    order = np.lexsort((-lag, readings.received_at, readings.device))
    device = readings.device[order]
    ends = np.flatnonzero(np.append(device[1:] != device[:-1], True))
    yield from zip(device[ends].tolist(), lag[order][ends].tolist(), strict=True)


def _latest(readings: Readings) -> Iterator[tuple[int, tuple[int, bytes]]]:
    """By device the quality of its newest reading and the last value of each metric that it sent."""
    if not len(readings):
        return
    devices, starts = np.unique(readings.device, return_index=True)
    ends = np.append(starts[1:], len(readings)) - 1
    columns = [_last(readings, metric, starts) for metric in readings.kind.metrics]
    encode, shape = msgspec.json.Encoder().encode, _shape(readings.kind)
    documents = (encode(shape(*values)) for values in zip(*columns, strict=True))
    yield from zip(devices.tolist(), zip(readings.quality[ends].tolist(), documents, strict=True), strict=True)


def _last(readings: Readings, metric: Metric, starts: _Rows) -> list[Any]:
    """The last value of a metric for each device, as people read it; None where it sent none."""
    column: NDArray[Any]
    if metric.type is MetricType.TEXT:
        column = readings.texts[metric.name]
        sent = np.array([text is not None for text in column])
    else:
        column = readings.metric(metric.name)
        sent = ~np.isnan(column)
    if not sent.any():
        return [None] * len(starts)
    rows = np.maximum.reduceat(np.where(sent, np.arange(len(readings)), -1), starts)
    return [
        None if row < 0 else _spoken(metric, value)
        for row, value in zip(rows.tolist(), column[rows].tolist(), strict=True)
    ]


def _spoken(metric: Metric, value: Any) -> Any:
    match metric.type:
        case MetricType.ENUM:
            return metric.values[int(value)]
        case MetricType.BOOL:
            return bool(value)
        case MetricType.SMALLINT | MetricType.INTEGER:
            return int(value)
        case _:
            return value


def _shape(kind: Kind) -> type[msgspec.Struct]:
    """What a kind's values look like as a document, without those that were not sent."""
    fields = [(metric.name, Any, None) for metric in kind.metrics]
    return msgspec.defstruct(f"{kind.name}_latest", fields, omit_defaults=True, gc=False)


def _with(latest: bytes, more: Mapping[str, float]) -> bytes:
    if not more:
        return latest
    return msgspec.json.encode({**msgspec.json.decode(latest), **more})
