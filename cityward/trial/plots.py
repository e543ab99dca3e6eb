"""Pictures of a trial as SVG, which is text: shares by rule, delays, and when something went wrong. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from html import escape
from math import log10

_WIDTH, _LEFT, _TOP, _ROW = 900, 84, 40, 20
_BLUE, _ORANGE, _RED, _GREY = "#1f5a94", "#c2571a", "#b3261e", "#999"
_SPANS = (10, 60, 600, 3600, 6 * 3600, 86_400, 7 * 86_400)  # seconds marked on the axis of delays
_SPAN_NAMES = ("10 s", "1 min", "10 min", "1 h", "6 h", "1 d", "7 d")

_STEPS = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=3), timedelta(days=1), timedelta(days=7))
_STEPS_AT_MOST = 16


@dataclass(frozen=True, slots=True)
class Bar:
    """A rule's row: its recall and precision, None where there was nothing to find or nothing was said."""

    rule: str
    recall: float | None
    precision: float | None


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that went wrong with a rule, and when; ``missed``, else a false alarm."""

    rule: str
    at: datetime
    missed: bool


def shares(bars: Sequence[Bar]) -> str:
    """Recall and precision of each rule, side by side."""
    wide = _WIDTH - _LEFT - 60

    def rows() -> Iterator[str]:
        for share in (0, 0.25, 0.5, 0.75, 1):
            yield _grid(_LEFT + wide * share, len(bars), f"{share:.0%}")
        for number, bar in enumerate(bars):
            top = _TOP + number * _ROW
            yield _text(_LEFT - 6, top + 14, bar.rule, "end")
            for place, (value, colour) in enumerate(((bar.recall, _BLUE), (bar.precision, _ORANGE))):
                y = top + 3 + 8 * place
                if value is None:
                    yield _text(_LEFT + 3, y + 7, "-", "start", _GREY)
                else:
                    yield f'<rect x="{_LEFT}" y="{y}" width="{wide * value:.1f}" height="6" fill="{colour}"/>'

    legend = [("recall", _BLUE), ("precision", _ORANGE)]
    return _drawn("How much was noticed in time, and how many alarms were right", len(bars), rows(), legend)


def delays(by_rule: Sequence[tuple[str, Sequence[float]]]) -> str:
    """How long after its beginning each rule noticed what it found: one dot a find, a line at the middle one."""
    longest = max([60.0, *(each for _, all_ in by_rule for each in all_)])
    wide = _WIDTH - _LEFT - 60

    def x(seconds: float) -> float:
        return _LEFT + wide * log10(max(1.0, seconds)) / log10(longest * 1.1)

    def rows() -> Iterator[str]:
        for seconds, name in zip(_SPANS, _SPAN_NAMES, strict=True):
            if seconds <= longest:
                yield _grid(x(seconds), len(by_rule), name)
        for number, (rule, all_) in enumerate(by_rule):
            middle = _TOP + number * _ROW + 10
            yield _text(_LEFT - 6, middle + 4, rule, "end")
            for each in all_:
                yield f'<circle cx="{x(each):.1f}" cy="{middle}" r="3" fill="{_BLUE}" fill-opacity="0.35"/>'
            at = x(sorted(all_)[(len(all_) - 1) // 2])
            yield f'<path d="M{at:.1f} {middle - 7}v14" stroke="{_ORANGE}" stroke-width="2"/>'

    return _drawn("How long it took to notice", len(by_rule), rows(), [("a find", _BLUE), ("middle", _ORANGE)])


def timeline(marks: Sequence[Mark], begins: datetime, ends: datetime, zone: tzinfo) -> str:
    """What was missed and what was false, by rule over the time of the trial."""
    rules = sorted({mark.rule for mark in marks})
    wide = _WIDTH - _LEFT - 60

    def x(at: datetime) -> float:
        return _LEFT + wide * min(1.0, max(0.0, (at - begins) / (ends - begins)))

    def rows() -> Iterator[str]:
        lasting = ends - begins
        step = next((each for each in _STEPS if lasting / each <= _STEPS_AT_MOST), _STEPS[-1])
        at = begins
        while at <= ends:
            form = "%m-%d" if step >= timedelta(days=1) else "%H:%M"
            yield _grid(x(at), len(rules), at.astimezone(zone).strftime(form))
            at += step
        for number, rule in enumerate(rules):
            yield _text(_LEFT - 6, _TOP + number * _ROW + 14, rule, "end")
        for mark in marks:
            place, middle = x(mark.at), _TOP + rules.index(mark.rule) * _ROW + 10
            if mark.missed:
                yield f'<circle cx="{place:.1f}" cy="{middle}" r="5" fill="none" stroke="{_RED}" stroke-width="2"/>'
            else:
                yield f'<path d="M{place - 4:.1f} {middle - 4}l8 8m0-8l-8 8" stroke="{_ORANGE}" stroke-width="2"/>'

    return _drawn("What went wrong, and when", len(rules), rows(), [("missed or late", _RED), ("false", _ORANGE)])


def _drawn(title: str, rows: int, parts: Iterator[str], legend: Sequence[tuple[str, str]]) -> str:
    height = _TOP + rows * _ROW + 26
    names = "".join(
        _text(_WIDTH - 60 - 110 * (len(legend) - place - 1), 20, name, "end", colour)
        for place, (name, colour) in enumerate(legend)
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif">',
            f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
            f'<text x="{_LEFT}" y="20" font-size="15" fill="#222">{escape(title)}</text>{names}',
            *parts,
            "</svg>",
            "",
        ]
    )


def _grid(x: float, rows: int, name: str) -> str:
    bottom = _TOP + rows * _ROW
    return f'<path d="M{x:.1f} {_TOP}V{bottom}" stroke="#e4e4e4"/>{_text(x, bottom + 14, name, "middle")}'


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" fill="{colour}" text-anchor="{anchor}">{escape(text)}</text>'
