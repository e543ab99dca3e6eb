"""Work permits and what is on the shelf: what is quiet by somebody's decision, until when and why."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from console import deciding
from console.access import Action
from console.context import Context, context
from console.errors import BadInput
from console.identity import May, Visitor
from console.pages.moving import back, filled, key_of
from console.pages.rendering import page
from console.words import entry
from storage import handover
from storage.permit_store import MAINTENANCE, list_permits

router = APIRouter()
SPANS = ("1h", "2h", "4h", "8h", "12h", "1d", "2d", "7d")
KINDS = (MAINTENANCE, "night_work")  # a city's rules may ask for others
_At = Annotated[Context, Depends(context)]
_Judge = Annotated[Visitor, Depends(May(Action.JUDGE))]


@router.get("/permits")
def show(
    request: Request, who: Annotated[Visitor, Depends(May(Action.LOOK))], at: _At, *, everything: bool = False
) -> Response:
    """Permits in force and to come, and alarms on the shelf."""
    with at.connection() as connection:
        permits = list_permits(connection, at.clock.now(), everything=everything)
        shelved = handover.shelved(connection)
    return page(
        "permits.html", request, who.language, who, permits=permits, shelved=shelved, everything=everything,
        kinds=KINDS, spans=SPANS,
    )  # fmt: skip


@router.post("/permits")
def grant(
    who: _Judge,
    at: _At,
    form: Annotated[FormData, Depends(filled)],
    target: Annotated[str, Form(max_length=200)],
    span: Annotated[str, Form(max_length=20)],
    holder: Annotated[str, Form(max_length=200)],
    reason: Annotated[str, Form(max_length=1000)],
    kind: Annotated[str, Form(max_length=40)] = MAINTENANCE,
    start: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """A permit, from a local time on, else from now."""
    deciding.grant_permit(
        at, who, kind=kind, target=target.strip(), start=_local(start, at), span=span, holder=holder, reason=reason,
        key=key_of(form),
    )  # fmt: skip
    return back(form, "/permits")


@router.post("/permits/{number}/revoke")
def revoke(
    number: int,
    who: _Judge,
    at: _At,
    form: Annotated[FormData, Depends(filled)],
    reason: Annotated[str, Form(max_length=1000)],
) -> Response:
    """The end of a permit before its time."""
    deciding.revoke_permit(at, who, number, reason, key=key_of(form))
    return back(form, "/permits")


def _local(text: str, at: Context) -> datetime | None:
    """A time as a browser's field for it says, on the city's clocks."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=at.city.calendar.timezone) if text else None
    except ValueError as error:
        raise BadInput("field_wrong", field=entry("field.start"), text=entry("wrong.time")) from error
