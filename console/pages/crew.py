"""The crew's pages: its unit's cases, one of them, and what a phone needs to go on without a network."""

import hashlib
import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from cases.case import Finding
from cases.lifecycle import State
from cases.words import Language
from console import telemetry
from console.access import Action
from console.context import Context, context
from console.crew_view import MORE_TIME, MOVES, by_urgency, moves_by_state, next_due
from console.identity import May, Visitor, theirs
from console.moves import possible
from console.pages.rendering import allowance, page
from console.words import section, word
from storage import case_reports, photo_store
from storage.case_list import case_file
from storage.crew_list import CrewCase, crew_case, crew_cases

ROOT = "/crew"
STATIC = Path(__file__).parent.parent / "static"
# What a phone keeps to show pages without a network.
_KEPT = ("crew.css", "crew.js", "crew_queue.js", "crew.webmanifest", "icon.svg")
_ABOUT_A_CASE = 12  # lines of history that a phone shows
router = APIRouter()
Seer = Annotated[Visitor, Depends(May(Action.LOOK_OWN))]
At = Annotated[Context, Depends(context)]


@router.get("/crew")
def cases(request: Request, at: At, who: Seer, unit: str = "") -> Response:
    """A unit's open cases, what is urgent first."""
    unit = who.unit or unit
    if not unit or unit not in at.city.units:
        units = [(each, at.city.units[each].name[who.language]) for each in sorted(at.city.units)]
        return _page("crew_units.html", request, who, units=units)
    with at.connection() as connection:
        found = by_urgency(crew_cases(connection, unit))
    return _page(
        "crew.html",
        request,
        who,
        unit_name=at.city.units[unit].name[who.language],
        cases=found,
        working=[case.number for case in found if next_due(case)],
        waiting=[case.number for case in found if not next_due(case)],
        due=next_due,
        clock=Clock(at),
    )


@router.get("/crew/state")
def state(at: At, who: Seer) -> dict[str, str | int]:
    """What a phone asks before it sends what it has kept: whose it is, the token of now, the time in ms since 1970."""
    return {"whose": _whose(who), "token": who.token, "now": round(at.clock.now().timestamp() * 1000)}


@router.get("/crew/sw.js")
def service_worker() -> Response:
    """The worker that shows pages without a network; another version of what it keeps is another worker."""
    kept = json.dumps([f"/static/{name}" for name in _KEPT])
    text = f'const VERSION = "{_version()}";\nconst KEPT = {kept};\n' + (STATIC / "sw.js").read_text(encoding="utf-8")
    headers = {"Service-Worker-Allowed": "/crew", "Cache-Control": "no-cache"}
    return Response(text, media_type="text/javascript", headers=headers)


@router.get("/crew/{number}")
def case(number: str, request: Request, at: At, who: Seer) -> Response:
    """One case, with a button for everything that the crew can do."""
    with at.connection() as connection:
        found = theirs(crew_case(connection, number), number, who)
        photos = photo_store.of_case(connection, number)
        reports = case_reports.told(connection, number)
        file = case_file(connection, number)
        assert file is not None  # noqa: S101 - found just now, and cases stay
        rule = at.rule_of(file.life.rule, found.problem, found.kind)
        measured = telemetry.measured(connection, found.device_id, rule, at)
    clock = Clock(at)
    return _page(
        "crew_case.html",
        request,
        who,
        case=found,
        back="/crew" if who.unit else f"/crew?unit={found.unit}",
        advice=section("crew_advice", who.language).get(found.problem, ""),
        due=next_due(found),
        clock=clock,
        who_may_work=who.may(Action.WORK),
        possible=possible(who.role, State(found.state), delay_pending=found.delay is not None),
        findings=[*Finding],
        more_time=MORE_TIME,
        measured=measured,
        reports=reports,
        photos=photos,
        facts=_facts(found, at, who.language, clock),
        history=file.history[-_ABOUT_A_CASE:],
    )


def over(request: Request, language: Language) -> Response:
    """What a crew sees whose link is over: how to go on, and that nothing is lost."""
    return page("crew_over.html", request, language, status=401, whose="", **_scripts(language))


class Clock:
    """Times as the city's people read them: without the date where it is today's."""

    def __init__(self, at: Context) -> None:
        self._zone = at.city.calendar.timezone
        self._today = at.clock.now().astimezone(self._zone).date()

    def __call__(self, moment: datetime) -> str:
        """Such as ``14:05``, or ``11-22 14:05``."""
        local = moment.astimezone(self._zone)
        return f"{local:%H:%M}" if local.date() == self._today else f"{local:%m-%d %H:%M}"


def _page(name: str, request: Request, who: Visitor, **shown: Any) -> Response:
    return page(name, request, who.language, who, whose=_whose(who), **_scripts(who.language), **shown)


def _whose(who: Visitor) -> str:
    """For whom a phone keeps what is not sent: another link's queue waits until that link is opened."""
    return who.unit or who.username


@cache
def _scripts(language: Language) -> dict[str, Any]:
    """What scripts say, and where each move leads."""
    words = section("crew_script", language) | {f"move_{move}": word(f"move.{move}", language) for move in MOVES}
    return {"script_words": json.dumps(words, ensure_ascii=False), "moves": json.dumps(moves_by_state())}


def _facts(found: CrewCase, at: Context, language: Language, clock: Clock) -> list[tuple[str, str]]:
    unit, pause = at.city.units.get(found.unit), at.city.policy.pauses.get(found.pause)
    facts = {
        "number": found.number,
        "since": clock(found.opened_at),
        "device": found.device_id,
        "grid": found.grid,
        "lead": unit.name[language] if unit and found.joint else "",
        "alarms": str(found.alarms or ""),
        "carried": str(found.carried or ""),
        "parent": found.parent or "",
        "asked_time": allowance(found.delay, language) if found.delay else "",
        "paused": pause.names[language] if pause else "",
    }
    dues = {"accept": found.accept_by, "arrive": found.arrive_by, "safe": found.safe_by, "fix": found.fix_by}
    times = [(word(f"crew_due.{name}", language), clock(by)) for name, by in dues.items() if by]
    return [*((word(f"crew.{name}", language), value) for name, value in facts.items()), *times]


@cache
def _version() -> str:
    """Of the files that phones keep."""
    kept = [(STATIC / name).read_bytes() for name in (*_KEPT, "sw.js")]
    return hashlib.sha256(b"".join(kept)).hexdigest()[:12]
