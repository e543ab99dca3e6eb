"""What a device sent lately, as curves: which metrics, over which time, against which limits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from console.context import Context
from console.curves import Curve, Span, curve, words_of
from devices.device import Device
from devices.kind import Kind, Metric, MetricType
from devices.moments import micros, moment
from devices.quality import Quality
from devices.readings import Readings
from devices.registry import Registry
from rules import mentions
from rules.rule import Rule
from storage import device_status
from storage.connection import Connection
from storage.reading_writer import read_back
from storage.registry_store import load_device

_BEFORE_LEAST, _BEFORE_MOST = timedelta(hours=2), timedelta(hours=6)
_AFTER_MOST = timedelta(days=7)
_INTERVALS_BEFORE = 12
_LAST = 3  # readings that a crew is shown


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be drawn of a device; ``limits`` by metric, by name."""

    metrics: Sequence[Metric]
    limits: Mapping[str, Mapping[str, float]]


def by_rule(text: str, device: Device, registry: Registry, now: datetime, at: Context) -> Wanted:
    """The metrics and limits that a rule speaks of; all limits in a metric's unit are drawn over it."""
    kind = registry.kinds[device.kind]
    day = now.astimezone(at.city.calendar.timezone).date()
    metrics = [kind.metric(name) for name in mentions.metrics(text, device, registry)]
    said = mentions.limits(text, device, registry, day)
    limits = {
        metric.name: {
            each.name: each.step.value
            for each in said
            if each.step.value is not None and each.unit == metric.unit and metric.is_number
        }
        for metric in metrics
    }
    return Wanted([each for each in metrics if each.type is not MetricType.TEXT], limits)


@dataclass(frozen=True, slots=True)
class Reading:
    """A measured value in words, when that was, and what speaks against it."""

    at: datetime
    text: str
    doubts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric that a rule judges: its limits by name, its last readings, the newest first."""

    metric: Metric
    limits: Mapping[str, float]
    readings: Sequence[Reading]

    @property
    def unit(self) -> str:
        """Its unit; empty where it has none."""
        return "" if self.metric.unit == "1" else self.metric.unit


def measured(connection: Connection, device_id: str, rule: Rule | None, at: Context) -> list[Measured]:
    """What the device has sent last of what the rule judges; nothing of groups, of silence, or where it never sent."""
    device, status = load_device(connection, device_id), device_status.one(connection, device_id)
    kind = at.kinds.get(device.kind) if device else None
    if rule is None or device is None or kind is None or status is None or status.last_ts is None:
        return []
    wanted = by_rule(rule.text, device, Registry({kind.name: kind}, [device]), at.clock.now(), at)
    names = [metric.name for metric in wanted.metrics]
    if not names:
        return []
    last = micros(status.last_ts)
    since = micros(status.last_ts - _LAST * kind.interval)
    readings = read_back(connection, kind, [device.id], since, last + 1, names)
    found = (
        Measured(metric, wanted.limits.get(metric.name, {}), list(_last(readings, metric))) for metric in wanted.metrics
    )
    return [each for each in found if each.readings]


def _last(readings: Readings, metric: Metric) -> Iterator[Reading]:
    values = readings.metric(metric.name)
    for row in np.flatnonzero(~np.isnan(values))[: -_LAST - 1 : -1].tolist():
        measured_at = moment(int(readings.ts[row]))
        doubts = [str(bit.name).lower() for bit in Quality(int(readings.quality[row]))]
        yield Reading(measured_at, _said(float(values[row]), metric), doubts)


def _said(value: float, metric: Metric) -> str:
    words = words_of(metric)
    return words[int(value)] if words else f"{value:.4g}"


def around(kind: Kind, raised: datetime, ended: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """The time around a fault: as long before it as the kind needs to show what is usual, and until it was over."""
    before = min(max(_INTERVALS_BEFORE * kind.interval, _BEFORE_LEAST), _BEFORE_MOST)
    until = min(now, (ended or now) + before, raised + _AFTER_MOST)
    return raised - before, max(until, raised + timedelta(minutes=1))


def curves(
    connection: Connection,
    device: Device,
    kind: Kind,
    wanted: Wanted,
    since: datetime,
    until: datetime,
    *,
    at: Context,
    moments: Sequence[tuple[str, datetime]] = (),
) -> list[Curve]:
    """The curves of these metrics that have anything to show."""
    zone = at.city.calendar.timezone
    span = Span(since.astimezone(zone), until.astimezone(zone))
    names = [metric.name for metric in wanted.metrics]
    if not names:
        return []
    readings = read_back(connection, kind, [device.id], micros(since), micros(until) + 1, names)
    local = [(name, moment.astimezone(zone)) for name, moment in moments]
    drawn = (
        curve(readings, metric, span, limits=wanted.limits.get(metric.name), moments=local) for metric in wanted.metrics
    )
    return [each for each in drawn if each.readings]
