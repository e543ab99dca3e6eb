"""Curves as geometry: gaps, limits, thinning, words; numbers from readings, nothing drawn that was not measured."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.curves import HEIGHT, WIDTH, Curve, Span, curve
from devices.kind import Kind, load_kinds
from devices.quality import Quality
from devices.readings import NO_SEQUENCE, Readings

KINDS = load_kinds()
NOON = datetime(2026, 11, 21, 12, tzinfo=ZoneInfo("Asia/Shanghai"))


def readings(kind: Kind, metric: str, points: Sequence[tuple[float, float]], quality: int = 0) -> Readings:
    """Minutes after noon and values."""
    count = len(points)
    nothing = np.zeros(count, dtype=np.int64)
    values = np.full((count, len(kind.metrics)), np.nan)
    values[:, kind.position[metric]] = [value for _, value in points]
    ts = np.array([round((NOON.timestamp() + minute * 60) * 1_000_000) for minute, _ in points], dtype=np.int64)
    return Readings(
        kind=kind, device=nothing, ts=ts, received_at=ts, seq=nothing + NO_SEQUENCE, type=nothing,
        quality=nothing + quality, message=nothing, part=nothing, values=values, texts={},
    )  # fmt: skip


def drawn(
    points: Sequence[tuple[float, float]],
    *,
    kind: str = "noise",
    metric: str = "laeq",
    quality: int = 0,
    hours: int = 2,
) -> Curve:
    of = KINDS[kind]
    span = Span(NOON, NOON + timedelta(hours=hours))
    return curve(readings(of, metric, points, quality), of.metric(metric), span, limits={"day": 70.0, "zone": 70.0})


def test_a_gap_of_more_than_three_intervals_breaks_the_line_and_a_lone_reading_is_a_dot() -> None:
    found = drawn([(0, 50), (1, 52), (2, 51), (30, 60), (60, 55), (61, 56)])
    assert len(found.paths) == 2
    assert len(found.dots) == 1
    assert (found.least, found.most, found.readings) == (50, 60, 6)


def test_doubtful_readings_stand_apart_from_the_line() -> None:
    found = drawn([(0, 50), (1, 120)], quality=int(Quality.IMPLAUSIBLE))
    assert (list(found.paths), len(found.doubts), found.most) == ([], 2, None)


def test_limits_that_lie_upon_each_other_are_one_line_within_the_drawing() -> None:
    (line,) = drawn([(0, 40)]).limits
    assert (line.names, line.text) == (["day", "zone"], "70")
    assert 0 < line.at < HEIGHT


def test_the_words_of_limits_that_lie_close_stand_above_each_other() -> None:
    kind = KINDS["noise"]
    limits = {"a": 50.0, "b": 50.1, "c": 50.2, "d": 90.0}
    found = curve(readings(kind, "laeq", []), kind.metric("laeq"), Span(NOON, NOON + timedelta(hours=1)), limits=limits)
    labels = [limit.label for limit in found.limits]
    assert all(above <= below - 11 for below, above in pairwise(labels))
    assert labels[3] == found.limits[3].at - 3, "with room enough they stand at their line"


def test_the_words_of_moments_that_lie_close_stand_below_each_other() -> None:
    kind = KINDS["noise"]
    moments = [(name, NOON + timedelta(minutes=minute)) for name, minute in (("c", 40), ("b", 2), ("a", 0))]
    span = Span(NOON, NOON + timedelta(hours=1))
    found = curve(readings(kind, "laeq", []), kind.metric("laeq"), span, moments=moments).moments
    assert [moment.name for moment in found] == ["a", "b", "c"]
    assert found[1].label >= found[0].label + 11
    assert found[2].label == found[0].label, "with room enough they stand at the top"


def test_the_word_of_a_moment_stands_below_the_name_of_a_limit_at_the_right() -> None:
    kind, span = KINDS["noise"], Span(NOON, NOON + timedelta(hours=1))
    moments = [("early", NOON), ("late", NOON + timedelta(minutes=50))]
    limits = {"top": 70.0, "bottom": 30.0}
    found = curve(readings(kind, "laeq", []), kind.metric("laeq"), span, limits=limits, moments=moments)
    assert found.moments[0].label < found.moments[1].label
    assert all(abs(found.moments[1].label - limit.label) >= 11 for limit in found.limits)


def test_ticks_stand_at_round_local_times() -> None:
    assert [tick.text for tick in drawn([], hours=2).times] == ["12:00", "12:30", "13:00", "13:30", "14:00"]


def test_truths_and_words_are_steps_between_their_names() -> None:
    found = drawn([(0, 0), (1, 1), (2, 1)], kind="fume", metric="fan_on")
    assert [tick.text for tick in found.heights] == ["no", "yes"]
    assert "H" in found.paths[0]
    assert [tick.text for tick in drawn([(0, 1)], kind="manhole", metric="open_state").heights][1] == "open"


def test_a_week_of_minutes_is_thinned_but_keeps_its_peak() -> None:
    points = [(minute, 50.0 + (minute == 5000) * 40) for minute in range(10_000)]
    found = drawn(points, hours=24 * 7)
    assert found.paths[0].count("L") < 2 * WIDTH
    assert found.most == 90
    heights = [float(pair.split()[1]) for pair in found.paths[0][1:].split("L")]
    assert min(heights) < 40, "the peak is drawn near the top"


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-6, 1e9])
def test_a_single_value_of_any_size_lies_within_the_drawing(value: float) -> None:
    ((x, y),) = drawn([(60, value)]).dots
    assert (0 < x < WIDTH, 0 < y < HEIGHT) == (True, True)


@given(st.lists(st.tuples(st.floats(0, 120), st.floats(-1e6, 1e6)), max_size=50))
def test_nothing_is_drawn_outside_of_the_drawing(points: list[tuple[float, float]]) -> None:
    found = drawn(sorted(points))
    for x, y in found.dots:
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    assert all(0 <= tick.at <= max(WIDTH, HEIGHT) for tick in (*found.times, *found.heights))


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_a_curve_of_numbers_has_two_ticks_at_least_and_seven_at_most(low: float, height: float) -> None:
    found = curve(
        readings(KINDS["noise"], "laeq", [(0, low), (1, low + height)]),
        KINDS["noise"].metric("laeq"),
        Span(NOON, NOON + timedelta(hours=1)),
    )
    assert 2 <= len(found.heights) <= 7


def test_moments_outside_of_the_span_are_left_out() -> None:
    kind = KINDS["noise"]
    span = Span(NOON, NOON + timedelta(hours=1))
    moments = [("raised", NOON + timedelta(minutes=30)), ("cleared", datetime(2026, 11, 23, tzinfo=UTC))]
    found = curve(readings(kind, "laeq", []), kind.metric("laeq"), span, moments=moments)
    assert [moment.name for moment in found.moments] == ["raised"]
