"""Scores of units and areas, in order: frozen where a month was closed, else as they stand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cases.indicators import Counts, indicators
from cases.reports.document import Cell, Column, Name, Part, Shape
from cases.standing import By

# What is scored, and frozen when a month is closed; as the words for their tables' titles.
SCORED = {By.UNIT: "units", By.DISTRICT: "districts", By.STREET: "streets", By.GRID: "grids"}
FIGURES = (
    Column("should_handle", Shape.COUNT),
    Column("handled", Shape.COUNT),
    Column("handling", Shape.SHARE),
    Column("on_time", Shape.SHARE),
    Column("closure", Shape.SHARE),
    Column("rework", Shape.SHARE),
    Column("delay", Shape.SHARE),
    Column("overdue", Shape.SHARE),
    Column("accuracy", Shape.SHARE),
    Column("points", Shape.COUNT),
    Column("score", Shape.SCORE),
)


@dataclass(frozen=True, slots=True)
class Scored:
    """A unit or an area with its counts; ``score`` by the formula of the day on which it was frozen."""

    name: Name
    counts: Counts
    score: float | None

    @classmethod
    def of(cls, name: Name, counts: Counts) -> "Scored":
        """By today's formula."""
        return cls(name, counts, indicators(counts).score)


def figures(counts: Counts, score: float | None) -> tuple[Cell, ...]:
    """The cells of ``FIGURES``."""
    of = indicators(counts)
    shares = (of.handling, of.on_time, of.closure, of.rework, of.delay, of.overdue, of.accuracy)
    return (counts.should_handle, counts.handled, *shares, counts.points, score)


def ranked(scored: Iterable[Scored]) -> list[tuple[int | None, Scored]]:
    """The best first; equal scores share a rank, and who had nothing to handle has none."""
    rows = sorted(scored, key=lambda row: (row.score is None, -(row.score or 0.0), row.name.key))
    places: list[tuple[int | None, Scored]] = []
    for number, row in enumerate(rows, 1):
        above = places[-1] if places else None
        tied = above is not None and above[1].score == row.score
        rank = above[0] if above is not None and tied else number
        places.append((None if row.score is None else rank, row))
    return places


def score_part(by: By, scored: Iterable[Scored], beside: Sequence[tuple[str, Mapping[str, float | None]]]) -> Part:
    """A ranking; ``beside`` are further scores by key, each with the word for its heading."""
    columns = [Column("rank", Shape.COUNT), Column(by), *FIGURES, *(Column(key, Shape.SCORE) for key, _ in beside)]
    rows = [
        (rank, row.name, *figures(row.counts, row.score), *(scores.get(row.name.key) for _, scores in beside))
        for rank, row in ranked(scored)
    ]
    return Part(SCORED[by], columns, rows)


def added(counts: Iterable[Counts]) -> Counts:
    """The counts of several months, or of everybody, together."""
    every = [*counts]
    return Counts(**{name: sum(getattr(each, name) for each in every) for name in Counts.__slots__})
