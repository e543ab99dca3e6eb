"""What people do on the pages: every form of the desk comes here, is done by ``acting``, and leads back."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from console import acting, deciding
from console.access import Action
from console.context import Context, context
from console.errors import BadInput, Conflict, ConsoleError
from console.identity import TOKEN, May, Visitor
from console.moves import ALARM_MOVES, CASE_MOVES, AlarmMove, CaseMove
from console.pages.places import inside
from console.words import entry

router = APIRouter()
SPANS = ("30m", "1h", "2h", "4h", "8h")  # for which alarms are shelved; a city allows 8 h at most unless it says more
MORE = ("2h natural", "4h natural", "8h natural", "24h natural", "4h office", "1d work", "2d work", "5d work")
_MOST = 200  # cases or alarms at once
_LISTS = frozenset({"joint", "members"})
_NOT_SAID = frozenset({TOKEN, "back", "key", "numbers", "ids"})


async def filled(request: Request) -> FormData:
    """What a form says."""
    return await request.form()


_Operator = Annotated[Visitor, Depends(May(Action.DISPATCH))]
_At = Annotated[Context, Depends(context)]
_Filled = Annotated[FormData, Depends(filled)]


@router.post("/cases/{number}/moves/{move}")
def move_case(
    number: str, move: CaseMove, who: Annotated[Visitor, Depends(May(Action.LOOK))], at: _At, form: _Filled
) -> Response:
    """One case, from its page."""
    acting.move_case(at, who, number, move, _said(form, CASE_MOVES[move].required), key=key_of(form))
    return back(form, f"/cases/{number}")


@router.post("/cases/moves/assign")
def assign(who: _Operator, at: _At, form: _Filled) -> Response:
    """The marked cases, each by itself: what goes wrong with one stops no other."""
    said, key = _said(form, ("unit", "reason")), key_of(form)

    def do(number: str) -> None:
        acting.move_case(at, who, number, CaseMove.ASSIGN, said, key=key_for(key, number))

    _each(_marked(form, "numbers"), who, do)
    return back(form, "/")


@router.post("/alarms/moves/{move}")
def move_alarms(move: AlarmMove, who: _Operator, at: _At, form: _Filled) -> Response:
    """The marked alarms, or those of the marked cases: all for which this is possible now, or none."""
    ids = [int(each) for each in _marked(form, "ids") if each.isdecimal() and len(each) < 19]
    said = _said(form, ALARM_MOVES[move].required)
    acting.move_marked(at, who, ids, _marked(form, "numbers"), move, said, key=key_of(form))
    return back(form, "/alarms")


@router.post("/sheets/{number}/answer")
def answer_sheet(number: str, who: Annotated[Visitor, Depends(May(Action.JUDGE))], at: _At, form: _Filled) -> Response:
    """A supervision sheet, from its case's page."""
    deciding.answer_sheet(at, who, number, str(form.get("answer", "")), key=key_of(form))
    return back(form, "/")


def back(form: FormData, otherwise: str) -> Response:
    """To where the form stood; never away from the console."""
    return RedirectResponse(inside(str(form.get("back", "")), otherwise), 303)


def _said(form: FormData, required: Iterable[str]) -> dict[str, Any]:
    """What was filled in, but what only says where and to what; what is required stands there even if empty."""
    said: dict[str, Any] = dict.fromkeys(required, "")
    for name in form:
        if name not in _NOT_SAID:
            texts = [str(each) for each in form.getlist(name)]
            said[name] = [number for text in texts for number in text.split()] if name in _LISTS else texts[-1]
    return said


def _marked(form: FormData, name: str) -> list[str]:
    marked = [str(each) for each in form.getlist(name)]
    if len(marked) > _MOST:
        raise BadInput("too_many_marked", most=str(_MOST))
    return marked


def key_of(form: FormData) -> UUID | None:
    """What makes a form that is sent twice be done once; None where it has none.

    Raises:
        BadInput: if it is no UUID.
    """
    text = str(form.get("key", ""))
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise BadInput("field_wrong", field="key", text=entry("wrong.key")) from error


def key_for(key: UUID | None, part: str) -> UUID | None:
    """The key for a part of what a form asks for, where each part is done by itself."""
    return uuid5(key, part) if key else None


def _each(numbers: list[str], who: Visitor, do: Callable[[str], object]) -> None:
    """Do it to every one; in the end say what could not be done.

    Raises:
        Conflict: if something could not.
    """
    problems: list[str] = []
    for number in numbers:
        try:
            do(number)
        except ConsoleError as error:
            problems.append(f"{number}: {error.say(who.language)}")
    if not numbers:
        raise BadInput("nothing_marked")
    if problems:
        raise Conflict("told", text=" ".join(problems))
