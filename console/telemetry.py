"""What a device sent lately, as curves: which metrics, over which time, against which limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.context import Context
from console.curves import Curve, Span, curve
from devices.kind import Kind, Metric, MetricType
from devices.registry import Device, Registry
from rules import mentions
from storage.connection import Connection
from storage.reading_writer import read_back

_BEFORE_LEAST, _BEFORE_MOST = timedelta(hours=2), timedelta(hours=6)
_AFTER_MOST = timedelta(days=7)
_INTERVALS_BEFORE = 12
_MICROS = 1_000_000


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
    readings = read_back(connection, kind, [device.id], _micros(since), _micros(until) + 1, names)
    local = [(name, moment.astimezone(zone)) for name, moment in moments]
    drawn = (
        curve(readings, metric, span, limits=wanted.limits.get(metric.name), moments=local) for metric in wanted.metrics
    )
    return [each for each in drawn if each.readings]


def _micros(at: datetime) -> int:
    return round(at.timestamp() * _MICROS)
