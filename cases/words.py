"""Words for people, in the languages of the desk and the crews: of dispatch in ``words.toml``, of limits beside it."""

import string
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from devices.shapes import convert


class Language(StrEnum):
    """The languages in which Cityward speaks to people."""

    EN = "en"
    ZH = "zh"


class Section(StrEnum):
    """What a word stands for."""

    STATES = "states"
    EVENTS = "events"
    HEADLINES = "headlines"
    PROBLEMS = "problems"
    SEVERITIES = "severities"
    REASONS = "reasons"
    COLOURS = "colours"
    FINDINGS = "findings"
    DETAILS = "details"
    LABELS = "labels"
    PAGE = "page"
    ALARM_STATES = "alarm_states"
    ALARM_EVENTS = "alarm_events"
    SCORECARD = "scorecard"
    REPORTS = "reports"
    COLUMNS = "columns"
    TABLES = "tables"
    EXPLAIN = "explain"
    LIMITS = "limits"
    SOURCES = "sources"


class Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A word; a problem with ``merges_into`` is handled in one case with that other problem."""

    en: str
    zh: str
    merges_into: str = ""

    def say(self, language: Language) -> str:
        """The word in a language."""
        return self.zh if language is Language.ZH else self.en


@cache
def vocabulary() -> dict[Section, dict[str, Word]]:
    """Every word, by section and key."""
    files = [Path(__file__).with_name(name) for name in ("words.toml", "limits.toml")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return convert(tomllib.loads(text), dict[Section, dict[str, Word]])


def say(section: Section, key: str, language: Language) -> str:
    """The word for a key; the key itself where there is none, as for a problem of a city's own rule."""
    word = vocabulary()[section].get(key)
    return word.say(language) if word else key


class _Sentence(string.Formatter):
    def format_field(self, value: object, format_spec: str) -> str:
        one, bar, many = format_spec.partition("|")
        if not bar:
            return format(value, format_spec)
        return one if str(value) == "1" else many


def fill(sentence: str, values: Mapping[str, object]) -> str:
    """A sentence with what stands in its braces; ``{count:alarm|alarms}`` is the word for one, or for so many."""
    filled: str = _Sentence().vformat(sentence, (), values)
    return filled


def problem_of_case(problem: str) -> str:
    """The problem under which a case is opened: a flipped cover is the same job as an open one."""
    word = vocabulary()[Section.PROBLEMS].get(problem)
    return word.merges_into if word and word.merges_into else problem
