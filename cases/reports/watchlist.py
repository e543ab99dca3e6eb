"""The watch list of restaurants (进出笼子): in with the alarm of repeated excess, out when that alarm is over.

The rule is FU-02: over the limit on three days of seven puts a restaurant in, seven clean days take it out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from alarms.lifecycle import Event
from cases.reports.document import Cell, Column, Name, Part, Shape, named
from cases.words import Section

RULE = "FU-02"
_IN = frozenset({Event.RAISED, Event.REPEATED})
_OUT = frozenset({Event.CLEARED, Event.RESET})
EVENTS = tuple(sorted(_IN | _OUT))
_RESTAURANTS = (
    Column("restaurant"),
    Column("district"),
    Column("road"),
    Column("in_at", Shape.MOMENT),
    Column("out_at", Shape.MOMENT),
    Column("days", Shape.COUNT),
    Column("number"),
)
_COUNTS = (Column("figure", Shape.WORD, Section.REPORTS), Column("restaurants", Shape.COUNT))


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """Something that happened to an alarm of the rule; ``number`` is the case that it belongs to, if any."""

    restaurant: str
    name: str
    district: str
    road: str
    event: Event
    at: datetime
    number: str


@dataclass(slots=True)
class Stay:
    """A restaurant's time on the list."""

    first: WatchEvent
    out_at: datetime | None = field(default=None)


def stays(events: Iterable[WatchEvent]) -> list[Stay]:
    """Times on the list, in the order in which they began; events come in the order in which they were written."""
    made: list[Stay] = []
    inside: dict[str, Stay] = {}
    for event in events:
        if event.event in _IN and event.restaurant not in inside:
            inside[event.restaurant] = Stay(event)
            made.append(inside[event.restaurant])
        elif event.event in _OUT and event.restaurant in inside:
            inside.pop(event.restaurant).out_at = event.at
    return sorted(made, key=lambda stay: (stay.first.at, stay.first.restaurant))


def watchlist(
    events: Iterable[WatchEvent], names: Mapping[str, Name], since: datetime, until: datetime, at: datetime
) -> list[Part]:
    """The parts: how many came in, went out and are on it; each stay that touches the stretch of time."""
    end = min(until, at)
    touched = [stay for stay in stays(events) if stay.first.at < end and (stay.out_at is None or stay.out_at >= since)]
    gone = [stay for stay in touched if stay.out_at is not None and stay.out_at < end]
    counts: Sequence[tuple[Cell, ...]] = [
        ("came_in", sum(stay.first.at >= since for stay in touched)),
        ("went_out", len(gone)),
        ("on_it", len(touched) - len(gone)),
    ]
    return [
        Part("counts", _COUNTS, counts),
        Part("watchlist_stays", _RESTAURANTS, [_row(stay, names, end) for stay in touched]),
    ]


def _row(stay: Stay, names: Mapping[str, Name], end: datetime) -> tuple[Cell, ...]:
    first = stay.first
    out_at = stay.out_at if stay.out_at is not None and stay.out_at < end else None
    days = ((out_at or end) - first.at).days
    return (
        first.name or first.restaurant,
        named(names, first.district),
        first.road,
        first.at,
        out_at,
        days,
        first.number,
    )
