"""What can go wrong when somebody asks something of the console: each with a key, words and a status of HTTP."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import ClassVar

from cases.words import Language, Word
from console.words import word

Said = str | Word | Sequence[Word]


class ConsoleError(Exception):
    """Something asked cannot be done, and nothing of it was.

    Args:
        key: What it is, in the section ``problem`` of the console's words.
        details: What the words leave open, themselves words where they differ by language.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST

    def __init__(self, key: str, **details: Said) -> None:
        self.key = key
        self.details = details
        self.headers: dict[str, str] = {}
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


def _said(detail: Said, language: Language) -> str:
    if isinstance(detail, str):
        return detail
    if isinstance(detail, Word):
        return detail.say(language)
    return ("、" if language is Language.ZH else ", ").join(each.say(language) for each in detail)
