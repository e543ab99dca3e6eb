"""Cases: lists, one with its history, and every move that people make."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import Field

from cases.case import Finding
from cases.lifecycle import State
from cases.words import Section
from console import acting
from console.access import Action
from console.api.common import (
    Asked,
    At,
    Cursor,
    Key,
    Limit,
    LooksOwn,
    Moment,
    Named,
    Number,
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
from console.errors import Stale
from console.identity import May, Visitor, theirs
from console.moves import CaseMove, possible
from storage import case_reports
from storage.case_list import CaseFilter, CasePlace, CaseRow, case_file, newest_cases, open_cases

router = APIRouter(prefix="/cases", tags=["cases"])
_Works = Annotated[Visitor, Depends(May(Action.WORK))]  # the least; the table of moves says what else


class Case(Shape):
    """A case: who must do what by when. Times in UTC."""

    number: Annotated[str, Field(examples=["4201022026112100001"])]
    problem: Annotated[str, Field(examples=["cover_open"])]
    problem_names: Named
    severity: Severity
    state: State
    open: bool
    district: str
    unit: Annotated[str, Field(description="Who answers for it.")]
    unit_names: Named
    reason: Annotated[str, Field(description="Why this unit: maintainer, owner, lead, assigned, …")]
    device_id: str
    kind: str
    facility: Annotated[str, Field(description="The device's name.")]
    road: str
    grid: str
    opened_at: datetime
    arrive_by: datetime | None
    fix_by: Annotated[datetime, Field(description="The deadline; no case is without.")]
    arrived_at: datetime | None
    done_at: Annotated[datetime | None, Field(description="When the work was last reported.")]
    closed_at: datetime | None
    rework: Annotated[int, Field(description="How often a check failed or the trouble came back.")]
    colour: Annotated[int, Field(description="Gravest supervision sheet: 0 none, 1 white, 2 yellow, 3 red.")]
    delay: Annotated[str | None, Field(description="More time that was asked for and is not decided.")]
    incident: Annotated[str | None, Field(description="First case of the incident on its road.")]
    parent: Annotated[str | None, Field(description="The case that carries this one.")]


class Line(Shape):
    """A line of a case's history."""

    at: datetime
    event: str
    event_names: Named
    state: State
    actor: str
    reason: str


class CaseInFull(Case):
    """A case with its history, and what whoever asks can do now."""

    joint: Annotated[list[str], Field(description="Units that answer for it beside.")]
    version: Annotated[int, Field(description="Grows with everything that happens to it; also its ETag.")]
    good_readings: Annotated[int | None, Field(description="Since telemetry is asked; null where it is not.")]
    source: Annotated[str, Field(description="Who told of it first: sensor, citizen, hotline, patrol.")]
    reporters: Annotated[int, Field(description="How many people reported it.")]
    possible: list[CaseMove]
    history: list[Line]


class Moving(Asked):
    """A move; which fields it takes, the table in the description says."""

    move: CaseMove
    reason: Text = ""
    result: Annotated[Text, Field(description="For done: what was found and done.")] = ""
    found: Annotated[Finding | None, Field(description="For done and cancel: what was there.")] = None
    unit: Annotated[Text, Field(description="For assign: who gets it.")] = ""
    joint: Annotated[tuple[Word, ...], Field(max_length=20, description="For assign: who answers for it beside.")] = ()
    pause: Annotated[Text, Field(description="For suspend: a reason that the city lists.")] = ""
    more: Annotated[Text, Field(description="For request_delay.", examples=["24h natural", "2d work"])] = ""
    photo: Annotated[Text, Field(description="For confirm: where the photo is.")] = ""
    members: Annotated[tuple[Word, ...], Field(max_length=200, description="For merge: the cases to take in.")] = ()
    happened: Annotated[
        Moment | None, Field(description="When it was done out there; without it now. Not before the last move.")
    ] = None


class Moved(Shape):
    """A case after a move."""

    number: str
    state: State
    unit: str
    version: int


