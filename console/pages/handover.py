"""The sheet for handing over a shift: what is at risk, quiet and why, what has happened, and a note that is kept."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from console.access import Action
from console.context import Context, context
from console.errors import BadInput
from console.identity import May, Visitor
from console.pages.moving import back, filled, key_of
from console.pages.rendering import page
from console.performing import Answer, Deed, perform
from console.words import entry
from storage import desk, handover
from storage.alarm_list import list_alarms
from storage.case_list import CaseFilter, open_cases
from storage.connection import Connection
from storage.permit_store import list_permits

router = APIRouter()
SHIFT = timedelta(hours=8)  # where nobody has handed over before
_SOON = timedelta(hours=8)  # what falls due in the next shift
_MOST = 100  # lines of each part
_SHOWN = 5  # earlier hand-overs
_At = Annotated[Context, Depends(context)]


@router.get("/handover")
def show(request: Request, who: Annotated[Visitor, Depends(May(Action.LOOK))], at: _At) -> Response:
    """The sheet, as of now."""
    now = at.clock.now()
    with at.connection() as connection:
        earlier = handover.handovers(connection, _SHOWN)
        since = _began(earlier, now)
        due = open_cases(connection, CaseFilter(due_before=now + _SOON), limit=_MOST)
        return page(
            "handover.html", request, who.language, who, earlier=earlier, since=since, due=due, soon=now,
            glance=request.app.state.totals.glance.get(connection, at), happened=handover.since_then(connection, since),
            undecided=open_cases(connection, CaseFilter(undecided=True), limit=_MOST),
            stale=list_alarms(connection, state="unacknowledged", severity=3, limit=_MOST),
            shelved=handover.shelved(connection), permits=list_permits(connection, now),
        )  # fmt: skip


@router.post("/handover")
def hand_over(
    who: Annotated[Visitor, Depends(May(Action.DISPATCH))],
    at: _At,
    form: Annotated[FormData, Depends(filled)],
    note: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    """The end of a shift."""
    said = note.strip()
    if not said:
        raise BadInput("field_missing", field=entry("handover.note"))

    def do(connection: Connection, now: datetime) -> Answer:
        since = _began(handover.handovers(connection, 1), now)
        handover.hand_over(connection, said, desk.glance(connection, now), since=since, at=now, actor=who.name)
        return {}

    perform(at, who, Deed(Action.DISPATCH, "shift.handover", "", {"note": said}, key_of(form)), do)
    return back(form, "/handover")


def _began(earlier: list[handover.Handover], now: datetime) -> datetime:
    """When the shift began: with the hand-over before, but no longer ago than two shifts."""
    last = earlier[0].at if earlier else now - SHIFT
    return min(max(last, now - 2 * SHIFT), now)
