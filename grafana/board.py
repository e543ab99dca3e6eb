"""What a board is made of, apart from how Grafana writes it down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cases.words import Language


@dataclass(frozen=True, slots=True)
class Text:
    """Words in the languages of the centre."""

    en: str
    zh: str

    def say(self, language: Language) -> str:
        """The words in a language."""
        return self.zh if language is Language.ZH else self.en


class Look(StrEnum):
    """How a panel shows what its query returns.

    ``SERIES`` wants a column ``time`` and one number a line, or ``time``, ``metric``, ``value``; ``BARS`` a word and
    numbers; ``GAUGES`` and ``STAT`` numbers, one tile a column or a row; ``MAP`` the columns ``lat`` and ``lon``.
    """

    STAT = "stat"
    SERIES = "series"
    TABLE = "table"
    BARS = "bars"
    GAUGES = "gauges"
    MAP = "map"
    STATES = "states"


class Colour(StrEnum):
    """Grafana's names of colours, by what they say here."""

    GOOD = "green"
    NOTICE = "blue"
    WATCH = "yellow"
    BAD = "orange"
    WORST = "red"
    QUIET = "gray"


LOWEST = float("-inf")


@dataclass(frozen=True, slots=True)
class Step:
    """From this value on, this colour. What is below the first is green, unless that one begins ``LOWEST``."""

    at: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Said:
    """A stored word or number as people read it."""

    value: str
    text: Text
    colour: Colour | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """How a column of the result is shown: its heading, unit (Grafana's id), words, colours, link.

    ``link`` is an address with Grafana's variables in it, such as ``${__data.fields.device_id}``. ``hidden`` columns
    are there for links and maps only.
    """

    title: Text
    unit: str = ""
    decimals: int | None = None
    words: tuple[Said, ...] = ()
    steps: tuple[Step, ...] = ()
    link: str = ""
    width: int = 0
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel; ``name`` is that of its query in ``sql/<board>.sql``.

    ``width`` of the board's 24 columns, ``height`` in Grafana's grid rows of about 30 pixels. ``columns`` by the names
    the query gives. ``steps`` colour what has no column of its own.
    """

    name: str
    title: Text
    look: Look
    about: Text | None = None
    unit: str = ""
    decimals: int | None = None
    low: float | None = None
    high: float | None = None
    steps: tuple[Step, ...] = ()
    columns: Mapping[str, Column] = field(default_factory=dict)
    link: str = ""
    width: int = 8
    height: int = 8


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading."""

    title: Text
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """What a reader of a board may choose; ``name`` is that of its query in ``sql/variables.sql``.

    ``one``: exactly one value instead of several or all. ``hidden``: its first value, which readers do not see.
    """

    name: str
    title: Text
    one: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A dashboard. ``uid`` never changes: addresses and links are made of it."""

    uid: str
    title: Text
    about: Text
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()
    since: str = "now-24h"
    refresh: str = "1m"
    annotations: tuple[str, ...] = ("alarms",)

    @property
    def panels(self) -> list[Panel]:
        """Every panel of every row."""
        return [panel for row in self.rows for panel in row.panels]
