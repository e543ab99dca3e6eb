"""The monthly bulletin (月通报) and the quarterly scores (季测评)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter

from cases.indicators import Counts, indicators
from cases.reports.document import Cell, Column, Name, Part, Shape, named
from cases.reports.scores import FIGURES, SCORED, Scored, added, figures, score_part
from cases.standing import By, Standing, grouped, tally
from cases.words import Section

_TARGETS = (
    Column("figure", Shape.WORD, Section.REPORTS),
    Column("actual", Shape.SCORE),
    Column("target", Shape.SCORE),
    Column("measured_in", Shape.WORD, Section.REPORTS),
    Column("met", Shape.WORD, Section.REPORTS),
)
_PROBLEMS = (Column("problem", Shape.WORD, Section.PROBLEMS), *FIGURES)
_CORRECTIONS = (
    Column("number"),
    Column("unit"),
    Column("correction", Shape.WORD, Section.REPORTS),
    Column("was"),
    Column("is"),
)
_MONTHS = (
    Column("period"),
    Column("should_handle", Shape.COUNT),
    Column("closed_at", Shape.MOMENT),
    Column("closed_by"),
)
_MOST = 10  # roads that are named


@dataclass(frozen=True, slots=True)
class Target:
    """A figure of the city and what it should be, in ``unit``, percent or decibel.

    ``actual`` is None where nothing is known. With ``below`` it should be less than the target, else that or more.
    """

    key: str
    unit: str
    actual: float | None
    target: float
    below: bool = False

    @property
    def met(self) -> str:
        """The word for it; empty where nothing is known."""
        if self.actual is None:
            return ""
        return "yes" if (self.actual < self.target if self.below else self.actual >= self.target) else "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthRead:
    """What was read of a month: cases due in it, and the scores, which are frozen where ``closed_at`` is something.

    ``opened`` counts cases opened in the month.
    """

    name: str
    cases: Sequence[Standing]
    scores: Mapping[By, Sequence[Scored]]
    opened: int = 0
    closed_at: datetime | None = None
    closed_by: str = ""

    @property
    def total(self) -> Counts:
        """Everybody's counts."""
        return added(row.counts for row in self.scores[By.UNIT])


def monthly(
    month: MonthRead,
    earlier: MonthRead,
    targets: Sequence[Target],
    now: Sequence[Standing],
    names: Mapping[str, Name],
) -> list[Part]:
    """The parts of a bulletin; for a closed month also what ``now`` differs, case by case."""
    parts = [_totals(month, earlier), *_rankings(month, earlier, now), _problems(month.cases), _roads(month.cases)]
    if targets:
        parts.append(Part("targets", _TARGETS, [_target(each) for each in targets]))
    if month.closed_at:
        parts.append(Part("corrections", _CORRECTIONS, corrections(month.cases, now, names)))
    return parts


def quarterly(months: Sequence[MonthRead]) -> list[Part]:
    """The parts: scores by unit, district, street and grid over the quarter's months, with those of each month."""
    closing = [(month.name, month.total.should_handle, month.closed_at, month.closed_by) for month in months]
    parts = [Part("months", _MONTHS, closing)]
    for by in SCORED:
        rows: defaultdict[Name, list[Counts]] = defaultdict(list)
        for month in months:
            for row in month.scores[by]:
                rows[row.name].append(row.counts)
        quarter = [Scored.of(name, added(counts)) for name, counts in rows.items()]
        beside = [(month.name, {row.name.key: row.score for row in month.scores[by]}) for month in months]
        parts.append(score_part(by, quarter, beside))
    return parts


def corrections(then: Sequence[Standing], now: Sequence[Standing], names: Mapping[str, Name]) -> list[tuple[Cell, ...]]:
    """What is counted otherwise now than when the month was closed, case by case.

    ``now`` has the cases of then, wherever their deadline is by now, and those that have come into the month since.
    """
    before = {case.id: case for case in then}
    rows: list[tuple[Cell, ...]] = []
    for case in sorted(now, key=lambda case: case.number):
        was, unit = before.get(case.id), named(names, case.unit)
        if was is None:
            rows.append((case.number, unit, "joined_since", "", f"{case.fix_by:%Y-%m-%d}"))
            continue
        if was.unit != case.unit:
            rows.append((case.number, unit, "unit", was.unit, case.unit))
        if was.fix_by != case.fix_by:
            rows.append((case.number, unit, "fix_by", f"{was.fix_by:%Y-%m-%d}", f"{case.fix_by:%Y-%m-%d}"))
        one, other = tally([was]), tally([case])
        rows += [
            (case.number, unit, each.name, str(getattr(one, each.name)), str(getattr(other, each.name)))
            for each in fields(Counts)
            if getattr(one, each.name) != getattr(other, each.name)
        ]
    return rows


def _totals(month: MonthRead, earlier: MonthRead) -> Part:
    columns = (Column("period"), Column("opened", Shape.COUNT), *FIGURES)
    rows = [(each.name, each.opened, *figures(each.total, indicators(each.total).score)) for each in (month, earlier)]
    return Part("totals", columns, rows)


def _rankings(month: MonthRead, earlier: MonthRead, now: Sequence[Standing]) -> list[Part]:
    parts = []
    for by in (By.UNIT, By.DISTRICT, By.STREET):
        beside: list[tuple[str, Mapping[str, float | None]]] = [
            ("month_before", {row.name.key: row.score for row in earlier.scores[by]})
        ]
        if month.closed_at:
            groups = grouped(now, attrgetter(by)).items()
            beside.append(("score_now", {key: indicators(tally(cases)).score for key, cases in groups}))
        parts.append(score_part(by, month.scores[by], beside))
    return parts


def _problems(cases: Sequence[Standing]) -> Part:
    return Part("problems", _PROBLEMS, _most_common(grouped(cases, attrgetter("problem"))))


def _roads(cases: Sequence[Standing]) -> Part:
    rows = _most_common(grouped((case for case in cases if case.road), attrgetter("road")))
    return Part("roads", (Column("road"), *FIGURES), rows[:_MOST])


def _most_common(groups: Mapping[str, Sequence[Standing]]) -> list[tuple[Cell, ...]]:
    """Figures by name, those with most to handle first; names with nothing to handle are left out."""
    counted = [(name, counts) for name, group in groups.items() if (counts := tally(group)).should_handle]
    counted.sort(key=lambda row: -row[1].should_handle)
    return [(name, *figures(counts, indicators(counts).score)) for name, counts in counted]


def _target(target: Target) -> tuple[Cell, ...]:
    return (target.key, target.actual, target.target, target.unit, target.met)
