"""How well a seat's alarms can be handled: the figures of ISA-18.2 and EEMUA 191 against their targets. Pure.

A seat is a district's desk. Only what was announced counts: what is shelved, suppressed, out of service or counted as
chatter asks nobody for anything. Windows of ten minutes without an alarm count as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rules.rule import Severity

WINDOW = 600  # seconds
FLOOD = 10  # alarms in a window; more are a flood


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
class Seat:
    """What happened at one seat in a stretch of time.

    ``windows`` are the numbers of alarms in those ten-minute windows that had one, out of ``all_windows``. ``top`` are
    the most frequent alarms, as rule and device id, with their numbers. ``stale`` counts alarms that have been active
    for more than 24 h.
    """

    district: str
    all_windows: int
    windows: Sequence[int] = ()
    by_severity: Mapping[Severity, int] = field(default_factory=dict)
    top: Sequence[tuple[str, str, int]] = ()
    chattering: int = 0
    stale: int = 0


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
        Figure("stale", seat.stale, 4),
        Figure("medium_share", _share(seat, Severity.MAJOR), 0.15, 0.25),
        Figure("high_share", _share(seat, Severity.CRITICAL), 0.05, 0.10),
        Figure("top_ten_share", top, 0.05),
    ]


def _share(seat: Seat, severity: Severity) -> float | None:
    alarms = sum(seat.by_severity.values())
    return seat.by_severity.get(severity, 0) / alarms if alarms else None
