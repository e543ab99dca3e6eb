"""Answers where something went wrong: problem documents (RFC 9457) for programs, a page for people."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from cases.words import Language
from console.context import Context
from console.errors import BadInput, ConsoleError, NotSignedIn
from console.headers import safety
from console.open311 import forms
from console.open311.forms import Kind
from console.pages import crew
from console.pages.places import inside
from console.pages.rendering import page
from console.words import section, word
from storage.errors import DatabaseUnavailableError, UnstorableError

OPEN311 = "/open311/"
PROGRAMS = ("/api/", OPEN311)
MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger(__name__)
# Open311 knows but these.
_OPEN311 = {
    HTTPStatus.UNPROCESSABLE_ENTITY: HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED: HTTPStatus.FORBIDDEN,
    HTTPStatus.CONFLICT: HTTPStatus.BAD_REQUEST,
}
# What the framework itself finds out.
_KEYS = {
    HTTPStatus.BAD_REQUEST: "unreadable",
    HTTPStatus.NOT_FOUND: "nothing_here",
    HTTPStatus.METHOD_NOT_ALLOWED: "wrong_method",
}


def answer_for(app: FastAPI) -> None:
    """Have the application answer for what goes wrong in it."""
    app.add_exception_handler(ConsoleError, _ours)
    app.add_exception_handler(HTTPException, _frameworks)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(DatabaseUnavailableError, _away)
    app.add_exception_handler(UnstorableError, _unstorable)
    app.add_exception_handler(Exception, _failed)


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, ConsoleError)  # noqa: S101 - registered for these
    if isinstance(error, NotSignedIn) and not _for_programs(request):
        if request.url.path.startswith(crew.ROOT):
            return crew.over(request, _language(request))
        return RedirectResponse(f"/sign-in{_back(request)}", HTTPStatus.SEE_OTHER)
    return _problem(request, error.status, error.key, error.say(_language(request)), error.headers)


def _back(request: Request) -> str:
    """So that who signs in comes to the page that was asked for: a link of a colleague, or where the session ended."""
    asked = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return f"?{urlencode({'back': asked})}" if request.method == "GET" and asked != "/" else ""


def _before(request: Request) -> str:
    """The page of ours that led here."""
    came = urlsplit(request.headers.get("Referer", ""))
    ours = came.netloc == request.url.netloc and came.path != request.url.path
    return inside(urlunsplit(("", "", came.path, came.query, ""))) if ours else "/"


def _frameworks(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    status = HTTPStatus(error.status_code)
    key = _KEYS.get(status, "told")
    said = word(f"problem.{key}", _language(request)).format(text=error.detail)
    return _problem(request, status, key, said, error.headers)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    language = _language(request)
    wrong = [
        {"field": ".".join(map(str, each["loc"][1:])) or str(each["loc"][0]), "text": _wrong(each, language)}
        for each in error.errors()
    ]
    said = "; ".join(word("problem.field_wrong", language).format(**each) for each in wrong)
    return _problem(request, BadInput.status, "field_wrong", said, fields=wrong)


def _wrong(found: Mapping[str, Any], language: Language) -> str:
    """What is wrong with a field; in pydantic's own words where we have none."""
    known = section("wrong", language).get(found["type"])
    return known.format(**found.get("ctx", {})) if known else str(found["msg"])


def _unstorable(request: Request, error: Exception) -> Response:
    said = word("problem.told", _language(request)).format(text=error)
    return _problem(request, BadInput.status, "told", said)


def _away(request: Request, _error: Exception) -> Response:
    said = word("problem.away", _language(request))
    return _problem(request, HTTPStatus.SERVICE_UNAVAILABLE, "away", said, {"Retry-After": "5"})


def _failed(request: Request, error: Exception) -> Response:
    _log.error("request_failed", method=request.method, path=request.url.path, exc_info=error)
    answer = _problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, "failed", word("problem.failed", _language(request)))
    context: Context = request.app.state.context
    answer.headers.update({**safety(context.map_style), "Cache-Control": "no-store"})  # it is made outside of them
    return answer


def _problem(
    request: Request,
    status: HTTPStatus,
    key: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    language = _language(request)
    if not _for_programs(request):
        answer = page("problem.html", request, language, status=status, detail=detail, before=_before(request))
        answer.headers.update(headers or {})
        return answer
    if request.url.path.startswith(OPEN311):
        code = _OPEN311.get(status, status)
        form = forms.of_path(request.url.path)
        return forms.listed(form, Kind.ERRORS, [{"code": code.value, "description": detail}], HTTPStatus(code), headers)
    body = {
        "type": f"/api/#{key}",
        "title": word(f"status.s{status.value}", language),
        "status": status.value,
        "detail": detail,
        **more,
    }
    return JSONResponse(body, status, {"Content-Language": language.value, **(headers or {})}, MEDIA_TYPE)


def _for_programs(request: Request) -> bool:
    """Programs know what they asked for by its path, scripts of pages by saying that they want JSON."""
    return request.url.path.startswith(PROGRAMS) or "json" in request.headers.get("Accept", "")


def _language(request: Request) -> Language:
    context: Context = request.app.state.context
    return context.language(request)
