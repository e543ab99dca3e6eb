"""How well a seat's alarms can be handled: the figures of ISA-18.2 and EEMUA 191 against their targets. Pure.

A seat is a district's desk or a unit, for all the time or in one shift. Only what was announced counts: what is
shelved, suppressed, out of service or counted as chatter asks nobody for anything, and hushes are counted beside it.
Windows of ten minutes without an alarm count as well; they begin with each watch, so that of a flood about the end of a
shift each shift has its own part.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from alarms.lifecycle import Event
from rules.rule import Severity

WINDOW = timedelta(minutes=10)
FLOOD = 10  # alarms in a window; more are a flood
HUSHES = (Event.SUPPRESSED, Event.SHELVED, Event.TAKEN_OUT)
_TOP = 10

Watch = tuple[datetime, datetime]  # from when until before when, aware


class By(StrEnum):
    """What a seat is."""

    DISTRICT = "district"
    UNIT = "unit"  # of the alarm's latest case


class Grade(StrEnum):
    """How a figure stands to its targets."""

    GOOD = "good"
    BEARABLE = "bearable"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its targets: ``good`` up to the first, ``bearable`` up to the second, where there is one."""

    name: str
    value: float | None
    good: float
    bearable: float | None = None

    @property
    def grade(self) -> Grade | None:
        """None where there is nothing to judge."""
        if self.value is None:
            return None
        if self.value <= self.good:
            return Grade.GOOD
        return Grade.BEARABLE if self.bearable is not None and self.value <= self.bearable else Grade.BAD


@dataclass(frozen=True, slots=True)
class Happening:
    """An alarm was announced (``RAISED``), chattered or was hushed; ``at`` is when Cityward decided, aware.

    ``seat`` is None where the alarm has no case and seats are units.
    """

    seat: str | None
    event: Event
    at: datetime
    severity: Severity
    rule_id: str
    device_id: str


@dataclass(frozen=True, slots=True)
class Stale:
    """An alarm that has been active for more than 24 h, and is not hushed; ``since`` is aware."""

    seat: str | None
    alarm: int
    rule_id: str
    device_id: str
    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Seat:
    """What happened at one seat in its watches.

    ``windows`` are the numbers of alarms in those ten-minute windows that had one, out of ``all_windows``. ``top`` are
    the most frequent alarms, as rule and device id, with their numbers. ``stale`` are those at the end, the oldest
    first, whoever is on watch: every shift has them before it.
    """

    name: str | None
    all_windows: int
    windows: Sequence[int] = ()
    by_severity: Mapping[Severity, int] = field(default_factory=dict)
    top: Sequence[tuple[str, str, int]] = ()
    chattering: int = 0
    stale: Sequence[Stale] = ()
    hushed: Mapping[Event, int] = field(default_factory=dict)
    shift: str | None = None


def seat_of(
    name: str | None,
    happened: Iterable[Happening],
    watches: Sequence[Watch],
    *,
    stale: Sequence[Stale] = (),
    shift: str | None = None,
) -> Seat:
    """The seat with what happened in its watches, which are in order and do not overlap."""
    begins = [begin for begin, _ in watches]
    windows: Counter[tuple[int, int]] = Counter()
    severities: Counter[Severity] = Counter()
    alarms: Counter[tuple[str, str]] = Counter()
    others: Counter[Event] = Counter()
    for each in happened:
        place = bisect_right(begins, each.at) - 1
        if place < 0 or each.at >= watches[place][1]:
            continue
        if each.event is Event.RAISED:
            windows[place, (each.at - begins[place]) // WINDOW] += 1
            severities[each.severity] += 1
            alarms[each.rule_id, each.device_id] += 1
        else:
            others[each.event] += 1
    return Seat(
        name=name,
        all_windows=sum(ceil((end - begin) / WINDOW) for begin, end in watches),
        windows=list(windows.values()),
        by_severity=severities,
        top=[(*alarm, count) for alarm, count in alarms.most_common(_TOP)],
        chattering=others[Event.CHATTERING],
        stale=stale,
        hushed={event: others[event] for event in HUSHES},
        shift=shift,
    )


def between(watches: Iterable[Watch], since: datetime, until: datetime) -> Iterator[Watch]:
    """The time from ``since`` to ``until`` that is in none of the watches, in order."""
    for begin, end in sorted(watches):
        if since < begin:
            yield since, begin
        since = max(since, end)
    if since < until:
        yield since, until


def figures(seat: Seat) -> list[Figure]:
    """The seat's figures."""
    alarms = sum(seat.windows)
    average = alarms / seat.all_windows if seat.all_windows else None
    floods = sum(count > FLOOD for count in seat.windows)
    flood_share = floods / seat.all_windows if seat.all_windows else None
    top = sum(count for *_, count in seat.top) / alarms if alarms else None
    return [
        Figure("per_ten_minutes", average, 1, 2),
        Figure("most_in_ten_minutes", max(seat.windows, default=0), FLOOD),
        Figure("flood_share", flood_share, 0.01),
        Figure("chattering", seat.chattering, 0),
        Figure("stale", len(seat.stale), 4),
        Figure("medium_share", _share(seat, Severity.MAJOR), 0.15, 0.25),
        Figure("high_share", _share(seat, Severity.CRITICAL), 0.05, 0.10),
        Figure("top_ten_share", top, 0.05),
    ]


def _share(seat: Seat, severity: Severity) -> float | None:
    alarms = sum(seat.by_severity.values())
    return seat.by_severity.get(severity, 0) / alarms if alarms else None
