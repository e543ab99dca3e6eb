"""What a device sends, in the short notation of pack tests.

Values are separated by blanks, one a reading::

    0.8 x20 5 x2 0.8 x38     0.8 in twenty readings, 5 in two, 0.8 again
    0..10 x11                from 0 to 10 in eleven even steps
    (on off) x3              the pattern three times
    _ x5                     five readings that do not carry the metric
    - x5                     five times no reading at all
"""

import re
from collections.abc import Iterator
from enum import Enum

_PIECE = re.compile(r"[()]|[^\s()]+")
_TIMES = re.compile(r"x(\d+)")
_NUMBER = r"-?\d+(?:\.\d+)?"
_RAMP = re.compile(rf"({_NUMBER})\.\.({_NUMBER})")
_MOST = 100_000


class Gap(Enum):
    """What stands in a series where no value does."""

    NOT_SENT = "_"
    NO_READING = "-"


Point = str | Gap


class SeriesError(ValueError):
    """A series cannot be read; the message names the piece."""


def parse_series(text: str) -> list[Point]:
    """The points of a series, one a reading.

    Raises:
        SeriesError: naming what cannot be read.
    """
    pieces = _PIECE.findall(text)
    try:
        points = _points(iter(pieces), closing="")
    except RecursionError:
        raise SeriesError("nested too deeply") from None
    if not points:
        raise SeriesError("a series needs at least one value")
    return points


def _points(pieces: Iterator[str], *, closing: str) -> list[Point]:
    found: list[Point] = []
    last: list[Point] | None = None  # what a following xN repeats
    ramp: tuple[float, float] | None = None
    for piece in pieces:
        _bounded(found)
        times = _TIMES.fullmatch(piece)
        if times:
            if last is None:
                raise SeriesError(f"{piece!r} repeats nothing: write '0.8 {piece}'")
            count, most = int(times[1]), _MOST // max(len(last), 1)
            if not 1 <= count <= most:
                raise SeriesError(f"{piece!r}: between x1 and x{most}")
            found += _even(*ramp, count) if ramp else last * count
            last = ramp = None
            continue
        found += _alone(last, ramp)
        ramp = None
        if piece == closing:
            return _bounded(found)
        if piece == ")":
            raise SeriesError("')' without its '('")
        if piece == "(":
            last = _points(pieces, closing=")")
        elif match := _RAMP.fullmatch(piece):
            last, ramp = [], (float(match[1]), float(match[2]))
        else:
            last = [_point(piece)]
    if closing:
        raise SeriesError("'(' without its ')'")
    return _bounded(found + _alone(last, ramp))


def _bounded(points: list[Point]) -> list[Point]:
    if len(points) > _MOST:
        raise SeriesError(f"a series has at most {_MOST} readings")
    return points


def _alone(last: list[Point] | None, ramp: tuple[float, float] | None) -> list[Point]:
    """A piece that no xN follows stands for itself."""
    if ramp:
        raise SeriesError(f"{ramp[0]:g}..{ramp[1]:g} says not in how many steps: write '{ramp[0]:g}..{ramp[1]:g} x10'")
    return last or []


def _point(piece: str) -> Point:
    return Gap(piece) if piece in {gap.value for gap in Gap} else piece


def _even(start: float, end: float, count: int) -> list[Point]:
    steps = max(count - 1, 1)
    return [format(start + (end - start) * step / steps, ".10g") for step in range(count)]
