"""Who is asking, and whether they may: the dependency that every route has."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import compare_digest
from typing import Annotated, Protocol, TypeVar

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from cases.words import Language
from console.access import MAY, Action, Role
from console.actors import CREW_OF
from console.context import Context, context
from console.errors import Missing, NotAllowed, NotSignedIn
from console.limits import origin
from console.signing import Session
from console.words import entry
from storage import console_store, console_tokens, crew_links
from storage.console_trail import Doer

COOKIE = "cityward"
TOKEN = "token"  # noqa: S105 - a field's name
TOKEN_HEADER = "X-Cityward-Token"  # noqa: S105 - a header's name
_SAFE = frozenset({"GET", "HEAD"})
_BEARER = HTTPBearer(auto_error=False, scheme_name="token", description="Of a machine: `cityward users token add`.")
_COOKIE = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    scheme_name="session",
    description=f"Of a person who has signed in; what changes something brings `{TOKEN_HEADER}` besides.",
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who asks.

    Attributes:
        username: As they sign in; ``token:NAME`` for a machine, empty for a crew with a link.
        name: As it stands in histories.
        role: What they may do.
        unit: Whose cases they see; empty where all may be seen.
        language: Of what they are shown.
        address: The network address that they ask from.
        session: None for a machine: it brings its token with every request.
    """

    username: str
    name: str
    role: Role
    unit: str
    language: Language
    address: str
    session: Session | None

    def may(self, action: Action) -> bool:
        """Whether the table says so."""
        return action in MAY[self.role]

    @property
    def token(self) -> str:
        """What forms and scripts of a page must bring back."""
        return self.session.token if self.session else ""

    @property
    def identity(self) -> str:
        """Who it is and nobody else: full names may be alike. Of a crew, all phones of its unit."""
        return self.username or self.name

    @property
    def doer(self) -> Doer:
        """As they stand in the record of changes."""
        return Doer(self.username, self.name, self.role, self.unit, self.address)


class Owned(Protocol):
    """A case, as far as it says whose it is."""

    @property
    def unit(self) -> str:
        """Who answers for it."""

    @property
    def joint(self) -> Sequence[str]:
        """Who answers for it beside."""


_Case = TypeVar("_Case", bound=Owned)


def theirs(case: _Case | None, number: str, who: Visitor) -> _Case:
    """The case of this number, if the visitor sees it: a crew its own, alone or jointly; others every one.

    Raises:
        Missing: where there is none.
        NotAllowed: where it is another unit's.
    """
    if case is None:
        raise Missing("case_missing", number=number)
    if not who.may(Action.LOOK) and who.unit not in {case.unit, *case.joint}:
        raise NotAllowed("case_others", number=number)
    return case


def visitor(
    request: Request,
    at: Annotated[Context, Depends(context)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    cookie: Annotated[str | None, Depends(_COOKIE)],
) -> Visitor:
    """Who is asking.

    Raises:
        NotSignedIn: if nobody is, any more.
        TooMany: if they ask too often; who is nobody is counted by origin.
    """
    try:
        who = _identified(request, at, bearer, cookie)
    except NotSignedIn:
        guest(request, at)
        raise
    at.limits.take(who.username or f"{who.name} {who.token}", time.monotonic())
    return who


def guest(request: Request, at: Annotated[Context, Depends(context)]) -> None:
    """The dependency of what is open to everybody.

    Raises:
        TooMany: if too much is asked from this origin.
    """
    at.guests.take(origin(address_of(request)), time.monotonic())


def _identified(
    request: Request, at: Context, bearer: HTTPAuthorizationCredentials | None, cookie: str | None
) -> Visitor:
    if bearer is not None:
        return machine(request, at, bearer.credentials)
    session = at.signing.session(cookie or "", at.clock.now())
    if session is None:
        raise NotSignedIn
    address = address_of(request)
    with at.connection() as connection:
        if console_store.session_over(connection, session.token):
            raise NotSignedIn
        if not session.username:
            if crew_links.generation(connection, session.unit) != session.generation:
                raise NotSignedIn
            name = f"{CREW_OF}{session.unit}"
            return Visitor("", name, Role.CREW, session.unit, at.language(request), address, session)
        user = console_store.find(connection, session.username)
    if user is None or user.disabled_at or user.generation != session.generation:
        raise NotSignedIn
    language = at.chosen(request) or Language(user.language)
    return Visitor(user.username, user.full_name, Role(user.role), user.unit, language, address, session)


def machine(request: Request, at: Context, token: str) -> Visitor:
    """The machine whose token this is.

    Raises:
        NotSignedIn: if it is nobody's, or not any more.
    """
    with at.connection() as connection:
        known = console_tokens.find(connection, token, at.clock.now())
    if known is None:
        raise NotSignedIn("bad_token")
    language = at.language(request)
    name = f"token:{known.name}"
    return Visitor(name, known.name, Role(known.role), known.unit, language, address_of(request), None)


def address_of(request: Request) -> str:
    """The network address that a request comes from; through a proxy that is named in the settings, what it says."""
    return request.client.host if request.client else ""


@dataclass(frozen=True, slots=True)
class May:
    """A dependency: somebody who may do this; whatever changes something also brings the session's token.

    The token comes in a header or a form's field: another site can make a browser send the cookie, not the token.
    A machine's own token is sent by no browser by itself.
    """

    action: Action

    async def __call__(self, request: Request, who: Annotated[Visitor, Depends(visitor)]) -> Visitor:
        """The visitor, allowed."""
        if request.method not in _SAFE and who.session is not None:
            brought = request.headers.get(TOKEN_HEADER) or (await request.form()).get(TOKEN, "")
            if not compare_digest(str(brought).encode(), who.token.encode()):
                raise NotAllowed("page_too_old")
        if not who.may(self.action):
            raise NotAllowed("role", role=entry(f"role.{who.role}"), action=entry(f"action.{self.action}"))
        return who
