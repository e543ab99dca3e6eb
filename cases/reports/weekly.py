"""The weekly supervision list (周督查): what is overdue, which sheets were issued, who has not answered."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cases.policy import Colour
from cases.reports.document import Cell, Column, Name, Part, Shape, named
from cases.standing import Standing
from cases.words import Section

_SUMMARY = (
    Column("unit"),
    Column("open", Shape.COUNT),
    Column("late_cases", Shape.COUNT),
    Column("white", Shape.COUNT),
    Column("yellow", Shape.COUNT),
    Column("red", Shape.COUNT),
    Column("unanswered", Shape.COUNT),
    Column("points", Shape.COUNT),
)
_OVERDUE = (
    Column("colour", Shape.WORD, Section.COLOURS),
    Column("number"),
    Column("unit"),
    Column("district"),
    Column("problem", Shape.WORD, Section.PROBLEMS),
    Column("severity", Shape.WORD, Section.SEVERITIES),
    Column("facility"),
    Column("road"),
    Column("fix_by", Shape.MOMENT),
    Column("late", Shape.SPAN),
    Column("state", Shape.WORD, Section.STATES),
)
_SHEETS = (
    Column("colour", Shape.WORD, Section.COLOURS),
    Column("sheet"),
    Column("number"),
    Column("unit"),
    Column("because", Shape.WORD, Section.REASONS),
    Column("issued_at", Shape.MOMENT),
    Column("reply_by", Shape.MOMENT),
    Column("answered_at", Shape.MOMENT),
    Column("answer"),
    Column("points", Shape.COUNT),
)


@dataclass(frozen=True, slots=True)
class IssuedSheet:
    """A supervision sheet of the week; times aware, in UTC."""

    number: str
    case_number: str
    unit: str
    colour: Colour
    because: str
    points: int
    issued_at: datetime
    reply_by: datetime
    answered_at: datetime | None
    answer: str

    def waits(self, at: datetime) -> bool:
        """Whether its time to be answered had passed without an answer."""
        return self.reply_by <= at and (self.answered_at is None or self.answered_at > at)


def weekly(
    standings: Sequence[Standing], sheets: Sequence[IssuedSheet], names: Mapping[str, Name], at: datetime
) -> list[Part]:
    """The parts: units, overdue cases with the gravest and longest first, sheets of the week."""
    late = sorted((case for case in standings if case.overdue), key=lambda case: (-case.colour, case.fix_by))
    return [
        Part("units", _SUMMARY, _summary(standings, sheets, names, at)),
        Part("overdue_cases", _OVERDUE, [_overdue(case, names, at) for case in late]),
        Part("sheets", _SHEETS, [_sheet(sheet, names, at) for sheet in sheets]),
    ]


def _summary(
    standings: Sequence[Standing], sheets: Sequence[IssuedSheet], names: Mapping[str, Name], at: datetime
) -> list[tuple[Cell, ...]]:
    opened = Counter(case.unit for case in standings if case.counted)
    late = Counter(case.unit for case in standings if case.overdue)
    issued = Counter((sheet.unit, sheet.colour) for sheet in sheets)
    waiting = Counter(sheet.unit for sheet in sheets if sheet.waits(at))
    points = Counter[str]()
    for sheet in sheets:
        points[sheet.unit] += sheet.points
    colours = (Colour.WHITE, Colour.YELLOW, Colour.RED)
    return [
        (named(names, unit), opened[unit], late[unit], *(issued[unit, colour] for colour in colours), waiting[unit],
         points[unit])
        for unit in sorted({*opened, *points}, key=lambda unit: (points[unit], -late[unit], unit))
    ]  # fmt: skip


def _overdue(case: Standing, names: Mapping[str, Name], at: datetime) -> tuple[Cell, ...]:
    return (
        case.colour, case.number, named(names, case.unit), named(names, case.district), case.problem, case.severity,
        case.facility, case.road, case.fix_by, at - case.fix_by, case.state,
    )  # fmt: skip


def _sheet(sheet: IssuedSheet, names: Mapping[str, Name], at: datetime) -> tuple[Cell, ...]:
    answered = sheet.answered_at is not None and sheet.answered_at <= at
    return (
        sheet.colour, sheet.number, sheet.case_number, named(names, sheet.unit), sheet.because, sheet.issued_at,
        sheet.reply_by, sheet.answered_at if answered else None, sheet.answer if answered else "", sheet.points,
    )  # fmt: skip
