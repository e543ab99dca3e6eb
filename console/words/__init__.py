"""The console's own words in English and Chinese: a file for each part of it, sections of their own in each."""

import tomllib
from functools import cache
from pathlib import Path

from cases.words import Language, Word
from devices.shapes import convert


@cache
def _vocabulary() -> dict[str, dict[str, Word]]:
    sections: dict[str, dict[str, Word]] = {}
    for file in sorted(Path(__file__).parent.glob("*.toml")):
        sections |= convert(tomllib.loads(file.read_text(encoding="utf-8")), dict[str, dict[str, Word]])
    return sections


def entry(key: str) -> Word:
    """The word for ``section.name``, in all languages.

    Raises:
        KeyError: for a key that no file has: a page asks for what nobody has written.
    """
    section, name = key.split(".")
    return _vocabulary()[section][name]


def word(key: str, language: Language) -> str:
    """The word for ``section.name`` in a language."""
    return entry(key).say(language)


def named(section: str, name: str, language: Language) -> str:
    """The word for a name that a city may have made up itself; the name where nobody has written a word."""
    known = _vocabulary()[section].get(name)
    return known.say(language) if known else name


def section(name: str, language: Language) -> dict[str, str]:
    """All words of a section in a language, by name."""
    return {key: each.say(language) for key, each in _vocabulary()[name].items()}
