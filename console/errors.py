"""What can go wrong when somebody asks something of the console: each with a key, words and a status of HTTP."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import ClassVar

from starlette.exceptions import HTTPException

from cases.words import Language, Word
from console.words import word
from devices.errors import Permanent

Said = str | Word | Sequence[Word]


class ConsoleError(Permanent):
    """Something asked cannot be done, and nothing of it was.

    Args:
        key: What it is, in the section ``problem`` of the console's words.
        details: What the words leave open, themselves words where they differ by language.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST

    def __init__(self, key: str, **details: Said) -> None:
        self.key = key
        self.details = details
        self.headers: Mapping[str, str] | None = None
        super().__init__(self.say(Language.EN))

    def say(self, language: Language) -> str:
        """The whole of it, in a language."""
        said = {name: _said(each, language) for name, each in self.details.items()}
        return word(f"problem.{self.key}", language).format(**said)


class BadInput(ConsoleError):  # noqa: N818 - named for what happened, as h11 and kopf do
    """What was said does not suffice or makes no sense; saying something else helps."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class NotSignedIn(ConsoleError):  # noqa: N818
    """Nobody has signed in, or not any more; a page leads to the form."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, key: str = "sign_in") -> None:
        super().__init__(key)


class NotAllowed(ConsoleError):  # noqa: N818
    """Whoever asks may not do this."""

    status = HTTPStatus.FORBIDDEN


class Missing(ConsoleError):  # noqa: N818
    """There is no such thing, or not for whoever asks."""

    status = HTTPStatus.NOT_FOUND


class Conflict(ConsoleError):  # noqa: N818
    """It cannot be done as things stand: often somebody was quicker."""

    status = HTTPStatus.CONFLICT


class Stale(ConsoleError):  # noqa: N818
    """It has changed since it was looked at."""

    status = HTTPStatus.PRECONDITION_FAILED


class TooMany(ConsoleError):  # noqa: N818
    """Requests come too fast; ``seconds`` says when there may be another."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, seconds: int) -> None:
        super().__init__("too_many", seconds=str(seconds))
        self.headers = {"Retry-After": str(seconds)}


class TooLarge(ConsoleError, HTTPException):  # noqa: N818
    """A request is larger than ``most`` bytes.

    An exception of the framework too: it comes out of reading a body, where others are taken for broken JSON.
    """

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    def __init__(self, most: int) -> None:
        ConsoleError.__init__(self, "too_large", limit=f"{most // 1024} KiB")
        self.status_code, self.detail = self.status, str(self)


def _said(detail: Said, language: Language) -> str:
    if isinstance(detail, str):
        return detail
    if isinstance(detail, Word):
        return detail.say(language)
    return ("、" if language is Language.ZH else ", ").join(each.say(language) for each in detail)
