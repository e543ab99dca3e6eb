"""The routes of Open311 GeoReport v2, as JSON and as XML. Errors have the form that the standard gives them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Form as Filled
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import FormData

from cases.lifecycle import State
from cases.words import Language, Section, problem_of_case, say
from console import acting
from console.access import Action
from console.api.common import At, Key, Moment, Text, Word
from console.context import Context
from console.errors import BadInput, Missing, NotAllowed, NotSignedIn
from console.identity import Visitor, guest, machine
from console.open311.forms import Form, Kind, listed, one
from console.open311.services import services
from console.pages.moving import filled
from storage import case_reports
from storage.case_reports import ReportedCase, Source, Told

router = APIRouter(prefix="/open311", dependencies=[Depends(guest)])
CHANGESET = "2026-11-22T00:00:00Z"
_LONGEST = timedelta(days=90)  # the standard's, where no requests are named
_MOST = 1000


class Report(BaseModel):
    """A report, with the standard's names. ``address_id`` is a facility's device id, ``source`` our own extension."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    service_code: Word
    api_key: Text = ""
    lat: Annotated[float | None, Field(ge=-90, le=90, allow_inf_nan=False)] = None
    long: Annotated[float | None, Field(ge=-180, le=180, allow_inf_nan=False)] = None
    address_string: Text = ""
    address_id: Text = ""
    description: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    phone: Text = ""
    email: Text = ""
    media_url: Annotated[Text, Field(pattern=r"^(https?://[^\s\x00]+)?$")] = ""
    source: Source = Source.CITIZEN


class Which(BaseModel):
    """Which requests; several codes and ids are separated by commas."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    service_request_id: Word | None = None
    service_code: Word | None = None
    start_date: Moment | None = None
    end_date: Moment | None = None
    status: Annotated[Text | None, Field(pattern=r"^(open|closed)(,(open|closed))?$")] = None


@router.get("/discovery.{form}")
def discovery(form: Form, request: Request) -> Response:
    """Where the endpoint is."""
    document = {
        "changeset": CHANGESET,
        "contact": "cityward users token add",
        "key_service": "cityward users token add",
        "endpoints": [
            {
                "specification": "http://wiki.open311.org/GeoReport_v2",
                "url": f"{request.base_url}open311/v2",
                "changeset": CHANGESET,
                "type": "production",
                "formats": ["application/json", "text/xml"],
            }
        ],
    }
    return one(form, "discovery", document)


@router.get("/v2/services.{form}")
def read_services(form: Form, request: Request, at: At) -> Response:
    """What can be reported, of kinds that this city has."""
    language = at.language(request)
    documents = [
        {
            "service_code": code,
            "service_name": say(Section.PROBLEMS, code, language),
            "description": service.about.say(language),
            "metadata": False,
            "type": "realtime",
            "keywords": service.kind,
            "group": service.kind,
        }
        for code, service in services().items()
        if service.kind in at.kinds
    ]
    return listed(form, Kind.SERVICES, documents)


@router.get("/v2/requests.{form}")
def read_requests(form: Form, request: Request, asked: Annotated[Which, Query()], at: At) -> Response:
    """What was reported and what became of it, the newest first; without dates that of the last 90 days."""
    numbers = _listed(asked.service_request_id)
    until = asked.end_date or at.clock.now() + timedelta(seconds=1)
    since = max(asked.start_date or until - _LONGEST, until - _LONGEST)
    statuses = {*(asked.status or "open,closed").split(",")}
    with at.connection() as connection:
        rows = case_reports.reported(
            connection,
            numbers=numbers,
            services=_listed(asked.service_code),
            since=None if numbers else since,
            until=None if numbers else until,
            is_open=None if len(statuses) > 1 else "open" in statuses,
            limit=_MOST,
        )
    return listed(form, Kind.REQUESTS, [_request(row, at.language(request)) for row in rows])


@router.get("/v2/requests/{number}.{form}")
def read_request(number: str, form: Form, request: Request, at: At) -> Response:
    """One request."""
    with at.connection() as connection:
        rows = case_reports.reported(connection, numbers=[number])
    if not rows:
        raise Missing("case_missing", number=number)
    return listed(form, Kind.REQUESTS, [_request(row, at.language(request)) for row in rows])


@router.post("/v2/requests.{form}")
def report(
    form: Form,
    request: Request,
    asked: Annotated[Report, Filled()],
    sent: Annotated[FormData, Depends(filled)],
    at: At,
    key: Key = None,
) -> Response:
    """A report: a case to be looked at by the centre, or one more who reports what is known."""
    who = _reporter(request, at, asked.api_key)
    if "media" in sent:
        raise BadInput("no_files")
    service = services().get(asked.service_code)
    if service is None or service.kind not in at.kinds:
        raise Missing("service_missing", code=asked.service_code)
    told = Told(
        source=asked.source,
        service_code=asked.service_code,
        lon=asked.long if asked.lat is not None else None,
        lat=asked.lat if asked.long is not None else None,
        address=asked.address_string,
        contact=dict(_contact(asked)),
        media_url=asked.media_url,
    )
    answer = acting.report(
        at,
        who,
        kind=service.kind,
        problem=problem_of_case(asked.service_code),
        facility=asked.address_id,
        text=asked.description or say(Section.PROBLEMS, asked.service_code, Language.EN),
        severity=service.severity,
        told=told,
        key=key,
    )
    made = {"service_request_id": answer["number"], "service_notice": "", "account_id": None}
    return listed(form, Kind.REQUESTS, [made], HTTPStatus.CREATED)


def _reporter(request: Request, at: Context, api_key: str) -> Visitor:
    """Whose key it is; the standard has it among the fields of the form, a header will do as well."""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    token = api_key or (bearer if scheme.lower() == "bearer" else "")
    if not token:
        raise NotAllowed("api_key")
    try:
        who = machine(request, at, token)
    except NotSignedIn as error:
        raise NotAllowed("bad_token") from error
    if not who.may(Action.REPORT):
        raise NotAllowed("api_key")
    return who


def _contact(asked: Report) -> Iterator[tuple[str, str]]:
    for name in ("first_name", "last_name", "phone", "email"):
        if said := getattr(asked, name).strip():
            yield name, said


def _listed(text: str | None) -> list[str] | None:
    return [each.strip() for each in text.split(",") if each.strip()] if text else None


def _request(row: ReportedCase, language: Language) -> dict[str, Any]:
    """A case as the standard tells it. What people wrote, and who they are, stays here; a picture is where it was."""
    return {
        "service_request_id": row.number,
        "status": "open" if row.open else "closed",
        "status_notes": say(Section.STATES, State(row.state), language),
        "service_name": say(Section.PROBLEMS, row.service_code, language),
        "service_code": row.service_code,
        "description": None,
        "agency_responsible": row.name_zh if language is Language.ZH else row.name_en,
        "service_notice": None,
        "requested_datetime": _iso(row.reported_at),
        "updated_datetime": _iso(row.updated_at),
        "expected_datetime": _iso(row.fix_by) if row.open else None,
        "address": f"{row.road}, {row.name}",
        "address_id": row.device_id,
        "zipcode": None,
        "lat": row.lat,
        "long": row.lon,
        "media_url": row.media_url,
        "reporters": row.reporters,
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
