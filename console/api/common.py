"""What all parts of the API share: types of what is said, pages of lists, words in both languages."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import msgspec
from fastapi import Depends, Header, Path
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from cases.words import Language, Section, vocabulary
from console.access import Action
from console.context import Context, context
from console.errors import BadInput
from console.identity import May, Visitor
from console.moments import in_our_time
from console.words import entry

_T = TypeVar("_T")
MOST = 500  # items a page


At = Annotated[Context, Depends(context)]
Looks = Annotated[Visitor, Depends(May(Action.LOOK))]
LooksOwn = Annotated[Visitor, Depends(May(Action.LOOK_OWN))]
Dispatches = Annotated[Visitor, Depends(May(Action.DISPATCH))]
Judges = Annotated[Visitor, Depends(May(Action.JUDGE))]

Word = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00]+$")]
Text = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]
Moment = Annotated[AwareDatetime, AfterValidator(in_our_time)]
Number = Annotated[str, Path(pattern=r"^\d{19}$", description="The case's number.", examples=["4201022026112100001"])]
Id = Annotated[int, Path(ge=1, le=2**62)]
Severity = Annotated[int, Field(ge=1, le=4, description="1 notice, 2 minor, 3 major, 4 critical.")]
Limit = Annotated[int, Field(ge=1, le=MOST, description="At most so many items.")]
Cursor = Annotated[
    str | None, Field(max_length=400, description="`next` of the page before.", examples=["WyIyMDI2LTExLTIxIiw3XQ"])
]
Key = Annotated[
    UUID | None,
    Header(
        alias="Idempotency-Key",
        description="A UUID of yours for this request: sent again it is not done again, and the same is answered.",
    ),
]


class Shape(BaseModel):
    """What goes in or comes out. Times are RFC 3339; out they are in UTC."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Asked(BaseModel):
    """What is asked for; an unknown field is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Page(Shape, Generic[_T]):
    """Some of a list."""

    items: list[_T]
    next: Annotated[str | None, Field(description="The cursor of the next page; null on the last.")]


class Named(Shape):
    """A word in both languages; a key that the city has made itself has no other word."""

    en: str
    zh: str


def named(section: Section, key: str) -> Named:
    """The words of a key."""
    known = vocabulary()[section].get(key)
    return Named(en=known.say(Language.EN), zh=known.say(Language.ZH)) if known else Named(en=key, zh=key)


def cursor(*place: Any) -> str:
    """Where a page ends, as one word."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()


def opened(text: str | None, make: Callable[..., _T], *types: type) -> _T | None:
    """The place that a cursor names, made of values of these types; None where there is no cursor.

    Raises:
        BadInput: where it is none of ours.
    """
    if text is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
        return make(*msgspec.json.decode(raw, type=tuple[*types]))  # type: ignore[valid-type]
    except (binascii.Error, UnicodeEncodeError, UnicodeDecodeError, ValueError, msgspec.MsgspecError) as error:
        raise BadInput("field_wrong", field="cursor", text=entry("wrong.cursor")) from error


def paged(rows: Sequence[Any], limit: int, shape: Callable[[Any], _T], place: Callable[[Any], str]) -> dict[str, Any]:
    """A page of rows of which there is one more than ``limit``, if there is another page."""
    shown = rows[:limit]
    return {"items": [shape(row) for row in shown], "next": place(shown[-1]) if len(rows) > limit else None}
