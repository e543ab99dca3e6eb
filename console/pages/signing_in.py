"""Signing in and out, and the link that opens a crew's page."""

import secrets
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.background import BackgroundTask

from cases.words import Language
from console import passwords
from console.context import TONGUE, Context, context
from console.defaults import ENTRY_USER
from console.errors import NotAllowed
from console.guesses import FAMILIAR, Guesses
from console.identity import COOKIE, address_of, guest
from console.limits import origin
from console.pages.places import inside
from console.pages.rendering import page
from console.signing import SESSION_LIFE, Session
from storage import console_store, console_trail, crew_links
from storage.console_trail import Doer

_DEMONSTRATED = timedelta(days=60)  # of a city whose clock may run a hundred times faster
_REMEMBERED = 400 * 24 * 3600  # seconds, the longest that browsers keep a cookie
router = APIRouter()


def from_here(request: Request) -> None:
    """The dependency of forms that bring no session's token: another site's page can make nobody send them.

    Raises:
        NotAllowed: where the browser says that another site asks.
    """
    if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        raise NotAllowed("page_too_old")


@router.get("/sign-in")
def form(request: Request, at: Annotated[Context, Depends(context)], back: str = "/") -> Response:
    """The form; who signs in comes to the page that was asked for."""
    return page("sign_in.html", request, at.language(request), problem="", username="", back=back)


@router.post("/sign-in", dependencies=[Depends(guest), Depends(from_here)])
def sign_in(
    request: Request,
    at: Annotated[Context, Depends(context)],
    username: Annotated[str, Form(max_length=64)],
    password: Annotated[str, Form(max_length=200)],
    back: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """A session for the right password. How long a refusal takes tells nobody whether there is such a person."""
    now, guesses, language = at.clock.now(), request.app.state.guesses, at.language(request)
    name, here = username.strip().lower(), origin(address_of(request))

    def refused(problem: str, status: HTTPStatus) -> Response:
        return page("sign_in.html", request, language, status=status, problem=problem, username=username, back=back)

    if _must_wait(at, guesses, name, here):
        return refused("sign_in.slow", HTTPStatus.TOO_MANY_REQUESTS)
    with at.connection() as connection:
        user = console_store.find(connection, name)
    known = user is not None and user.disabled_at is None
    try:
        right = passwords.matches(password, user.hash if known and user else passwords.nobody())
    except passwords.BusyError:
        return refused("sign_in.busy", HTTPStatus.SERVICE_UNAVAILABLE)
    entered = known and user is not None and right

    def record(action: str) -> None:
        if user is not None:
            doer = Doer(user.username, user.full_name, user.role, user.unit, address_of(request))
            with at.connection() as connection:
                console_trail.write(connection, doer, action, user.username, {}, at=now)

    if user is None or not entered:
        guesses.note(name, here, now)
        answer = refused("sign_in.wrong", HTTPStatus.FORBIDDEN)
        answer.background = BackgroundTask(record, "user.sign_in_refused")  # the answer does not wait for it
        return answer
    record("user.sign_in")
    until = int((now + SESSION_LIFE).timestamp())
    session = Session(user.username, user.generation, user.unit, secrets.token_urlsafe(), until)
    return _begun(at, session, inside(back))


@router.post("/sign-out", dependencies=[Depends(from_here)])
def sign_out(request: Request, at: Annotated[Context, Depends(context)]) -> Response:
    """The end of a session, in this browser and wherever its cookie was copied to."""
    session = at.signing.session(request.cookies.get(COOKIE, ""), at.clock.now())
    if session is not None:
        with at.connection() as connection:
            console_store.end_session(connection, session.token, datetime.fromtimestamp(session.until, UTC))
    answer = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/c/{sealed}", dependencies=[Depends(guest)])
def crew_link(sealed: str, request: Request, at: Annotated[Context, Depends(context)]) -> Response:
    """A unit's page on a phone: whoever has the link is the crew."""
    link = at.signing.opened(sealed, at.clock.now())
    if link is not None:
        with at.connection() as connection:
            good = link.generation == crew_links.generation(connection, link.unit)
    if link is None or not good:
        return _over(request, at)
    session = Session("", link.generation, link.unit, secrets.token_urlsafe(), link.until)
    return _begun(at, session, f"/crew/{link.case}" if link.case else "/crew")


@router.get("/enter/{word}", dependencies=[Depends(guest)])
def enter(word: str, request: Request, at: Annotated[Context, Depends(context)]) -> Response:
    """The link that a demonstration prints: it signs in once. A city has no such link."""
    if not (at.entry and secrets.compare_digest(word.encode(), at.entry.encode())):
        return _over(request, at)
    if request.app.state.entered:
        signed_in = at.signing.session(request.cookies.get(COOKIE, ""), at.clock.now()) is not None
        return RedirectResponse("/", HTTPStatus.SEE_OTHER) if signed_in else _over(request, at, "sign_in.entered")
    with at.connection() as connection:
        user = console_store.find(connection, ENTRY_USER)
    if user is None:
        return _over(request, at)
    request.app.state.entered = True
    until = int((at.clock.now() + _DEMONSTRATED).timestamp())
    return _begun(at, Session(user.username, user.generation, user.unit, secrets.token_urlsafe(), until), "/")


@router.get("/language/{language}")
def speak(at: Annotated[Context, Depends(context)], language: Language, back: str = "/") -> Response:
    """Another language from now on, in this browser; back to where one was."""
    answer = RedirectResponse(inside(back), HTTPStatus.SEE_OTHER)
    answer.set_cookie(TONGUE, language, max_age=_REMEMBERED, httponly=True, samesite="lax", secure=at.secure)
    return answer


def _must_wait(at: Context, guesses: Guesses, name: str, here: str) -> bool:
    now = at.clock.now()
    if guesses.too_many_here(name, here, now):
        return True
    if not guesses.too_many_anywhere(name, now):
        return False
    with at.connection() as connection:
        return here not in map(origin, console_trail.signed_in_from(connection, name, now - FAMILIAR))


def _over(request: Request, at: Context, problem: str = "sign_in.over") -> Response:
    """What is said of a link that opens nothing, or nothing any more."""
    return page("sign_in.html", request, at.language(request), status=403, problem=problem, username="", back="")


def _begun(at: Context, session: Session, place: str) -> Response:
    answer = RedirectResponse(place, HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        COOKIE,
        at.signing.cookie(session),
        expires=datetime.fromtimestamp(session.until, at.clock.now().tzinfo),
        httponly=True,
        samesite="lax",
        secure=at.secure,
    )
    return answer
