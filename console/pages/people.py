"""People: who may sign in, who changed what; an administrator shuts out who has left."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from console import deciding
from console.access import Action
from console.context import Context, context
from console.identity import May, Visitor
from console.pages.moving import back, filled, key_of
from console.pages.rendering import page
from storage import console_store, console_trail

router = APIRouter()
SHOWN = timedelta(days=7)
_MOST = 200  # changes on the page; ``cityward users audit`` shows more
_Admin = Annotated[Visitor, Depends(May(Action.MANAGE))]
_At = Annotated[Context, Depends(context)]


@router.get("/people")
def show(request: Request, who: _Admin, at: _At, *, by: str = "") -> Response:
    """Everybody, and the record of changes, the latest first; of one person only where the address says so."""
    with at.connection() as connection:
        users = console_store.everybody(connection)
        trail = console_trail.read(connection, since=at.clock.now() - SHOWN, username=by or None, limit=_MOST)
    return page(
        "people.html", request, who.language, who, users=users, trail=trail[::-1], by=by, days=SHOWN.days,
        moment=datetime.fromisoformat,
    )  # fmt: skip


@router.post("/people/{username}/disable")
def disable(
    username: str,
    who: _Admin,
    at: _At,
    form: Annotated[FormData, Depends(filled)],
    reason: Annotated[str, Form(max_length=1000)],
) -> Response:
    """Somebody who may not sign in any more."""
    deciding.shut_out(at, who, username, reason, key=key_of(form))
    return back(form, "/people")
