import pytest

from rules.testing_series import Gap, SeriesError, parse_series


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("0.8", ["0.8"]),
        ("0.8 x3 5", ["0.8", "0.8", "0.8", "5"]),
        ("open closed", ["open", "closed"]),
        ("-3 x2", ["-3", "-3"]),
        ("0..10 x3", ["0", "5", "10"]),
        ("1..0 x1", ["1"]),
        ("-1..-0.5 x2", ["-1", "-0.5"]),
        ("(1 0) x2 2", ["1", "0", "1", "0", "2"]),
        ("((1 x2 0) x2 3) x1", ["1", "1", "0", "1", "1", "0", "3"]),
        ("1 _ x2 - 1", ["1", Gap.NOT_SENT, Gap.NOT_SENT, Gap.NO_READING, "1"]),
    ],
)
def test_short_notation_stands_for_one_point_a_reading(text: str, points: list[str | Gap]) -> None:
    assert parse_series(text) == points


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "a series needs at least one value"),
        ("x3", "'x3' repeats nothing: write '0.8 x3'"),
        ("1 x2 x3", "'x3' repeats nothing"),
        ("1 x0", "'x0': between x1 and x100000"),
        ("0..10", "0..10 says not in how many steps"),
        ("0..10 1 x3", "0..10 says not in how many steps"),
        ("(1 2", "'(' without its ')'"),
        ("1 2)", "')' without its '('"),
        ("((1 x1000) x100 2) x2", "a series has at most 100000 readings"),
        ("((1 x10) x10000) x9999", "'x9999': between x1 and x1"),
        ("1 x60000 2 x60000", "a series has at most 100000 readings"),
        ("(" * 5000 + "1" + ")" * 5000, "nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, problem: str) -> None:
    with pytest.raises(SeriesError) as error:
        parse_series(text)
    assert problem in str(error.value)
