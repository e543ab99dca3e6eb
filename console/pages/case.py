"""The page of a case: what is known of it, how much time is left, what has happened, what may be done."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from cases.case import Milestone
from cases.lifecycle import IN_CHECK
from console import telemetry
from console.access import Action
from console.context import Context, context
from console.curves import Curve
from console.identity import May, Visitor, theirs
from console.moves import CASE_MOVES, possible
from console.pages.desk import unchanged_or
from console.pages.moving import MORE
from console.pages.rendering import page, rendered
from devices.device import Device
from devices.registry import Registry
from storage import case_reports, photo_store
from storage.alarm_list import AlarmRow, list_alarms
from storage.case_list import CaseFile, CaseFilter, CaseRow, case_file, open_cases
from storage.connection import Connection
from storage.registry_store import load_device

router = APIRouter()
_REACHED = {milestone: f"case.{milestone}_by" for milestone in Milestone}
_SOON = timedelta(hours=1)
_NEARBY = 8  # cases offered for taking in
_Looking = Annotated[Visitor, Depends(May(Action.LOOK))]
_At = Annotated[Context, Depends(context)]


@router.get("/cases/{number}")
def show(number: str, request: Request, who: _Looking, at: _At) -> Response:
    """Everything about a case."""
    with at.connection() as connection:
        file = theirs(case_file(connection, number), number, who)
        device = load_device(connection, file.case.device_id)
        curves = _curves(connection, file, device, at) if device else []
        shown = _shown(connection, file, at)
        nearby = _nearby(connection, file)
    pending = file.case.delay is not None
    moves = [(move, CASE_MOVES[move]) for move in possible(who.role, file.life.case.state, delay_pending=pending)]
    return page(
        "case.html", request, who.language, who, curves=curves, moves=moves, nearby=nearby, delays=MORE, **shown
    )


@router.get("/cases/{number}/live")
def live(number: str, request: Request, who: _Looking, at: _At) -> Response:
    """The part of it that changes."""
    with at.connection() as connection:
        shown = _shown(connection, theirs(case_file(connection, number), number, who), at)
    return unchanged_or(request, rendered("case_live.html", request, who.language, who, **shown))


def _shown(connection: Connection, file: CaseFile, at: Context) -> dict[str, Any]:
    life = file.life.case
    dues = [
        {"word": _REACHED[milestone], "by": due.by, "allowed": due.allowed, "reached": life.reached.get(milestone)}
        for milestone in Milestone
        if (due := life.dues.get(milestone))
    ]
    return {
        "file": file,
        "case": file.case,
        "life": life,
        "dues": dues,
        "alarms": _alarms(connection, file),
        "reports": case_reports.told(connection, file.case.number),
        "photos": photo_store.of_case(connection, file.case.number),
        "checked": life.state in IN_CHECK,
        "needed": at.practice.standard(file.case.kind).needed,
        "soon": at.clock.now() + _SOON,
    }


def _alarms(connection: Connection, file: CaseFile) -> list[AlarmRow]:
    ids = [alarm["id"] for alarm in file.alarms]
    return list_alarms(connection, everything=True, ids=ids) if ids else []


def _nearby(connection: Connection, file: CaseFile) -> list[CaseRow]:
    """Open cases that it could take in: those on its road."""
    if not file.case.road:
        return []
    near = open_cases(connection, CaseFilter(district=file.case.district, text=file.case.road), limit=_NEARBY)
    return [each for each in near if each.id != file.case.id and each.parent is None]


def _curves(connection: Connection, file: CaseFile, device: Device, at: Context) -> list[Curve]:
    kind, rule = at.kinds.get(device.kind), at.rule_of(file.life.rule, file.case.problem, device.kind)
    if kind is None or rule is None:
        return []
    now = at.clock.now()
    moments = [("raised", alarm["raised_at"]) for alarm in file.alarms[-1:]]
    moments += [("cleared", alarm["cleared_at"]) for alarm in file.alarms[-1:] if alarm["cleared_at"]]
    raised = min([file.case.opened_at, *(alarm["raised_at"] for alarm in file.alarms)])
    since, until = telemetry.around(kind, raised, file.case.closed_at, now)
    wanted = telemetry.by_rule(rule.text, device, Registry({kind.name: kind}, [device]), now, at)
    return telemetry.curves(connection, device, kind, wanted, since, until, at=at, moments=moments)
