"""Devices: who there is, what they sent last, their stored readings; and what each kind measures in which unit."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import Field

from console.api.common import (
    Asked,
    At,
    Cursor,
    Limit,
    Looks,
    Moment,
    Page,
    Shape,
    Word,
    cursor,
    opened,
    paged,
)
from console.errors import Missing
from console.moments import in_our_time
from devices.kind import Kind, MetricType
from devices.quality import Quality
from devices.readings import MESSAGE_TYPES
from storage import device_status, reading_writer
from storage.device_status import DeviceStatus
from storage.registry_store import load_device

router = APIRouter(tags=["devices"])
MOST_READINGS = 5_000
Value = float | int | bool | str | None
_DeviceId = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[^\x00/]+$", examples=["4201020102000001"])]


class Metric(Shape):
    """What a kind measures."""

    name: str
    type: MetricType
    unit: Annotated[str, Field(description="As in UCUM where it has one; empty where there is none.")]
    doc: str
    values: Annotated[list[str], Field(description="The words of an enumeration.")]


class KindOfDevice(Shape):
    """A kind of device."""

    name: str
    names: dict[str, str]
    doc: str
    interval: Annotated[timedelta, Field(description="How often it sends.")]
    heartbeat: Annotated[timedelta, Field(description="Silent for longer is an alarm.")]
    metrics: list[Metric]


class Device(Shape):
    """A registered device and what is known of it."""

    device_id: str
    kind: str
    name: str
    district: str
    road: str
    gateway: str
    last_ts: Annotated[datetime | None, Field(description="The time of its newest reading.")]
    last_received_at: Annotated[datetime | None, Field(description="When it was last heard; null: never.")]
    readings: Annotated[int | None, Field(description="Live readings it has sent.")]
    quality: Annotated[list[str], Field(description="Doubts about its newest reading; empty: good.")]
    latest: Annotated[
        dict[str, Any] | None, Field(description="Last value of each metric by name; units: `/api/v1/kinds`.")
    ]
    firmware: str | None
    online: Annotated[bool | None, Field(description="Whether it is connected; null where it has never said.")]


class Position(Shape):
    """Where a device stands and whose it is."""

    lon: Annotated[float, Field(description="Degrees, WGS 84.")]
    lat: Annotated[float, Field(description="Degrees, WGS 84.")]
    grid: str
    component_class: str
    circuit: str
    cabinet: str
    supervisor: str
    owner: str
    maintainer: str


class DeviceInFull(Device, Position):
    """A device with its place in the registry."""

    attributes: dict[str, Any]
    limits: Annotated[dict[str, float], Field(description="Its own; others are its kind's.")]


class Reading(Shape):
    """A stored reading."""

    ts: Annotated[datetime, Field(description="By the device's clock.")]
    received_at: datetime
    seq: int | None
    type: str
    quality: Annotated[list[str], Field(description="Doubts; empty: good.")]
    values: dict[str, Value]


class Readings(Page[Reading]):
    """Readings, oldest first."""

    units: Annotated[dict[str, str], Field(description="The unit of each metric.")]


class DeviceQuery(Asked):
    """Which devices; what is left out means all."""

    kind: Word | None = None
    district: Word | None = None
    silent_since: Annotated[Moment | None, Field(description="Only those not heard since then, or never.")] = None
    limit: Limit = 50
    cursor: Cursor = None


class ReadingQuery(Asked):
    """Which stretch of time: from `since` until before `until`, by default the last day."""

    since: Moment | None = None
    until: Moment | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_READINGS)] = 500
    cursor: Cursor = None


@router.get("/kinds", summary="Kinds of devices")
def read_kinds(who: Looks, at: At) -> list[KindOfDevice]:
    """What each kind measures, in which unit."""
    del who
    return [
        KindOfDevice(
            name=kind.name,
            names=dict(kind.names),
            doc=kind.doc,
            interval=kind.interval,
            heartbeat=kind.heartbeat,
            metrics=[
                Metric(name=each.name, type=each.type, unit=each.unit, doc=each.doc, values=list(each.values))
                for each in kind.metrics
            ],
        )
        for kind in at.kinds.values()
    ]


@router.get("/devices", summary="Devices", response_model=Page[Device])
def read_devices(asked: Annotated[DeviceQuery, Query()], who: Looks, at: At) -> dict[str, Any]:
    """Devices with their last values, in the order of their ids."""
    del who
    kinds = [asked.kind] if asked.kind else [*at.kinds]
    after = opened(asked.cursor, str, str)
    with at.connection() as connection:
        rows = device_status.page(
            connection,
            kinds,
            district=asked.district,
            silent_since=asked.silent_since,
            after=after,
            limit=asked.limit + 1,
        )
    return paged(rows, asked.limit, lambda row: Device(**_known(row)), lambda row: cursor(row.device_id))


@router.get("/devices/{device_id}", summary="One device")
def read_device(device_id: _DeviceId, who: Looks, at: At) -> DeviceInFull:
    """A device with its last values, its position and who answers for it."""
    del who
    with at.connection() as connection:
        device, status = load_device(connection, device_id), device_status.one(connection, device_id)
    if device is None or status is None:
        raise Missing("facility_missing", id=device_id)
    return DeviceInFull(
        **_known(status),
        **{name: getattr(device, name) for name in Position.model_fields},
        attributes=dict(device.attributes),
        limits=dict(device.limits),
    )


@router.get("/devices/{device_id}/readings", summary="Stored readings of a device", response_model=Readings)
def read_readings(device_id: _DeviceId, asked: Annotated[ReadingQuery, Query()], who: Looks, at: At) -> dict[str, Any]:
    """Oldest first. What was quarantined is not among them; `/api/v1/ledger` counts it."""
    del who
    until = asked.until or at.clock.now() + timedelta(hours=1)  # devices' clocks may be ahead
    since = opened(asked.cursor, _after, datetime) or asked.since or until - timedelta(days=1)
    with at.connection() as connection:
        device = load_device(connection, device_id)
        kind = at.kinds.get(device.kind) if device else None
        if device is None or kind is None:
            raise Missing("facility_missing", id=device_id)
        rows = reading_writer.page(connection, kind, device.id, since, until, asked.limit + 1)
    found = paged(rows, asked.limit, lambda row: _reading(kind, row), lambda row: cursor(row["ts"]))
    return {**found, "units": {metric.name: metric.unit for metric in kind.metrics}}


def _after(ts: datetime) -> datetime:
    return in_our_time(ts) + timedelta(microseconds=1)


def _known(row: DeviceStatus) -> dict[str, Any]:
    known = {name: getattr(row, name) for name in Device.model_fields}
    return {**known, "quality": doubts(row.quality or 0)}


def _reading(kind: Kind, row: dict[str, Any]) -> Reading:
    values = {metric.name: metric.said(row[metric.name]) for metric in kind.metrics}
    return Reading(
        ts=row["ts"],
        received_at=row["received_at"],
        seq=row["seq"],
        type=MESSAGE_TYPES[row["type"]],
        quality=doubts(row["quality"]),
        values=values,
    )


def doubts(quality: int) -> list[str]:
    """The bits of a reading's quality as words; none where it is good."""
    return [str(bit.name).lower() for bit in Quality(quality)]
