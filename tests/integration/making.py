"""Readings, messages and transitions for tests, in a line each."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from psycopg import Connection

from cityward.clock import Clock
from devices.device import Device
from devices.kind import Kind, Metric, MetricType
from devices.moments import micros
from devices.readings import NO_SEQUENCE, Readings
from devices.registry import Registry
from ingest.decoding import Decoder
from ingest.messages import Batch, DecodedBatch, Message
from rules.rule import Severity
from rules.verdicts import Change, Transition

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)  # a Friday, 12:00 in Shanghai
MINUTE = 60_000_000  # µs

COVER_EAST = "4201020102000001"  # nobody's by name, class 0102: the drainage company's
COVER_WEST = "4201020114000002"  # nobody's at all
KITCHEN = "4201020380000003"  # owner east-cg, maintained by sensor-care
LAMP = "4201020118000005"  # class 0118: the lighting office's
STRAIN = "bridge-1-strain"  # owned and maintained by the bridge office


class Hands(Clock):
    """A clock that is set by hand."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self.at = at

    def micros(self) -> int:
        return micros(self.at)


def device_of(registry: Registry, device_id: str) -> Device:
    return next(device for device in registry.devices.values() if device.device_id == device_id)


def readings(kind: Kind, *rows: Mapping[str, Any]) -> Readings:
    """One reading a row: ``device``, ``ts`` and what else differs from nothing, metrics by name."""

    def ints(name: str, default: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        return np.array([row.get(name, default) for row in rows], dtype=np.int64)

    def metric(name: str) -> list[Any]:
        return [row.get(name) for row in rows]

    numbers = [metric(each.name) if each.type is not MetricType.TEXT else [None] * len(rows) for each in kind.metrics]
    return Readings(
        kind=kind,
        device=ints("device", 1),
        ts=ints("ts", micros(NOON)),
        received_at=ints("received_at", micros(NOON)),
        seq=ints("seq", NO_SEQUENCE),
        type=ints("type", 0),
        quality=ints("quality", 0),
        message=np.arange(len(rows), dtype=np.int64),
        part=np.zeros(len(rows), dtype=np.int64),
        values=np.array(numbers, dtype=np.float64).T,
        texts={
            each.name: np.array(metric(each.name), dtype=object)
            for each in kind.metrics
            if each.type is MetricType.TEXT
        },
    )


def decoded(registry: Registry, *messages: tuple[str, bytes], received_at: datetime = NOON) -> DecodedBatch:
    """What the decoder makes of messages that arrived together."""
    return Decoder(registry).decode(Batch([Message(*message) for message in messages], micros(received_at)))


def transition(
    device: int,
    change: Change = Change.RAISED,
    *,
    rule: str = "MH-01",
    severity: Severity = Severity.MAJOR,
    at: datetime = NOON,
    **detail: Any,
) -> Transition:
    return Transition(change, rule, "0123456789ab", device, severity, micros(at), detail)


def everything() -> Kind:
    """A kind that measures something of every type."""
    metrics = [
        Metric(
            name=f"a_{each.value}",
            type=each,
            unit="",
            doc="",
            values=("no", "yes", "maybe") if each is MetricType.ENUM else (),
        )
        for each in MetricType
    ]
    return Kind(
        name="everything",
        code=99,
        names={},
        doc="",
        interval=timedelta(minutes=1),
        heartbeat=timedelta(minutes=1),
        component_classes=(),
        metrics=tuple(metrics),
        limits={},
        attributes={},
        folder=Path(),
    )


def rows(connection: Connection, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    return connection.execute(query.encode(), parameters).fetchall()
