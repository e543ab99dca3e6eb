"""The page of a device: what it is, what it says, what is wrong with it, against which limits."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from console import telemetry
from console.access import Action
from console.context import Context, context
from console.curves import Curve
from console.errors import Missing
from console.identity import May, Visitor
from console.pages.rendering import page
from devices.device import Device
from devices.kind import Kind, MetricType
from devices.quality import Quality
from devices.registry import Registry
from storage import device_status
from storage.alarm_list import AlarmRow, list_alarms
from storage.case_list import CaseFilter, newest_cases
from storage.connection import Connection
from storage.registry_store import load_device

router = APIRouter()
SPANS = {"24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
_MOST_CURVES = 3
_CASES = 10


@dataclass(frozen=True, slots=True)
class Value:
    """The last value of a metric, or that of an attribute."""

    name: str
    value: str
    unit: str


@dataclass(frozen=True, slots=True)
class LimitInForce:
    """A limit as it holds for a device today."""

    name: str
    value: float | None
    unit: str
    source: str
    since: date | None
    doc: str


@router.get("/devices/{device_id}")
def show(
    device_id: str,
    request: Request,
    who: Annotated[Visitor, Depends(May(Action.LOOK))],
    at: Annotated[Context, Depends(context)],
    span: str = "24h",
    metric: Annotated[list[str] | None, Query(max_length=_MOST_CURVES)] = None,
) -> Response:
    """Everything about a device."""
    now = at.clock.now()
    with at.connection() as connection:
        status, device = device_status.one(connection, device_id), load_device(connection, device_id)
        if status is None or device is None:
            raise Missing("facility_missing", id=device_id)
        alarms = list_alarms(connection, device=device_id)
        cases = newest_cases(connection, CaseFilter(device=device_id), limit=_CASES)
        kind = at.kinds.get(device.kind)
        span = span if span in SPANS else "24h"
        curves = _curves(connection, device, kind, metric or [], alarms, now - SPANS[span], now, at=at) if kind else []
    return page(
        "device.html", request, who.language, who, device=device, known=status, alarms=alarms, cases=cases,
        curves=curves, span=span, spans=list(SPANS), soon=now + timedelta(hours=1), doubts=_doubts(status.quality),
        values=list(_values(kind, status.latest or {})) if kind else [],
        metrics=[each.name for each in kind.metrics if each.type is not MetricType.TEXT] if kind else [],
        drawn=[each.metric for each in curves], attributes=list(_attributes(device, kind)) if kind else [],
        limits=list(_limits(device, kind, now.astimezone(at.city.calendar.timezone).date())) if kind else [],
        silent=kind is not None and _silent(kind, status.last_received_at, now),
    )  # fmt: skip


def _curves(
    connection: Connection,
    device: Device,
    kind: Kind,
    names: list[str],
    alarms: list[AlarmRow],
    since: datetime,
    until: datetime,
    *,
    at: Context,
) -> list[Curve]:
    """What was asked for; else what its alarms' rules and then those of its kind ask for first and it has sent."""
    wrong = {alarm.rule_id for alarm in alarms}
    rules = sorted(
        (rule for rule in at.rules.values() if rule.kind == kind.name), key=lambda rule: rule.id not in wrong
    )
    registry = Registry({kind.name: kind}, [device])
    asked = [telemetry.by_rule(rule.text, device, registry, until, at) for rule in rules]
    if names:
        chosen = [each for each in kind.metrics if each.name in names and each.type is not MetricType.TEXT]
    else:
        chosen = list({metric.name: metric for each in asked for metric in each.metrics}.values())
    limits = {
        metric.name: {name: value for each in asked for name, value in each.limits.get(metric.name, {}).items()}
        for metric in chosen
    }
    wanted = telemetry.Wanted(chosen, limits)
    return telemetry.curves(connection, device, kind, wanted, since, until, at=at)[:_MOST_CURVES]


def _values(kind: Kind, latest: Any) -> Iterator[Value]:
    for metric in kind.metrics:
        if (value := latest.get(metric.name)) is not None:
            yield Value(metric.name, _said(value), "" if metric.unit == "1" else metric.unit)


def _said(value: float | str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _limits(device: Device, kind: Kind, day: date) -> Iterator[LimitInForce]:
    registry = Registry({kind.name: kind}, [device])
    for limit in kind.limits.values():
        step = registry.limit(device, limit.name, day)
        yield LimitInForce(
            limit.name,
            step.value,
            "" if limit.unit == "1" else limit.unit,
            step.standard_ref,
            step.valid_from,
            limit.doc,
        )


def _attributes(device: Device, kind: Kind) -> Iterator[Value]:
    for name, value in Registry({kind.name: kind}, [device]).attributes(device).items():
        if value is not None:
            unit = kind.attributes[name].unit
            yield Value(name, _said(value), "" if unit == "1" else unit)


def _doubts(quality: int | None) -> list[str]:
    return [str(bit.name).lower() for bit in Quality(quality or 0)]


def _silent(kind: Kind, heard: datetime | None, now: datetime) -> bool:
    return heard is None or now - heard > kind.heartbeat
