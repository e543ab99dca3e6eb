"""Alarms: lists, one with its history, and what people do to them."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import Field

from alarms.lifecycle import State
from cases.words import Section
from console import acting
from console.api.common import (
    Asked,
    At,
    Cursor,
    Dispatches,
    Id,
    Key,
    Limit,
    Looks,
    Moment,
    Named,
    Page,
    Severity,
    Shape,
    Text,
    Word,
    cursor,
    named,
    opened,
    paged,
)
from console.errors import Missing
from console.moves import AlarmMove, possible_of_alarm
from storage.alarm_list import AlarmPlace, AlarmRow, HistoryRow, alarms_of_case, history, list_alarms
from storage.connection import Connection

router = APIRouter(prefix="/alarms", tags=["alarms"])


class Alarm(Shape):
    """An alarm, by ISA-18.2: one for each rule and device, open until it is over and somebody has seen it."""

    id: int
    rule_id: Annotated[str, Field(examples=["MH-01"])]
    rule_version: str
    kind: str
    device_id: str
    facility: Annotated[str, Field(description="The device's name.")]
    road: str
    district: str
    severity: Severity
    state: State
    state_names: Named
    active: bool
    acknowledged: bool
    raised_at: Annotated[datetime, Field(description="When it happened out there, the last time.")]
    cleared_at: datetime | None
    occurrences: int
    chatter: Annotated[int, Field(description="How often it was raised in its latest chatter.")]
    shelved_until: datetime | None
    suppressed_by: Annotated[int | None, Field(description="The alarm that explains this one.")]
    permit: Annotated[int | None, Field(description="The work permit under which it is out of service.")]
    case_number: str | None
    unit: Annotated[str | None, Field(description="Who has its latest case.")]


class AlarmLine(Shape):
    """A line of a history. `at` is when it happened out there, `seen_at` when it was decided."""

    id: int
    alarm_id: int
    rule_id: str
    device_id: str
    district: str
    event: str
    event_names: Named
    severity: Severity
    at: datetime
    seen_at: datetime
    actor: str
    hushed: Annotated[bool, Field(description="Would have been announced, were the alarm not hushed or chattering.")]
    detail: dict[str, Any]


class AlarmInFull(Alarm):
    """An alarm with its history, and what whoever asks can do now."""

    possible: list[AlarmMove]
    history: list[AlarmLine]


Document = dict[str, Any]


class Explanation(Shape):
    """Why an alarm was raised. What stands in the parts depends on what its rule judges; times are RFC 3339."""

    alarm: Document
    raised: Annotated[Document | None, Field(description="Its latest activation: when, for how long, which values.")]
    rule: Annotated[Document | None, Field(description="The rule as it was then, and since when.")]
    limits: Annotated[list[Document], Field(description="In force then, with whose they are and their source.")]
    judged_on: Annotated[Document, Field(description="The window, the members, the silence, the figures.")]
    readings: Annotated[list[Document], Field(description="Around it, with doubts and how late they came.")]
    in_force: Annotated[list[Document], Field(description="Work permits that covered it then.")]
    hushed: Annotated[list[Document], Field(description="When it was quiet, and why.")]
    history: list[Document]
    replay: Annotated[
        Document, Field(description="`possible`, else `why` not; `differences`: empty where the same raises it again.")
    ]


class AlarmQuery(Asked):
    """Which alarms; what is left out means all that are open."""

    severity: Annotated[Severity | None, Field(description="At least.")] = None
    district: Word | None = None
    kind: Word | None = None
    rule: Word | None = None
    device: Word | None = None
    unit: Annotated[Word | None, Field(description="Whose latest case is this unit's.")] = None
    state: State | None = None
    case: Annotated[str | None, Field(pattern=r"^\d{19}$", description="Only those of this case, over or not.")] = None
    text: Annotated[Word | None, Field(description="Part of a rule's id or a device's id, name or road.")] = None
    over: Annotated[bool, Field(description="Those that are over too.")] = False
    limit: Limit = 50
    cursor: Cursor = None


class HistoryQuery(Asked):
    """Which lines; what is left out means all."""

    since: Moment | None = None
    district: Word | None = None
    rule: Word | None = None
    device: Word | None = None
    limit: Limit = 200


class MovingAlarms(Asked):
    """What to do to which alarms: all of them or none."""

    move: AlarmMove
    ids: Annotated[list[Annotated[int, Field(ge=1, le=2**62)]], Field(min_length=1, max_length=500)]
    reason: Annotated[Text, Field(description="For shelve and reset it is required.")] = ""
    span: Annotated[Text, Field(description="For shelve: how long.", examples=["30m", "4h"])] = ""
    once: Annotated[bool, Field(description="For shelve: only until it clears.")] = False


class MovedAlarms(Shape):
    """The alarms that were moved."""

    alarms: list[int]


@router.get("", summary="Alarms", response_model=Page[Alarm])
def read_alarms(asked: Annotated[AlarmQuery, Query()], who: Looks, at: At) -> dict[str, Any]:
    """Active ones first, the most severe and newest in front."""
    del who
    place = opened(asked.cursor, AlarmPlace, bool, int, datetime, int)
    filters = asked.model_dump(exclude={"case", "over", "limit", "cursor"})
    with at.connection() as connection:
        ids = alarms_of_case(connection, asked.case) if asked.case else None
        everything = asked.over or asked.state is State.NORMAL or ids is not None
        rows = list_alarms(connection, everything=everything, ids=ids, **filters, after=place, limit=asked.limit + 1)
    return paged(rows, asked.limit, shaped, lambda row: cursor(row.active, row.severity, row.raised_at, row.id))


@router.get("/history", summary="What happened to alarms")
def read_history(asked: Annotated[HistoryQuery, Query()], who: Looks, at: At) -> list[AlarmLine]:
    """The latest last, and of more than `limit` the latest."""
    del who
    with at.connection() as connection:
        return [_line(row) for row in history(connection, **asked.model_dump())]


@router.post("/moves", summary="Acknowledge, shelve, unshelve, reset alarms", response_model=MovedAlarms)
def move_alarms(asked: MovingAlarms, who: Dispatches, at: At, key: Key = None) -> dict[str, Any]:
    """All of them or none: where one is not in a state for it, 409 names it."""
    given = asked.model_dump(exclude={"move", "ids"})
    return acting.move_alarms(at, who, asked.ids, asked.move, given, key=key)


@router.get("/{id}", summary="One alarm")
def read_alarm(id: Id, who: Looks, at: At) -> AlarmInFull:  # noqa: A002 - its name in the address
    """An alarm with its history."""
    with at.connection() as connection:
        found = _alarm(connection, id)
        lines = history(connection, alarm=id)
    return AlarmInFull(
        **shaped(found).model_dump(),
        possible=possible_of_alarm(who.role, State(found.state)),
        history=[_line(row) for row in lines],
    )


@router.get("/{id}/explanation", summary="Why an alarm was raised", response_model=Explanation)
def explain(id: Id, who: Looks, at: At) -> Response:  # noqa: A002
    """As `cityward alarms explain --json`: what it was judged on, and what judging the same again would find.

    Readings that have come late, changed limits or a changed description make differences. For a group all its members
    are read: this takes longer than other answers.
    """
    del who
    with at.connection() as connection:
        told = at.explain(connection, _alarm(connection, id))
    return Response(msgspec.json.encode(told), media_type="application/json")


def _alarm(connection: Connection, number: int) -> AlarmRow:
    for found in list_alarms(connection, everything=True, ids=[number]):
        return found
    raise Missing("alarm_missing", number=str(number))


def shaped(row: AlarmRow) -> Alarm:
    """A row of a list as the API has it."""
    return Alarm(
        facility=row.name,
        state_names=named(Section.ALARM_STATES, row.state),
        **{name: getattr(row, name) for name in Alarm.model_fields if hasattr(row, name)},
    )


def _line(row: HistoryRow) -> AlarmLine:
    return AlarmLine(
        event_names=named(Section.ALARM_EVENTS, row.event),
        **{name: getattr(row, name) for name in AlarmLine.model_fields if hasattr(row, name)},
    )
