from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.indicators import Counts, indicators

NOTHING = Counts(
    should_handle=0, handled=0, handled_on_time=0, should_close=0, closed=0, closed_on_time=0, rework=0, delayed=0,
    overdue=0, returned=0, trips=0, finds=0, points=0,
)  # fmt: skip


def test_the_formulas_of_the_bureaus() -> None:
    counts = replace(
        NOTHING, should_handle=20, handled=16, handled_on_time=12, should_close=20, closed=14, closed_on_time=11,
        rework=4, delayed=2, overdue=3, returned=1, trips=10, finds=9,
    )  # fmt: skip
    found = indicators(counts)
    assert (found.handling, found.on_time) == (0.8, 0.6)
    assert (found.closure, found.closure_on_time, found.rework) == (0.7, 0.55, 0.2)
    assert (found.delay, found.overdue, found.accuracy, found.precision) == (0.1, 0.15, 0.95, 0.9)
    assert found.score == pytest.approx(30 * 0.8 + 20 * 0.6 + 20 * 0.8 + 20 * 0.85 + 10 * 0.9)


def test_where_there_is_nothing_to_divide_by_there_is_no_figure() -> None:
    assert set(asdict(indicators(NOTHING)).values()) == {None}


@given(st.integers(1, 1000), st.data())
def test_every_share_lies_between_none_and_all_and_the_score_between_0_and_100(
    should: int, data: st.DataObject
) -> None:
    handled = data.draw(st.integers(0, should))
    should_close = data.draw(st.integers(handled, should))
    part = st.integers(0, handled)
    counts = replace(
        NOTHING,
        should_handle=should,
        handled=handled,
        handled_on_time=data.draw(part),
        should_close=should_close,
        rework=data.draw(st.integers(should_close - handled, should_close)),
        delayed=data.draw(st.integers(0, should)),
        overdue=data.draw(st.integers(0, should - handled)),
        returned=data.draw(st.integers(0, should)),
    )
    found = indicators(counts)
    assert 0 <= (found.score or 0.0) <= 100 + 1e-9
