"""What a window's readings come to: mean, percentile, share and the like, for all windows of a frame at once.

Every aggregate passes over what is unknown; of nothing known it is unknown itself. Those of values obey the rule's
``only``; ``count``, ``share``, ``seconds`` and ``valid`` go by all readings of the window.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

from devices.moments import MICROS
from devices.readings import Floats, Ints
from rules.durations import INTERVALS_PER_GAP
from rules.frame import Contents
from rules.truth import Bools


class Takes(Enum):
    """What an aggregate is of."""

    NUMBER = "a number"
    TRUTH = "a condition"
    ANYTHING = "a number, a word or a condition"
    MAYBE_TRUTH = "a condition, or nothing for all readings"
    MAYBE_ANYTHING = "a number, a word or a condition, or nothing for all readings"
    PAIR = "two numbers"
    SHARE = "a number, and a percentage from 0 to 100"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate. ``reduce`` gets a column with a value for each of the contents' ``rows``, NaN where unknown.

    Conditions come as 1 and 0. ``unit`` is that of the outcome; None: that of the argument. ``keeps_type`` for those
    that pick one of the values.
    """

    doc: str
    takes: Takes
    reduce: Callable[..., Floats]
    unit: str | None = None
    keeps_type: bool = False


def reduced(aggregate: Aggregate, contents: Contents, *columns: Floats, number: float = 0.0) -> Floats:
    """The aggregate of columns over the readings of ``contents.frame``, one value a window."""
    inside = []
    for column in columns:
        values = column[contents.rows]
        if contents.only is not None and aggregate.takes not in _OF_CONDITIONS:
            values = np.where(contents.only[contents.rows], values, np.nan)
        inside.append(values)
    more = (number,) if aggregate.takes is Takes.SHARE else ()
    with np.errstate(invalid="ignore", divide="ignore"):
        return aggregate.reduce(contents, *inside, *more)


_OF_CONDITIONS = {Takes.TRUTH, Takes.MAYBE_TRUTH, Takes.MAYBE_ANYTHING}


def _known(contents: Contents, x: Floats) -> tuple[Ints, Floats, Floats]:
    """The windows and the values of what is known, and how much that is in each window."""
    known = ~np.isnan(x)
    window = contents.window[known]
    return window, x[known], np.bincount(window, minlength=len(contents)).astype(np.float64)


def _total(contents: Contents, window: Ints, x: Floats) -> Floats:
    return np.bincount(window, weights=x, minlength=len(contents)).astype(np.float64)


def _mean(contents: Contents, x: Floats) -> Floats:
    window, values, count = _known(contents, x)
    return _total(contents, window, values) / np.where(count, count, np.nan)


def _sum(contents: Contents, x: Floats) -> Floats:
    window, values, count = _known(contents, x)
    return np.where(count, _total(contents, window, values), np.nan)


def _rms(contents: Contents, x: Floats) -> Floats:
    return np.sqrt(_mean(contents, x * x))


def _std(contents: Contents, x: Floats) -> Floats:
    return _rms(contents, x - _mean(contents, x)[contents.window])


def _energy_mean(contents: Contents, x: Floats) -> Floats:
    return 10 * np.log10(_mean(contents, 10 ** (x / 10)))


def _min(contents: Contents, x: Floats) -> Floats:
    return np.fmin.reduceat(x, contents.offset) if len(contents) else x


def _max(contents: Contents, x: Floats) -> Floats:
    return np.fmax.reduceat(x, contents.offset) if len(contents) else x


def _first(contents: Contents, x: Floats) -> Floats:
    window, values, _ = _known(contents, x)
    found = np.full(len(contents), np.nan)
    windows, at = np.unique(window, return_index=True)
    found[windows] = values[at]
    return found


def _last(contents: Contents, x: Floats) -> Floats:
    window, values, _ = _known(contents, x)
    found = np.full(len(contents), np.nan)
    found[window] = values  # of several the last one stays
    return found


def _percentile(contents: Contents, x: Floats, share: float) -> Floats:
    """Interpolated between the two nearest values."""
    window, values, count = _known(contents, x)
    found = np.full(len(contents), np.nan)
    some = np.flatnonzero(count)
    if not len(some):
        return found
    values = values[np.lexsort((values, window))]
    rank = (np.cumsum(count) - count)[some] + share / 100 * (count[some] - 1)
    low, high = np.floor(rank).astype(np.int64), np.ceil(rank).astype(np.int64)
    found[some] = values[low] + (values[high] - values[low]) * (rank - low)
    return found


def _median(contents: Contents, x: Floats) -> Floats:
    return _percentile(contents, x, 50)


