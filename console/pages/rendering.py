"""Pages from templates: words in the visitor's language, everything escaped, nothing undefined."""

from functools import partial
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cases.words import Language, Section, say
from console.identity import Visitor
from console.words import word

_FOLDER = Path(__file__).parent.parent / "templates"
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def page(
    name: str, request: Request, language: Language, who: Visitor | None = None, status: int = 200, **shown: Any
) -> HTMLResponse:
    """A template as an answer; in it ``_('section.name')`` is a word and ``say(...)`` one of dispatch."""
    text = _ENVIRONMENT.get_template(name).render(
        _=partial(word, language=language),
        say=lambda section, key: say(Section(section), key, language),
        language=language.value,
        who=who,
        token=who.token if who else "",
        path=request.url.path,
        **shown,
    )
    return HTMLResponse(text, status)
