from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.truth import Truth

Value = bool | None
T, F, U = True, False, None
columns = st.lists(st.sampled_from([T, F, U]), min_size=1, max_size=20)
pairs = st.lists(st.tuples(st.sampled_from([T, F, U]), st.sampled_from([T, F, U])), min_size=1, max_size=20)


def column(values: Sequence[Value]) -> Truth:
    return Truth(np.array([value is True for value in values]), np.array([value is False for value in values]))


def values(truth: Truth) -> list[Value]:
    assert not (truth.true & truth.false).any()
    return [T if true else F if false else U for true, false in zip(truth.true, truth.false, strict=True)]


def both(rows: Sequence[tuple[Value, Value]]) -> tuple[Truth, Truth]:
    return column([row[0] for row in rows]), column([row[1] for row in rows])


@pytest.mark.parametrize(
    ("a", "b", "conjunction", "disjunction"),
    [
        (T, T, T, T),
        (T, F, F, T),
        (T, U, U, T),
        (F, T, F, T),
        (F, F, F, F),
        (F, U, F, U),
        (U, T, U, T),
        (U, F, F, U),
        (U, U, U, U),
    ],
)
def test_and_and_or_follow_kleene(a: Value, b: Value, conjunction: Value, disjunction: Value) -> None:
    assert values(column([a]) & column([b])) == [conjunction]
    assert values(column([a]) | column([b])) == [disjunction]


def test_not_turns_the_known_and_leaves_the_unknown() -> None:
    assert values(~column([T, F, U])) == [F, T, U]


@given(columns)
def test_the_unknown_never_becomes_known_by_not(rows: list[Value]) -> None:
    before, after = values(column(rows)), values(~column(rows))
    assert [value is U for value in after] == [value is U for value in before]
    assert values(~~column(rows)) == before


@given(pairs)
def test_de_morgan_holds_with_unknowns(rows: list[tuple[Value, Value]]) -> None:
    a, b = both(rows)
    assert values(~(a & b)) == values(~a | ~b)
    assert values(~(a | b)) == values(~a & ~b)


@given(pairs)
def test_learning_an_unknown_never_contradicts_what_was_concluded_without_it(rows: list[tuple[Value, Value]]) -> None:
    for a, b in rows:
        for learned in (T, F) if b is U else (b,):
            for join in (Truth.__and__, Truth.__or__):
                early, late = values(join(column([a]), column([b]))), values(join(column([a]), column([learned])))
                assert early in ([U], late)


def test_a_comparison_with_a_missing_number_is_unknown() -> None:
    x, y = np.array([1.0, 5.0, np.nan, 1.0]), np.array([3.0, 3.0, 3.0, np.nan])
    assert values(Truth.of(x > y, x, y)) == [F, T, U, U]


def test_a_boolean_metric_is_true_false_or_not_sent() -> None:
    assert values(Truth.of_number(np.array([1.0, 0.0, np.nan]))) == [T, F, U]


def test_a_known_column_has_no_unknowns() -> None:
    assert values(Truth.known(np.array([True, False]))) == [T, F]