class CaseQuery(Asked):
    """Which cases; what is left out means all."""

    unit: Word | None = None
    district: Word | None = None
    state: State | None = None
    problem: Word | None = None
    kind: Word | None = None
    device: Word | None = None
    severity: Annotated[Severity | None, Field(description="At least.")] = None
    colour: Annotated[int | None, Field(ge=1, le=3, description="At least: 1 white, 2 yellow, 3 red.")] = None
    due_before: Annotated[
        Moment | None, Field(description="Deadline before that, no work reported, clock not stopped before.")
    ] = None
    text: Annotated[Word | None, Field(description="Part of a number, device id, name or road.")] = None
    which: Annotated[
        Literal["open", "all"], Field(description="open: the nearest deadline first; all: the newest first.")
    ] = "open"
    limit: Limit = 50
    cursor: Cursor = None


@router.get("", summary="Cases", response_model=Page[Case])
def list_cases(asked: Annotated[CaseQuery, Query()], who: LooksOwn, at: At) -> dict[str, Any]:
    """Open cases, the nearest deadline first, or all, the newest first. A crew sees its unit's."""
    filters = asked.model_dump(exclude={"which", "limit", "cursor"})
    which = CaseFilter(**{**filters, "unit": asked.unit if who.may(Action.LOOK) else who.unit})
    place = opened(asked.cursor, CasePlace, datetime, int)
    with at.connection() as connection:
        if asked.which == "open":
            rows = open_cases(connection, which, after=place, limit=asked.limit + 1)
        else:
            rows = newest_cases(connection, which, before=place, limit=asked.limit + 1)
    return paged(rows, asked.limit, shaped, lambda row: cursor(row.fix_by, row.id))


@router.get("/{number}", summary="One case", response_model=CaseInFull)
def read_case(
    number: Number,
    response: Response,
    who: LooksOwn,
    at: At,
    if_none_match: Annotated[str | None, Header(max_length=100, description="An ETag: 304 if it is the same.")] = None,
) -> Any:
    """A case with its history and the moves that whoever asks can make. Alarms, messages: `?case=` of their lists."""
    with at.connection() as connection:
        file = theirs(case_file(connection, number), number, who)
        reporters, source = case_reports.of_case(connection, number)
    version = file.history[-1]["id"]
    etag = f'"{version}"'
    if if_none_match == etag:
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    state = State(file.case.state)
    return CaseInFull(
        **shaped(file.case).model_dump(),
        joint=list(file.joint),
        version=version,
        good_readings=file.good_readings,
        source=source or "sensor",
        reporters=reporters,
        possible=possible(who.role, state, delay_pending=file.case.delay is not None),
        history=[Line(**line, event_names=named(Section.EVENTS, line["event"])) for line in file.history],
    )


@router.post("/{number}/moves", summary="Move a case", response_model=Moved)
def move_case(
    number: Number,
    asked: Moving,
    response: Response,
    who: _Works,
    at: At,
    key: Key = None,
    if_match: Annotated[
        str | None, Header(max_length=100, description="The ETag that you have seen: 412 if there is a later one.")
    ] = None,
) -> dict[str, Any]:
    """Accept, arrive, report done, assign, cancel and so on.

    | move | for | required | optional |
    |---|---|---|---|
    MOVES

    A move that the state of the case does not have is answered with 409, by the title `case_state`, and what is
    possible. Telemetry, not a move, closes a case after `done`; `confirm` and `reject` exist where telemetry is silent.
    """
    given = asked.model_dump(exclude={"move", "happened"})
    seen = version_of(if_match, number)
    answer = acting.move_case(at, who, number, asked.move, given, key=key, happened=asked.happened, seen=seen)
    response.headers["ETag"] = f'"{answer["version"]}"'
    return answer


def shaped(row: CaseRow) -> Case:
    """A row of a list as the API has it."""
    return Case(
        problem_names=named(Section.PROBLEMS, row.problem),
        unit_names=Named(en=row.name_en, zh=row.name_zh),
        facility=row.name,
        **{name: getattr(row, name) for name in Case.model_fields if hasattr(row, name)},
    )


def version_of(etag: str | None, number: str) -> int | None:
    """What somebody has seen of a case.

    Raises:
        Stale: where it is no version of ours.
    """
    if etag is None or etag == "*":
        return None
    text = etag.strip('"')
    if not text.isascii() or not text.isdecimal():
        raise Stale("case_changed", number=number)
    return int(text)
