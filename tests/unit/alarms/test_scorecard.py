import pytest

from alarms.scorecard import Figure, Grade, Seat, figures
from rules.rule import Severity

QUIET = Seat(district="east", all_windows=144)
BUSY = Seat(
    district="east",
    all_windows=100,
    windows=[11, 20, 9, 10, *[2] * 25],
    by_severity={Severity.NOTICE: 40, Severity.MINOR: 40, Severity.MAJOR: 15, Severity.CRITICAL: 5},
    top=[("SL-01", f"lamp-{number}", 2) for number in range(10)],
    chattering=1,
    stale=4,
)


def named(seat: Seat) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures(seat)}


def test_the_figures_of_a_busy_day_by_hand() -> None:
    assert {name: figure.value for name, figure in named(BUSY).items()} == {
        "per_ten_minutes": 1.0,
        "most_in_ten_minutes": 20,
        "flood_share": 0.02,
        "chattering": 1,
        "stale": 4,
        "medium_share": 0.15,
        "high_share": 0.05,
        "top_ten_share": 0.2,
    }


def test_grades_follow_the_targets() -> None:
    found = named(BUSY)
    good = {name for name, figure in found.items() if figure.grade is Grade.GOOD}
    assert good == {"per_ten_minutes", "stale", "medium_share", "high_share"}
    assert {figure.grade for name, figure in found.items() if name not in good} == {Grade.BAD}


def test_a_seat_without_an_alarm_is_good_where_there_is_something_to_judge() -> None:
    grades = {name: figure.grade for name, figure in named(QUIET).items()}
    assert {name for name, grade in grades.items() if grade is None} == {"medium_share", "high_share", "top_ten_share"}
    assert set(grades.values()) == {None, Grade.GOOD}


def test_windows_without_an_alarm_count() -> None:
    assert named(Seat(district="east", all_windows=10, windows=[5]))["per_ten_minutes"].value == pytest.approx(0.5)


def test_between_the_two_targets_is_bearable() -> None:
    assert [Figure("x", value, 1, 2).grade for value in (1, 1.5, 2, 2.1)] == [
        Grade.GOOD, Grade.BEARABLE, Grade.BEARABLE, Grade.BAD,
    ]  # fmt: skip
