"""Curves of telemetry as geometry for an SVG: lines, limits, ticks. Pure; the template draws what this measured out.

Does not: read a table, know a colour.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from devices.kind import Kind, Metric, MetricType
from devices.moments import MICROS, micros
from devices.quality import Quality
from devices.readings import Floats, Ints, Readings

WIDTH, HEIGHT = 720, 190  # of the drawing, in its own units
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 12, 10, 24  # on the left the longest word of a value finds room
_LETTERS, _WORD, _NAMES = 11, 80, 200  # high; how wide a moment's word is, and the names of limits at the right
_COLUMNS = WIDTH - _LEFT - _RIGHT  # no more is to be seen than the least and the most in each
_DOUBTFUL = int(Quality.IMPLAUSIBLE | Quality.REPLAYED | Quality.FROZEN | Quality.SKEWED)
_MOST_DOUBTS = 300
_GAP = 3  # intervals without a reading; rules interrupt their delays there too
_STEPS = (600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800)  # s between two ticks of time
_TIMES = 7  # ticks at most
_HEIGHTS = 5  # steps that a curve is high at most; a round step is less than 2.5 times a fifth, so there are two ticks
_Height = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid; ``at`` along its axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Limit:
    """Across the drawing at this height, all limits of one value together; the words stand above those below them."""

    at: float
    names: Sequence[str]
    text: str
    label: float


@dataclass(frozen=True, slots=True)
class Moment:
    """Down the drawing, where something happened; the word stands below that of a moment just before, and of limits."""

    at: float
    name: str
    label: float


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric over a stretch of time, ready to be drawn.

    ``paths`` are SVG paths, one for each stretch without a gap; ``dots`` readings that stand alone, ``doubts`` those
    that are not to be believed. ``least`` and ``most`` are of the believed values; None where there are none.
    """

    metric: str
    unit: str
    paths: Sequence[str]
    dots: Sequence[tuple[float, float]]
    doubts: Sequence[tuple[float, float]]
    times: Sequence[Tick]
    heights: Sequence[Tick]
    limits: Sequence[Limit]
    moments: Sequence[Moment]
    readings: int
    least: float | None
    most: float | None
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = HEIGHT - _BOTTOM


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, aware; ticks stand at round local times."""

    since: datetime
    until: datetime

    def x(self, at: datetime) -> float:
        """Where a moment stands."""
        return _LEFT + _COLUMNS * ((at - self.since) / (self.until - self.since))


def curve(
    readings: Readings,
    metric: Metric,
    span: Span,
    *,
    limits: Mapping[str, float] | None = None,
    moments: Sequence[tuple[str, datetime]] = (),
) -> Curve:
    """A metric of one device.

    Args:
        readings: Of that device within the span, in order of time.
        metric: Which of its kind.
        span: What is shown; in the zone whose clock the ticks go by.
        limits: By name, in the metric's unit.
        moments: What happened, by name.
    """
    values = readings.metric(metric.name)
    sent = ~np.isnan(values)
    doubtful = readings.quality & _DOUBTFUL != 0
    good = sent & ~doubtful
    words = words_of(metric)
    low, high = _bounds(values[sent], words, limits or {})

    def y(value: float) -> float:
        return round(HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM), 1)

    xs = _LEFT + _COLUMNS * ((readings.ts - micros(span.since)) / (micros(span.until) - micros(span.since)))
    stretches = list(_stretches(readings.ts[good], xs[good], values[good], _gap(readings.kind)))
    doubts = np.flatnonzero(sent & doubtful)[-_MOST_DOUBTS:]
    believed, lines = values[good], list(_limits(limits or {}, y))
    return Curve(
        metric=metric.name,
        unit=metric.unit,
        paths=[_path(x, v, y, stepped=bool(words)) for x, v in stretches if len(x) > 1],
        dots=[(round(float(x[0]), 1), y(float(v[0]))) for x, v in stretches if len(x) == 1],
        doubts=[(round(float(xs[each]), 1), y(float(values[each]))) for each in doubts],
        times=list(_times(span)),
        heights=[Tick(y(value), text) for value, text in (_named(words) if words else _heights(low, high))],
        limits=lines,
        moments=list(_moments(moments, span, [line.label for line in lines])),
        readings=int(sent.sum()),
        least=float(believed.min()) if len(believed) else None,
        most=float(believed.max()) if len(believed) else None,
    )


def words_of(metric: Metric) -> tuple[str, ...]:
    """What its values mean in words, by number; nothing where they are numbers."""
    if metric.type is MetricType.BOOL:
        return ("no", "yes")
    return metric.values


def _bounds(values: Floats, words: Sequence[str], limits: Mapping[str, float]) -> tuple[float, float]:
    """What the drawing reaches from and to: all that is in it, with some air."""
    if words:
        return -0.25, len(words) - 0.75
    seen = [*limits.values(), *((float(values.min()), float(values.max())) if len(values) else ())]
    low, high = (min(seen), max(seen)) if seen else (0.0, 1.0)
    air = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return low - air, high + air


def _limits(limits: Mapping[str, float], y: _Height) -> Iterator[Limit]:
    """Limits that lie upon each other are one line with both names."""
    label = float(HEIGHT)
    for value in sorted(set(limits.values())):
        label = min(y(value) - 3, label - _LETTERS)
        yield Limit(y(value), [name for name, other in limits.items() if other == value], f"{value:g}", label)


def _moments(moments: Sequence[tuple[str, datetime]], span: Span, limits: Sequence[float]) -> Iterator[Moment]:
    last, row = -math.inf, 0

    def label(row: int) -> float:
        return _TOP + 9.0 + row * _LETTERS

    for name, at in sorted(moments, key=lambda moment: moment[1]):
        if span.since <= at <= span.until:
            x = span.x(at)
            row = row + 1 if x - last < _WORD else 0
            while x + _WORD > WIDTH - _RIGHT - _NAMES and any(abs(label(row) - each) < _LETTERS for each in limits):
                row += 1
            yield Moment(x, name, label(row))
            last = x


def _gap(kind: Kind) -> int:
    return round(_GAP * kind.interval.total_seconds() * MICROS)


def _stretches(ts: Ints, xs: Floats, values: Floats, gap: int) -> Iterator[tuple[Floats, Floats]]:
    """Pieces without a gap, each thinned to the least and the most of every column of the drawing."""
    for part in np.split(np.arange(len(ts)), np.flatnonzero(np.diff(ts) > gap) + 1):
        if len(part) > 2 * _COLUMNS:
            yield _thinned(xs[part], values[part])
        elif len(part):
            yield xs[part], values[part]


def _thinned(xs: Floats, values: Floats) -> tuple[Floats, Floats]:
    columns = np.floor(xs).astype(np.int64)
    starts = np.flatnonzero(np.r_[True, np.diff(columns) > 0])
    lows, highs = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    return np.repeat(xs[starts], 2), np.column_stack((lows, highs)).ravel()


def _path(xs: Floats, values: Floats, y: _Height, *, stepped: bool) -> str:
    points = [f"{x:.1f} {y(value)}" for x, value in zip(xs.tolist(), values.tolist(), strict=True)]
    if not stepped:
        return "M" + "L".join(points)
    steps = [f"H{x:.1f}V{y(value)}" for x, value in zip(xs[1:].tolist(), values[1:].tolist(), strict=True)]
    return "M" + points[0] + "".join(steps)


def _heights(low: float, high: float) -> Iterator[tuple[float, str]]:
    """Round numbers between two."""
    rough = (high - low) / _HEIGHTS
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    number = math.ceil(low / step)
    while number * step <= high:
        value = number * step
        yield value, f"{value:.10g}"
        number += 1


def _named(words: Sequence[str]) -> Iterator[tuple[float, str]]:
    return ((float(place), word) for place, word in enumerate(words))


def _times(span: Span) -> Iterator[Tick]:
    """Round local times within the span."""
    length = (span.until - span.since).total_seconds()
    step = next((each for each in _STEPS if length / each <= _TIMES), _STEPS[-1])
    midnight = span.since.replace(hour=0, minute=0, second=0, microsecond=0)
    form = "%H:%M" if length <= 86_400 else "%m-%d" if step >= 86_400 else "%m-%d %H:%M"
    number = math.ceil((span.since - midnight).total_seconds() / step)
    while (at := midnight + timedelta(seconds=number * step)) <= span.until:
        yield Tick(round(span.x(at), 1), f"{at:{form}}")
        number += 1
