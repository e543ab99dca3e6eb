"""What a crew does: moves and photos, from a form or from what a phone has kept; pictures are given out here too."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, UploadFile
from fastapi.responses import JSONResponse, RedirectResponse, Response

from cases.photos import LARGEST, Photo, recognise
from console import acting
from console.access import Action
from console.api.common import Moment
from console.context import Context
from console.errors import BadInput, Missing
from console.identity import May, Visitor, theirs
from console.moves import CaseMove
from console.pages.crew import At, Seer
from console.pages.moving import key_for
from console.performing import Answer
from storage import photo_store
from storage.crew_list import crew_case

router = APIRouter()
Worker = Annotated[Visitor, Depends(May(Action.WORK))]
Key = Annotated[UUID | None, Form(description="The phone's own: sent again after a lost answer, it is done once.")]
Happened = Annotated[Moment | None, Form(description="When the button was pressed, RFC 3339.")]
Text = Annotated[str, Form(max_length=2000)]
Files = Annotated[list[UploadFile] | None, Form()]


@router.post("/crew/{number}/moves")
def move(
    number: str,
    request: Request,
    at: At,
    who: Worker,
    move: Annotated[CaseMove, Form()],
    reason: Text = "",
    result: Text = "",
    found: Text = "",
    more: Text = "",
    photo: Files = None,
    key: Key = None,
    happened: Happened = None,
) -> Response:
    """Move a case; photos that come along are kept first."""
    _keep(at, who, number, _photos(photo), key, happened)
    given = {"reason": reason, "result": result, "found": found, "more": more}
    answer = acting.move_case(at, who, number, move, given, key=key, happened=happened)
    return _done(request, number, answer)


@router.post("/crew/{number}/photos")
def add_photos(
    number: str,
    request: Request,
    at: At,
    who: Worker,
    photo: Annotated[list[UploadFile], Form()],
    key: Key = None,
    happened: Happened = None,
) -> Response:
    """Keep photos with a case; a phone sends them one by one."""
    answers = _keep(at, who, number, _photos(photo), key, happened)
    if not answers:
        raise BadInput("no_photo_sent")
    return _done(request, number, answers[-1])


@router.get("/crew/{number}/photos/{hashed}")
def photo(number: str, hashed: str, at: At, who: Seer) -> Response:
    """A photo, for those who see its case."""
    with at.connection() as connection:
        theirs(crew_case(connection, number), number, who)
        found = photo_store.read(connection, number, hashed)
    if found is None:
        raise Missing("nothing_here")
    headers = {"Cache-Control": "private, max-age=31536000, immutable", "Content-Disposition": "inline"}
    return Response(found.content, media_type=found.media_type, headers=headers)


def _keep(
    at: Context, who: Visitor, number: str, photos: list[Photo], key: UUID | None, happened: Moment | None
) -> list[Answer]:
    return [
        acting.add_photo(at, who, number, each, key=key_for(key, each.hash.hex()), happened=happened) for each in photos
    ]


def _photos(files: list[UploadFile] | None) -> list[Photo]:
    """What was sent, each recognised by its bytes; an empty field of a form is none."""
    return [_photo(file) for file in files or () if file.filename or file.size]


def _photo(file: UploadFile) -> Photo:
    content = file.file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise BadInput("too_large", limit=f"{LARGEST // 1024**2} MB")
    found = recognise(content)
    if found is None:
        raise BadInput("no_photo")
    return found


def _done(request: Request, number: str, answer: Answer) -> Response:
    """What was done: for a script as JSON, for a form its case again."""
    if "json" in request.headers.get("Accept", ""):
        return JSONResponse(answer)
    return RedirectResponse(f"/crew/{number}", HTTPStatus.SEE_OTHER)
