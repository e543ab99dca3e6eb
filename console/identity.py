"""Who is asking, and whether they may: the dependency that every route has."""

from dataclasses import dataclass
from http import HTTPStatus
from secrets import compare_digest
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from cases.words import Language
from console.access import MAY, Action, Role
from console.context import Context, context
from console.signing import Session
from storage import console_store

COOKIE = "cityward"
TOKEN = "token"  # noqa: S105 - a field's name
TOKEN_HEADER = "X-Cityward-Token"  # noqa: S105 - a header's name
_SAFE = frozenset({"GET", "HEAD"})


class SignInError(Exception):
    """Nobody has signed in; a page leads to the form, the API answers 401."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who asks. ``unit`` is empty where all units may be seen; ``name`` stands in histories."""

    name: str
    role: Role
    unit: str
    language: Language
    session: Session

    def may(self, action: Action) -> bool:
        """Whether the table says so."""
        return action in MAY[self.role]

    def sees(self, unit: str) -> bool:
        """Whether a unit's cases are theirs to see."""
        return self.may(Action.LOOK) or unit == self.unit


def visitor(request: Request, at: Annotated[Context, Depends(context)]) -> Visitor:
    """Who is asking.

    Raises:
        SignInError: if nobody is, any more.
    """
    session = at.signing.session(request.cookies.get(COOKIE, ""), at.clock.now())
    if session is None:
        raise SignInError
    if not session.username:
        return Visitor(f"crew of {session.unit}", Role.CREW, session.unit, at.language(request), session)
    with at.connection() as connection:
        user = console_store.find(connection, session.username)
    if user is None or user.disabled_at or user.generation != session.generation:
        raise SignInError
    return Visitor(user.full_name, Role(user.role), user.unit, Language(user.language), session)


@dataclass(frozen=True, slots=True)
class May:
    """A dependency: somebody who may do this; whatever changes something also brings the session's token.

    The token comes in a header or a form's field: another site can make a browser send the cookie, not the token.
    """

    action: Action

    async def __call__(self, request: Request, who: Annotated[Visitor, Depends(visitor)]) -> Visitor:
        """The visitor, allowed."""
        if not who.may(self.action):
            raise HTTPException(HTTPStatus.FORBIDDEN, f"a {who.role} may not do this: {self.action}")
        if request.method not in _SAFE:
            brought = request.headers.get(TOKEN_HEADER) or (await request.form()).get(TOKEN, "")
            if not compare_digest(str(brought), who.session.token):
                raise HTTPException(HTTPStatus.FORBIDDEN, "this page is out of date: load it again")
        return who
