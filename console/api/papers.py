"""What stands beside alarms and cases: work permits, supervision sheets, notifications, units."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import Field

from console import deciding
from console.api.common import (
    Asked,
    At,
    Cursor,
    Id,
    Judges,
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
    opened,
    paged,
)
from notify.lifecycle import State
from storage import notification_list, permit_store
from storage.case_list import SheetRow, list_sheets, list_units
from storage.notification_list import NotificationRow
from storage.permit_store import MAINTENANCE, PermitRow

router = APIRouter()
_Sheet = Annotated[str, Path(pattern=r"^[A-Z]\d{4}-\d{5}$", examples=["W2026-00001"])]


class Permit(Shape):
    """A work permit. Of kind `maintenance` it takes what it covers out of service."""

    id: int
    kind: str
    target: Annotated[str, Field(examples=["road:Jiefang Road"])]
    valid_from: datetime
    valid_to: datetime
    holder: str
    reason: str
    granted_by: str
    revoked_at: datetime | None
    revoke_reason: str | None
    devices: Annotated[int, Field(description="How many it covers.")]
    alarms: Annotated[int, Field(description="How many it keeps quiet now.")]


class Granting(Asked):
    """A permit to be granted."""

    target: Annotated[
        Word,
        Field(
            description="A device id, or a field and its value.", examples=["4201020102000001", "grid:420102001001001"]
        ),
    ]
    span: Annotated[Word, Field(description="For how long.", examples=["4h", "2d"])]
    holder: Annotated[Word, Field(description="Who works there.")]
    reason: Text
    kind: Word = MAINTENANCE
    start: Annotated[Moment | None, Field(description="From when; without it from now.")] = None


class Granted(Shape):
    """A permit that was granted."""

    permit: int
    devices: int


class Revoking(Asked):
    """Why a permit ends before its time."""

    reason: Text


class Revoked(Shape):
    """A permit that was revoked."""

    permit: int


class Sheet(Shape):
    """A supervision sheet."""

    number: Annotated[str, Field(examples=["W2026-00001"])]
    case_number: str
    colour: Annotated[int, Field(ge=1, le=3, description="1 white, 2 yellow, 3 red.")]
    because: str
    unit: str
    unit_names: Named
    recipients: list[str]
    points: int
    issued_at: datetime
    reply_by: datetime
    answered_at: datetime | None
    answered_by: str | None
    answer: str


class Answering(Asked):
    """The answer to a sheet."""

    answer: Annotated[Text, Field(min_length=1)]


class Answered(Shape):
    """A sheet that was answered."""

    sheet: str


class Notification(Shape):
    """Who was told what, and whether it arrived."""

    id: int
    channel: str
    target: str
    event: str
    case_number: str
    severity: Severity
    state: State
    attempts: int
    created_at: datetime
    delivered_at: datetime | None
    last_error: str
    carried_by: Annotated[int | None, Field(description="The one in whose message it went.")]


class Unit(Shape):
    """Who answers for facilities, and what is on their plate."""

    unit: str
    names: Named
    open: Annotated[int, Field(description="Open cases.")]
    overdue: Annotated[int, Field(description="Of them, those past their deadline.")]
    unanswered: Annotated[int, Field(description="Sheets that wait for an answer.")]


class PermitQuery(Asked):
    """Which permits."""

    over: Annotated[bool, Field(description="Those that are over too.")] = False


class SheetQuery(Asked):
    """Which sheets; what is left out means all that wait for an answer."""

    unit: Word | None = None
    colour: Annotated[int | None, Field(ge=1, le=3, description="1 white, 2 yellow, 3 red.")] = None
    answered: Annotated[bool, Field(description="Those that are answered too.")] = False
    limit: Limit = 50


class NotificationQuery(Asked):
    """Which notifications; what is left out means all."""

    state: State | None = None
    channel: Word | None = None
    target: Word | None = None
    case: Annotated[str | None, Field(pattern=r"^\d{19}$", description="Only those about this case.")] = None
    limit: Limit = 50
    cursor: Cursor = None


@router.get("/permits", summary="Work permits", tags=["permits"], response_model=list[Permit])
def read_permits(asked: Annotated[PermitQuery, Query()], who: Looks, at: At) -> list[PermitRow]:
    """In force and to come, those that end first in front."""
    del who
    with at.connection() as connection:
        return permit_store.list_permits(connection, at.clock.now(), everything=asked.over)


@router.post("/permits", summary="Grant a work permit", tags=["permits"], status_code=201, response_model=Granted)
def grant(asked: Granting, who: Judges, at: At, key: Key = None) -> dict[str, Any]:
    """Alarms of what it covers are recorded, but open no case and tell nobody; what is active at its end is new."""
    return deciding.grant_permit(at, who, **asked.model_dump(), key=key)


@router.post("/permits/{id}/revoke", summary="End a permit before its time", tags=["permits"], response_model=Revoked)
def revoke(id: Id, asked: Revoking, who: Judges, at: At, key: Key = None) -> dict[str, Any]:  # noqa: A002
    """What is still active under it comes up."""
    return deciding.revoke_permit(at, who, id, asked.reason, key=key)


@router.get("/sheets", summary="Supervision sheets", tags=["sheets"])
def read_sheets(asked: Annotated[SheetQuery, Query()], who: Looks, at: At) -> list[Sheet]:
    """Those that wait for an answer longest first."""
    del who
    with at.connection() as connection:
        rows = list_sheets(
            connection, unit=asked.unit, colour=asked.colour, everything=asked.answered, limit=asked.limit
        )
    return [_sheet(row) for row in rows]


@router.post("/sheets/{number}/answer", summary="Answer a sheet", tags=["sheets"], response_model=Answered)
def answer(number: _Sheet, asked: Answering, who: Judges, at: At, key: Key = None) -> dict[str, Any]:
    """Once; the answer stays on record."""
    return deciding.answer_sheet(at, who, number, asked.answer, key=key)


@router.get("/notifications", summary="Notifications", tags=["notifications"], response_model=Page[Notification])
def read_notifications(asked: Annotated[NotificationQuery, Query()], who: Looks, at: At) -> dict[str, Any]:
    """The newest first."""
    del who
    before = opened(asked.cursor, int, int)
    with at.connection() as connection:
        rows = notification_list.list_notifications(
            connection,
            state=asked.state,
            channel=asked.channel,
            target=asked.target,
            case=asked.case,
            before=before,
            limit=asked.limit + 1,
        )
    return paged(rows, asked.limit, _notification, lambda row: cursor(row.id))


@router.get("/units", summary="Units", tags=["units"])
def read_units(who: Looks, at: At) -> list[Unit]:
    """Every unit with what it has to do."""
    del who
    with at.connection() as connection:
        rows = list_units(connection, at.clock.now())
    return [
        Unit(
            unit=row.unit_id,
            names=Named(en=row.name_en, zh=row.name_zh),
            open=row.open,
            overdue=row.overdue,
            unanswered=row.unanswered,
        )
        for row in rows
    ]


def _sheet(row: SheetRow) -> Sheet:
    return Sheet(
        unit_names=Named(en=row.name_en, zh=row.name_zh),
        **{name: getattr(row, name) for name in Sheet.model_fields if hasattr(row, name)},
    )


def _notification(row: NotificationRow) -> Notification:
    return Notification.model_validate(row)
