"""What bureaus compute of their cases, by unit, grid, district, month or rule: pure formulas over counts.

A case counts in the month of its deadline. Cancelled cases, those that a parent carried and those that recovered by
themselves were nobody's to handle, and count for the precision of their rule alone.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Cases by what became of them.

    ``should_handle``: their deadline falls into the period. ``handled``: work was reported and not sent back.
    ``should_close``: work was reported at least once. ``overdue``: past the deadline and not handled. ``delayed``: more
    time was granted. ``returned``: a unit said that it was not its own. ``trips``: dispatched and concluded with a
    finding, or recovered before anybody came; ``finds`` of them had the trouble that the alarm spoke of.
    """

    should_handle: int
    handled: int
    handled_on_time: int
    should_close: int
    closed: int
    closed_on_time: int
    rework: int
    delayed: int
    overdue: int
    returned: int
    trips: int
    finds: int
    points: int


@dataclass(frozen=True, slots=True)
class Indicators:
    """Shares from 0 to 1, None where there is nothing to divide by; ``score`` from 0 to 100.

    处置率, 按期处置率, 结案率, 按期结案率, 返工率, 延期率, 超期待处置率, 准确派遣率; precision: trips that found it.
    """

    handling: float | None
    on_time: float | None
    closure: float | None
    closure_on_time: float | None
    rework: float | None
    delay: float | None
    overdue: float | None
    accuracy: float | None
    precision: float | None
    score: float | None


def indicators(counts: Counts) -> Indicators:
    """The indicators of digital urban management as cities publish them.

    What should be closed is what a unit has reported as done, also where it was sent back since. The score is a city
    district's for its departments: handling 30, on time 20, without rework 20, without overdue 20, without delay 10.
    """
    should, closing = counts.should_handle, counts.should_close
    handling, on_time = _share(counts.handled, should), _share(counts.handled_on_time, should)
    rework, delay, overdue = (
        _share(counts.rework, closing),
        _share(counts.delayed, should),
        _share(counts.overdue, should),
    )
    score = None
    if handling is not None and on_time is not None and delay is not None and overdue is not None:
        score = 30 * handling + 20 * on_time + 20 * (1 - (rework or 0.0)) + 20 * (1 - overdue) + 10 * (1 - delay)
    return Indicators(
        handling=handling,
        on_time=on_time,
        closure=_share(counts.closed, closing),
        closure_on_time=_share(counts.closed_on_time, closing),
        rework=rework,
        delay=delay,
        overdue=overdue,
        accuracy=_share(should - counts.returned, should),
        precision=_share(counts.finds, counts.trips),
        score=score,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
