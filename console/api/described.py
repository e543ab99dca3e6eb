"""The API put together, and what it says of itself: OpenAPI, and a page of our own that lists it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from pydantic import BaseModel, Field

from console.api import alarms, cases, devices, papers, whole
from console.api.common import At
from console.identity import guest
from console.moves import CASE_MOVES
from console.pages.rendering import page
from console.problems import MEDIA_TYPE
from console.words import section

VERSION = "1"
_ABOUT = """What the desk of the operations centre shows and does, for other systems.

**Signing in.** A machine sends `Authorization: Bearer …` with a token from `cityward users token add NAME --role ROLE`;
the role says what it may do. Pages of the console use the same addresses with the session's cookie.

**Errors** are problem documents (RFC 9457) in English or Chinese, by `Accept-Language`.

**Done once.** Everything that changes something takes an `Idempotency-Key`, a UUID.

**Limits.** 20 requests a second and 200 at once by default; a 429 says in `Retry-After` when to come again. A request
may have 256 KiB. Times are RFC 3339, out in UTC.
"""
router = APIRouter()
_v1 = APIRouter(prefix="/api/v1")
for part in (cases, alarms, devices, papers, whole):
    _v1.include_router(part.router)


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: Annotated[
        str, Field(description="What it is; where it leads, it is explained.", examples=["/api/#case_state"])
    ]
    title: str
    status: int
    detail: Annotated[str, Field(description="What happened here and what would help.")]
    fields: Annotated[list[dict[str, str]] | None, Field(description="Of wrong fields: name and what is wrong.")] = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of the page."""

    method: str
    path: str
    summary: str
    about: str
    takes: list[str]


def install(app: FastAPI) -> None:
    """Put the API into the application."""
    app.include_router(_v1)
    app.include_router(router, include_in_schema=False)
    app.openapi = lambda: app.openapi_schema or _described(app)  # type: ignore[method-assign]


@router.get("/api/", dependencies=[Depends(guest)])
def listing(request: Request, at: At) -> Response:
    """The page."""
    document = request.app.openapi()
    return page(
        "api.html",
        request,
        at.language(request),
        operations=list(_operations(document)),
        problems=section("problem", at.language(request)),
    )


def _described(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title="Cityward", version=VERSION, description=_ABOUT, routes=app.routes)
    document["components"]["schemas"] |= _without_definitions(Problem.model_json_schema())
    for reached, path in document["paths"].items():
        for method, operation in path.items():
            _say(operation, changes=method != "get", guarded="security" in operation, named="{" in reached)
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    app.openapi_schema = document
    return document


def _without_definitions(schema: dict[str, Any]) -> dict[str, Any]:
    return {"Problem": {name: value for name, value in schema.items() if name != "$defs"}}


def _say(operation: dict[str, Any], *, changes: bool, guarded: bool, named: bool) -> None:
    """What can go wrong with an operation."""
    said = {
        "422": "What was said does not suffice or makes no sense.",
        "429": "Too many requests.",
        "503": "No database.",
    }
    if guarded:
        said |= {"401": "Nobody has signed in.", "403": "The role may not do this."}
    if named or changes:
        said |= {"404": "There is no such thing."}
    if changes:
        said |= {
            "400": "Not understood.",
            "409": "Not as things stand.",
            "412": "Changed meanwhile.",
            "413": "Too large.",
        }
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, text in said.items():
        known = operation["responses"].get(status, {}).get("content", {})
        kept = known if status == "503" else {}
        operation["responses"][status] = {"description": text, "content": {**kept, **content}}
    moves = "\n".join(
        f"| `{move}` | {plan.action} | {', '.join(plan.required) or '-'} | {', '.join(plan.optional) or '-'} |"
        for move, plan in CASE_MOVES.items()
    )
    operation["description"] = operation.get("description", "").replace("MOVES", moves)


def _operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield Operation(
                method.upper(),
                path,
                operation["summary"],
                operation["description"].split("\n")[0],
                [each["name"] for each in operation.get("parameters", ())],
            )
