"""Reading alarms: lists, histories, what a scorecard counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from alarms import storms
from alarms.lifecycle import Event
from alarms.scorecard import By, Happening, Stale
from rules.rule import Severity
from storage.queries import load

_SQL = load("alarm_list")


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm in a list. Times are aware, in UTC; severity from 1, notice, to 4, critical.

    ``state`` is a ``alarms.lifecycle.State``; ``case_number`` and ``unit`` are those of its latest case, if any.
    """

    id: int
    rule_id: str
    kind: str
    device_id: str
    name: str
    road: str
    district: str
    severity: int
    active: bool
    acknowledged: bool
    raised_at: datetime
    cleared_at: datetime | None
    occurrences: int
    chatter: int
    chattering_since: datetime | None
    shelved_until: datetime | None
    suppressed_by: int | None
    permit: int | None
    rule_version: str
    case_number: str | None
    unit: str | None
    state: str


@dataclass(frozen=True, slots=True)
class AlarmPlace:
    """Where in a list a page ended: the last alarm's order in it."""

    active: bool
    severity: int
    raised_at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A line of a history. ``at`` is event time, ``seen_at`` when Cityward decided; ``detail`` says why."""

    id: int
    alarm_id: int
    rule_id: str
    device_id: str
    district: str
    event: str
    severity: int
    at: datetime
    seen_at: datetime
    actor: str
    hushed: bool
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StormAlarm:
    """One of the alarms that a storm was made of; ``seen_at`` is aware, in UTC."""

    id: int
    rule_id: str
    device_id: str
    severity: int
    seen_at: datetime


def list_alarms(
    connection: Connection,
    *,
    everything: bool = False,
    ids: Sequence[int] | None = None,
    severity: int | None = None,
    district: str | None = None,
    kind: str | None = None,
    rule: str | None = None,
    device: str | None = None,
    unit: str | None = None,
    state: str | None = None,
    cause: int | None = None,
    text: str | None = None,
    after: AlarmRow | AlarmPlace | None = None,
    limit: int = 50,
) -> list[AlarmRow]:
    """Open alarms, active and severe ones first; with ``everything`` those that are over too.

    Args:
        connection: The database.
        everything: Not only open ones.
        ids: Only these.
        severity: Of this severity or worse.
        district: In this district.
        kind: Of devices of this kind.
        rule: Of this rule.
        device: Of this device, by its id.
        unit: Whose latest case is this unit's.
        state: In this state.
        cause: Suppressed by this alarm.
        text: Of the rule with this id, or with this in the device's id, name or road, in any case.
        after: From where the page before ended.
        limit: At most so many.
    """
    place = {
        "after_active": after.active if after else None, "after_severity": after.severity if after else None,
        "after_at": after.raised_at if after else None, "after_id": after.id if after else None,
    }  # fmt: skip
    filters = {
        "everything": everything, "ids": None if ids is None else list(ids), "severity": severity,
        "district": district, "kind": kind, "rule": rule, "device": device, "unit": unit, "state": state,
        "cause": cause, "text": text, "limit": limit, **place,
    }  # fmt: skip
    with connection.cursor(row_factory=class_row(AlarmRow)) as cursor:
        # Planned anew each time: which index serves depends on which filters are given.
        return cursor.execute(_SQL["list_alarms"], filters, prepare=False).fetchall()


def alarms_of_case(connection: Connection, number: str) -> list[int]:
    """The numbers of the alarms of a case, over or not."""
    return [int(alarm) for (alarm,) in connection.execute(_SQL["alarms_of_case"], {"number": number})]


def history(
    connection: Connection,
    *,
    alarm: int | None = None,
    since: datetime | None = None,
    district: str | None = None,
    rule: str | None = None,
    device: str | None = None,
    limit: int = 200,
) -> list[HistoryRow]:
    """What happened, the latest last, and of more than ``limit`` lines the latest."""
    filters = {
        "alarm": alarm, "since": since, "district": district, "rule": rule, "device": device, "limit": limit
    }  # fmt: skip
    with connection.cursor(row_factory=class_row(HistoryRow)) as cursor:
        return cursor.execute(_SQL["alarm_history"], filters).fetchall()


def scored(
    connection: Connection, since: datetime, until: datetime, *, by: By = By.DISTRICT, district: str | None = None
) -> list[Happening]:
    """What a scorecard counts between two times, by when Cityward decided; ``district`` None means all."""
    found = connection.execute(_SQL["scored"], {"since": since, "until": until, "by": by, "district": district})
    return [
        Happening(seat, Event(event), at, Severity(severity), rule_id, device_id)
        for seat, event, at, severity, rule_id, device_id in found
    ]


def stale(connection: Connection, until: datetime, *, by: By = By.DISTRICT, district: str | None = None) -> list[Stale]:
    """The alarms that are active now and had been for more than 24 h by a time; the oldest first."""
    with connection.cursor(row_factory=class_row(Stale)) as cursor:
        return cursor.execute(_SQL["stale"], {"until": until, "by": by, "district": district}).fetchall()


def of_storm(connection: Connection, district: str, since: datetime, until: datetime) -> list[StormAlarm]:
    """The new alarms of a district between two moments, by when Cityward decided, as a storm counts them."""
    parameters = {"district": district, "since": since, "until": until, "storm": storms.RULE}
    with connection.cursor(row_factory=class_row(StormAlarm)) as cursor:
        return cursor.execute(_SQL["alarms_of_storm"], parameters).fetchall()
