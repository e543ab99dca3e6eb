"""Jobs: when they are due, what their measures are asked for, what a rule makes of the answer. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta

import numpy as np

from devices.registry import Registry
from rules.frame import Frame
from rules.judging import judge
from rules.local_time import LocalTime
from rules.measures import Measure
from rules.remembering import Memory
from rules.rule import Rule
from rules.spells import Spells
from rules.verdicts import RuleCrash, Verdicts
from rules.windows import blank


@dataclass(frozen=True, slots=True)
class Moments:
    """What a measure is asked for at ``at``; everything in microseconds since 1970 UTC.

    A night is of the day on whose evening it belongs. ``nights`` are those of a month that are over, up to the last
    one; ``day`` is the last time between two nights that is over.
    """

    at: int
    day: tuple[int, int]
    nights: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, local_time: LocalTime, at: int) -> "Moments":
        """The moments that belong to a time."""
        today = local_time.day(at)
        spans = [_day(local_time, today - timedelta(days=back)) for back in (1, 0)]
        evening = today - timedelta(days=1 if local_time.instant(today, local_time.night_end) <= at else 2)
        nights = [_night(local_time, evening.replace(day=number + 1)) for number in range(evening.day)]
        return cls(at, max(span for span in spans if span[1] <= at), tuple(nights))


def due(local_time: LocalTime, clock: time, after: int, until: int) -> list[int]:
    """The instants later than ``after`` and not later than ``until`` at which local clocks show a time."""
    day, last = local_time.day(after), local_time.day(until)
    days = [day + timedelta(days=number) for number in range((last - day).days + 1)]
    return [at for each in days if after < (at := local_time.instant(each, clock)) <= until]


def judge_figures(
    rule: Rule,
    measure: Measure,
    at: int,
    figures: Mapping[int, Mapping[str, float | None]],
    registry: Registry,
    local_time: LocalTime,
    memory: Memory,
    *,
    permits: Spells,
) -> Verdicts:
    """What a rule finds in the figures of groups, by number of the group; a crash benches it."""
    groups = np.array(sorted(figures), dtype=np.int64)
    rows = blank(measure.figures, groups, np.full(len(groups), at, dtype=np.int64))
    for row, group in enumerate(groups.tolist()):
        for name, value in figures[group].items():
            rows.values[row, measure.figures.position[name]] = np.nan if value is None else value
    verdicts = Verdicts()
    try:
        judge(rule, Frame(rows, registry, local_time, permits), memory, verdicts)
    except Exception as error:  # noqa: BLE001 - whatever a rule does, the others go on
        return Verdicts(crashes=[RuleCrash(rule.id, f"{type(error).__name__}: {error}")])
    return verdicts


def _day(local_time: LocalTime, day: date) -> tuple[int, int]:
    end = local_time.night_start if local_time.night_start > local_time.night_end else time()
    after = day if end else day + timedelta(days=1)
    return local_time.instant(day, local_time.night_end), local_time.instant(after, end)


def _night(local_time: LocalTime, evening: date) -> tuple[int, int]:
    morning = evening + timedelta(days=1)
    start = morning if local_time.night_start < local_time.night_end else evening
    return local_time.instant(start, local_time.night_start), local_time.instant(morning, local_time.night_end)
