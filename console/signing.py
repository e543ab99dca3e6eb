"""What the console signs: session cookies, and the links that open a unit's page on a phone."""

import base64
import binascii
import hashlib
from dataclasses import astuple, dataclass, fields
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from itsdangerous import BadSignature, Signer

from devices.shapes import convert

SESSION_LIFE = timedelta(hours=12)  # a long shift


@dataclass(frozen=True, slots=True)
class Session:
    """A person who has signed in, or a crew that has opened its link (``username`` empty).

    It ends when the person's, or the unit's links', ``generation`` does.
    ``token`` must come back with everything that changes something. ``until`` in seconds since 1970 UTC.
    """

    username: str
    generation: int
    unit: str
    token: str
    until: int


@dataclass(frozen=True, slots=True)
class CrewLink:
    """A unit's page, opened at one case where there is one; good while the unit's links are of this generation."""

    unit: str
    case: str
    generation: int
    until: int


_T = TypeVar("_T", Session, CrewLink)


class Signing:
    """Signs and reads, with the key that all consoles of a city share."""

    def __init__(self, key: bytes) -> None:
        self._sessions = Signer(key, salt="session", digest_method=_sha256)
        self._links = Signer(key, salt="crew link", digest_method=_sha256)

    def cookie(self, session: Session) -> str:
        """A session as the browser keeps it."""
        return _seal(self._sessions, session)

    def session(self, cookie: str, now: datetime) -> Session | None:
        """The session of a cookie; None where it is not ours, or over."""
        return _open(self._sessions, cookie, Session, now)

    def link(self, link: CrewLink) -> str:
        """A link's last part."""
        return _seal(self._links, link)

    def opened(self, sealed: str, now: datetime) -> CrewLink | None:
        """What a link says; None where it is not ours, or over."""
        return _open(self._links, sealed, CrewLink, now)


def _sha256(data: bytes = b"") -> "hashlib._Hash":
    return hashlib.sha256(data)


def _seal(signer: Signer, value: Session | CrewLink) -> str:
    # Without names: a link has to fit into a short message.
    text = base64.urlsafe_b64encode(msgspec.json.encode(astuple(value))).rstrip(b"=")
    return signer.sign(text).decode()


def _open(signer: Signer, sealed: str, of: type[_T], now: datetime) -> _T | None:
    try:
        text = signer.unsign(sealed.encode())
        values = msgspec.json.decode(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)), type=list)
        named = zip((field.name for field in fields(of)), values, strict=True)
        value = convert(dict(named), of)
    except (BadSignature, UnicodeEncodeError, binascii.Error, msgspec.MsgspecError, ValueError):
        return None
    return value if now.timestamp() < value.until else None
