"""The desk: live lists of cases and alarms, and where in the city they are.

The lists are polled every few seconds rather than pushed: each desk has filters of its own, so that the server would
have to ask for each of them anyway; a poll that fails is at once the sign that the connection is lost; nothing is kept
open through the city's proxies; and what has not changed is answered with 304 and no body.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from alarms.lifecycle import State as AlarmState
from console.access import Action
from console.context import Context, context
from console.identity import May, Visitor
from console.pages.filters import CASE_STATES, DUE, Filters, after_alarm, after_case
from console.pages.rendering import page, rendered
from storage import case_reports, desk
from storage.alarm_list import list_alarms
from storage.case_list import open_cases
from storage.connection import Connection

router = APIRouter()
PAGE = 50  # rows
_GLANCE_FOR = 2.0  # seconds for which totals serve all desks
_GROUND_FOR = 600.0
_CELL = 56  # pixels: two marks of the map never cover each other
_TILE = 512  # pixels of the world at zoom 0
_T = TypeVar("_T")


class Kept(Generic[_T]):
    """Something that is the same for everybody, asked for at most once in so many seconds of the wall."""

    def __init__(self, seconds: float, ask: Callable[[Connection, Context], _T]) -> None:
        self._seconds = seconds
        self._ask = ask
        self._lock = threading.Lock()
        self._known: tuple[float, _T] | None = None

    def get(self, connection: Connection, at: Context) -> _T:
        """What is known, or what is asked for now."""
        with self._lock:
            if self._known is None or time.monotonic() - self._known[0] > self._seconds:
                self._known = time.monotonic(), self._ask(connection, at)
            return self._known[1]


class Totals:
    """The totals that all desks of this console share."""

    def __init__(self) -> None:
        self.glance = Kept(_GLANCE_FOR, lambda connection, at: desk.glance(connection, at.clock.now()))
        self.ground = Kept(_GROUND_FOR, lambda connection, _at: desk.ground(connection))


_Looking = Annotated[Visitor, Depends(May(Action.LOOK))]
_At = Annotated[Context, Depends(context)]


@router.get("/")
def cases(request: Request, who: Annotated[Visitor, Depends(May(Action.LOOK_OWN))], at: _At) -> Response:
    """Open cases, the nearest deadline first; a crew has a page of its own."""
    if not who.may(Action.LOOK):
        return RedirectResponse("/crew", HTTPStatus.SEE_OTHER)
    return page("desk.html", request, who.language, who, **_cases(request, at), **_choices(at, CASE_STATES))


@router.get("/desk/cases")
def live_cases(request: Request, who: _Looking, at: _At) -> Response:
    """The part of the desk that changes."""
    return unchanged_or(request, rendered("desk_live.html", request, who.language, who, **_cases(request, at)))


@router.get("/alarms")
def alarms(request: Request, who: _Looking, at: _At) -> Response:
    """Open alarms, active ones first, the most severe and newest in front."""
    return page("desk.html", request, who.language, who, **_alarms(request, at), **_choices(at, tuple(AlarmState)))


@router.get("/desk/alarms")
def live_alarms(request: Request, who: _Looking, at: _At) -> Response:
    """The part of the alarms' desk that changes."""
    return unchanged_or(request, rendered("desk_live.html", request, who.language, who, **_alarms(request, at)))


@router.get("/desk/places")
def places(
    request: Request,
    _who: _Looking,
    at: _At,
    box: Annotated[str, Query(pattern=r"^-?\d+(\.\d+)?(,-?\d+(\.\d+)?){3}$", max_length=100)],
    zoom: Annotated[float, Query(ge=0, le=24)],
) -> Response:
    """Facilities in trouble within a box ``west,south,east,north``, gathered to what a map of this zoom can show."""
    filters, cell = Filters.read(request.query_params), 360 * _CELL / (_TILE * 2**zoom)
    west, south, east, north = map(float, box.split(","))
    with at.connection() as connection:
        found = desk.troubled_places(
            connection,
            desk.Box(west, south, east, north),
            cell,
            district=filters.district or None,
            kind=filters.kind or None,
            unit=filters.unit or None,
            severity=filters.least,
        )
    return JSONResponse([asdict(each) for each in found])


@router.get("/desk/ground")
def ground(request: Request, _who: _Looking, at: _At) -> Response:
    """Where facilities stand, as a GeoJSON geometry: the ground of a map without tiles."""
    with at.connection() as connection:
        points = request.app.state.totals.ground.get(connection, at)
    return JSONResponse(
        {"type": "MultiPoint", "coordinates": points},
        headers={"Cache-Control": f"private, max-age={_GROUND_FOR:.0f}"},
    )


def unchanged_or(request: Request, text: str) -> Response:
    """A part of a page; 304 where the browser has just this."""
    tag = f'"{sha256(text.encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache, private"}
    if request.headers.get("If-None-Match") == tag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)


def _cases(request: Request, at: Context) -> dict[str, Any]:
    filters, now = Filters.read(request.query_params), at.clock.now()
    with at.connection() as connection:
        rows = open_cases(connection, filters.cases(now), after=filters.case_place(), limit=PAGE + 1)
        reporters = case_reports.reporters(connection, [row.number for row in rows])
        glance = request.app.state.totals.glance.get(connection, at)
    more = filters.address("/", after=after_case(rows[PAGE - 1])) if len(rows) > PAGE else ""
    live = filters.address("/desk/cases")
    soon = now + timedelta(hours=1)
    return {"what": "cases", "home": "/", "rows": rows[:PAGE], "filters": filters, "glance": glance, "more": more,
            "live": live, "soon": soon, "reporters": reporters}  # fmt: skip


def _alarms(request: Request, at: Context) -> dict[str, Any]:
    filters = Filters.read(request.query_params)
    state = filters.state if filters.state in tuple(AlarmState) else None
    with at.connection() as connection:
        rows = list_alarms(
            connection,
            everything=state == AlarmState.NORMAL,
            severity=filters.least,
            district=filters.district or None,
            kind=filters.kind or None,
            unit=filters.unit or None,
            state=state,
            text=filters.text or None,
            after=filters.alarm_place(),
            limit=PAGE + 1,
        )
        glance = request.app.state.totals.glance.get(connection, at)
    more = filters.address("/alarms", after=after_alarm(rows[PAGE - 1])) if len(rows) > PAGE else ""
    live = filters.address("/desk/alarms")
    return {"what": "alarms", "home": "/alarms", "rows": rows[:PAGE], "filters": filters, "glance": glance,
            "more": more, "live": live, "soon": at.clock.now()}  # fmt: skip


def _choices(at: Context, states: tuple[str, ...]) -> dict[str, Any]:
    """What the filters can be set to."""
    return {"districts": list(at.city.districts), "kinds": list(at.kinds), "units": list(at.city.units),
            "states": states, "dues": list(DUE), "map_style": at.map_style}  # fmt: skip