def _count(contents: Contents, x: Floats | None = None) -> Floats:
    if x is None:
        return contents.count.astype(np.float64)
    window, values, _ = _known(contents, x)
    return _total(contents, window, values)


def _valid(contents: Contents, x: Floats | None = None) -> Floats:
    frame = contents.frame
    known: Bools = ~np.isnan(x) if x is not None else frame.believed[contents.rows]
    interval = frame.readings.kind.interval.total_seconds() * MICROS
    expected = np.maximum((contents.end - contents.start) / interval, 1)
    return np.minimum(np.bincount(contents.window[known], minlength=len(contents)) / expected, 1)


def _changes(contents: Contents, x: Floats) -> Floats:
    window, values, count = _known(contents, x)
    together = window[1:] == window[:-1]
    steps = _total(contents, window[1:], (together & (values[1:] != values[:-1])).astype(np.float64))
    return np.where(count, steps, np.nan)


def _rise(contents: Contents, x: Floats) -> Floats:
    window, values, count = _known(contents, x)
    together = window[1:] == window[:-1]
    growth = np.where(values[1:] < values[:-1], values[1:], values[1:] - values[:-1])
    return np.where(count > 1, _total(contents, window[1:], np.where(together, growth, 0)), np.nan)


def _seconds(contents: Contents, x: Floats) -> Floats:
    readings = contents.frame.readings
    gap = readings.kind.interval.total_seconds() * INTERVALS_PER_GAP
    ts = readings.ts[contents.rows]
    until = np.append(ts[1:], 0)
    until[contents.offset + contents.count - 1] = contents.end
    lasted = np.minimum((until - ts) / MICROS, gap)
    known = ~np.isnan(x)
    some = np.bincount(contents.window[known], minlength=len(contents))
    return np.where(some, _total(contents, contents.window[known], (x * lasted)[known]), np.nan)


def _correlation(contents: Contents, x: Floats, y: Floats) -> Floats:
    """Pearson's; unknown of fewer than three pairs, or where one stands still."""
    both = np.isnan(x) | np.isnan(y)
    x, y = np.where(both, np.nan, x), np.where(both, np.nan, y)
    dx, dy = x - _mean(contents, x)[contents.window], y - _mean(contents, y)[contents.window]
    enough = _known(contents, x)[2] >= 3
    spread = np.sqrt(_mean(contents, dx * dx) * _mean(contents, dy * dy))
    return np.where(enough & (spread > 0), _mean(contents, dx * dy) / spread, np.nan)


AGGREGATES: Mapping[str, Aggregate] = {
    "mean": Aggregate("the arithmetic mean", Takes.NUMBER, _mean),
    "median": Aggregate("the middle value", Takes.NUMBER, _median),
    "min": Aggregate("the smallest value", Takes.NUMBER, _min),
    "max": Aggregate("the largest value", Takes.NUMBER, _max),
    "first": Aggregate("the first known value", Takes.ANYTHING, _first, keeps_type=True),
    "last": Aggregate("the last known value", Takes.ANYTHING, _last, keeps_type=True),
    "sum": Aggregate("the sum", Takes.NUMBER, _sum),
    "std": Aggregate("the standard deviation of the values themselves (divided by n)", Takes.NUMBER, _std),
    "rms": Aggregate("the root of the mean square", Takes.NUMBER, _rms),
    "energy_mean": Aggregate(
        "the mean of levels by energy, as Leq is: 10 lg of the mean of 10^(x/10)", Takes.NUMBER, _energy_mean
    ),
    "percentile": Aggregate(
        "percentile(x, 90): the value that 90 % do not exceed, interpolated", Takes.SHARE, _percentile
    ),
    "rise": Aggregate("growth of a counter between the window's readings; after a reset it counts from zero",
                      Takes.NUMBER, _rise),
    "changes": Aggregate("how often a value differs from the one before it in the window", Takes.ANYTHING, _changes,
                         unit="1"),
    "correlation": Aggregate("how far two numbers go together, -1 to 1; of three pairs at least", Takes.PAIR,
                             _correlation, unit="1"),
    "count": Aggregate("count(condition): readings for which it is known to hold; count(): all of them",
                       Takes.MAYBE_TRUTH, _count, unit="1"),
    "share": Aggregate("of the readings that tell, the share for which the condition holds", Takes.TRUTH, _mean,
                       unit="1"),
    "seconds": Aggregate(
        "observed time for which the condition holds: from each reading to the next or the window's end, at most "
        "three intervals of the kind", Takes.TRUTH, _seconds, unit="s",
    ),
    "valid": Aggregate(
        "valid(x): readings with a believed x, as a share of those expected by the kind's interval, at most 1; "
        "valid(): readings that are not frozen", Takes.MAYBE_ANYTHING, _valid, unit="1",
    ),
}  # fmt: skip
