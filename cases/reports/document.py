"""A report: tables of cells that say the same in every language, and how they are shown to people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from cases.policy import Colour
from cases.words import Language, Section, say


class Name(NamedTuple):
    """What something is called; ``key`` is its id, which stands where it has no name."""

    key: str
    en: str = ""
    zh: str = ""

    def say(self, language: Language) -> str:
        """The name in a language."""
        return (self.zh if language is Language.ZH else self.en) or self.key


def named(names: Mapping[str, Name], key: str) -> Name:
    """What the unit or district of an id is called; its id where nobody says."""
    return names.get(key, Name(key))


Cell: TypeAlias = str | int | float | datetime | date | timedelta | Name | None


class Shape(StrEnum):
    """How a cell is shown."""

    TEXT = "text"
    WORD = "word"  # a key of ``cases/words.toml``
    COUNT = "count"
    SHARE = "share"  # from 0 to 1
    SCORE = "score"
    MOMENT = "moment"  # aware, UTC
    SPAN = "span"  # a duration, in hours


@dataclass(frozen=True, slots=True)
class Column:
    """A column; its heading is the word for ``key``. ``words`` is the section of a word.

    What is ``in_files`` only would be too much on a screen.
    """

    key: str
    shape: Shape = Shape.TEXT
    words: Section | None = None
    in_files: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A table; its title is the word for ``key``. Rows may come from a database while they are written."""

    key: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Report:
    """A report of a stretch of local days, ``first`` to ``last`` included, as of ``at`` (aware, UTC)."""

    key: str
    period: str
    city: Name
    zone: tzinfo
    first: date
    last: date
    at: datetime
    parts: Sequence[Part]
    notes: Mapping[str, str] = field(default_factory=dict)


def on_screen(part: Part) -> Part:
    """The table with the columns that a screen has room for."""
    places = [place for place, column in enumerate(part.columns) if not column.in_files]
    rows = ([row[place] for place in places] for row in part.rows)
    return Part(part.key, [part.columns[place] for place in places], rows)


def heading(key: str, language: Language) -> str:
    """A title or a column's heading."""
    return say(Section.REPORTS, key, language)


def title(report: Report, language: Language) -> str:
    """What stands at its top: city, report, period."""
    return f"{report.city.say(language)} · {heading(report.key, language)} · {report.period}"


def subtitle(report: Report, language: Language) -> str:
    """The days that it is about, the moment of which it tells, and notes such as who closed the month."""
    days = f"{report.first:%Y-%m-%d} - {report.last:%Y-%m-%d}"
    as_of = f"{heading('as_of', language)} {local(report.at, report.zone)}"
    notes = (f"{heading(key, language)} {text}" for key, text in report.notes.items())
    return " · ".join([days, as_of, *notes])


def shown(column: Column, cell: Cell, language: Language, zone: tzinfo) -> str:
    """A cell as text for people; empty where there is nothing."""
    if cell is None:
        return ""
    if isinstance(cell, Name):
        return cell.say(language)
    if isinstance(cell, datetime):
        return local(cell, zone)
    if isinstance(cell, timedelta):
        return f"{cell / timedelta(hours=1):.1f} h"
    if isinstance(cell, float):
        return f"{cell:.1%}" if column.shape is Shape.SHARE else f"{cell:.1f}"
    return wording(column, cell, language)


def wording(column: Column, cell: str | int | date, language: Language) -> str:
    """A word of dispatch for its key, where the column is of words; anything else as it is."""
    if column.words is None:
        return str(cell)
    key = cell.name.lower() if isinstance(cell, Colour) else str(cell)
    return say(column.words, key, language) if cell else ""


def local(at: datetime, zone: tzinfo) -> str:
    """A moment in the city's time, to the minute."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
