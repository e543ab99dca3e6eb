from datetime import UTC, datetime, timedelta

import pytest

from alarms.lifecycle import Event
from alarms.scorecard import Figure, Grade, Happening, Seat, Stale, between, figures, seat_of
from rules.rule import Severity

EIGHT = datetime(2026, 11, 20, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
QUIET = Seat(name="east", all_windows=144)
BUSY = Seat(
    name="east",
    all_windows=100,
    windows=[11, 20, 9, 10, *[2] * 25],
    by_severity={Severity.NOTICE: 40, Severity.MINOR: 40, Severity.MAJOR: 15, Severity.CRITICAL: 5},
    top=[("SL-01", f"lamp-{number}", 2) for number in range(10)],
    chattering=1,
    stale=[Stale("east", number, "SL-01", f"lamp-{number}", "Lamp", EIGHT) for number in range(4)],
)


def happened(at: datetime, event: Event = Event.RAISED, device: str = "lamp-1") -> Happening:
    return Happening("east", event, at, Severity.MINOR, "SL-01", device)


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
    assert named(Seat(name="east", all_windows=10, windows=[5]))["per_ten_minutes"].value == pytest.approx(0.5)


def test_between_the_two_targets_is_bearable() -> None:
    assert [Figure("x", value, 1, 2).grade for value in (1, 1.5, 2, 2.1)] == [
        Grade.GOOD, Grade.BEARABLE, Grade.BEARABLE, Grade.BAD,
    ]  # fmt: skip


def test_a_flood_about_the_end_of_a_shift_is_no_flood_for_either() -> None:
    # Fourteen alarms a minute apart from 19:53: seven before eight o'clock, seven from then on.
    flood = [happened(EIGHT + (number - 7) * MINUTE) for number in range(14)]
    day = seat_of("east", flood, [(EIGHT - 12 * HOUR, EIGHT)], shift="day")
    night = seat_of("east", flood, [(EIGHT, EIGHT + 12 * HOUR)], shift="night")
    assert (day.windows, night.windows) == ([7], [7])
    # Watched from 19:55 on: two came before, ten until 20:05 and two after it.
    assert seat_of("east", flood, [(EIGHT - 5 * MINUTE, EIGHT + HOUR)]).windows == [10, 2]


def test_eleven_alarms_in_one_window_are_a_flood_and_ten_are_not() -> None:
    watch = [(EIGHT, EIGHT + HOUR)]
    alarms = [happened(EIGHT + number * MINUTE / 2) for number in range(10)]
    assert named(seat_of("east", alarms, watch))["flood_share"].value == 0
    last = EIGHT + 10 * MINUTE
    assert seat_of("east", [*alarms, happened(last)], watch).windows == [10, 1]
    assert named(seat_of("east", [*alarms, happened(last - MINUTE)], watch))["flood_share"].value == pytest.approx(
        1 / 6
    )


def test_a_seat_counts_its_watches_only_and_hushes_beside_what_was_announced() -> None:
    watches = [(EIGHT, EIGHT + 25 * MINUTE), (EIGHT + 24 * HOUR, EIGHT + 25 * HOUR)]
    alarms = [
        happened(EIGHT - MINUTE), happened(EIGHT), happened(EIGHT + 25 * MINUTE), happened(EIGHT + 25 * HOUR - MINUTE),
        happened(EIGHT, Event.SUPPRESSED), happened(EIGHT + MINUTE, Event.SUPPRESSED), happened(EIGHT, Event.SHELVED),
        happened(EIGHT, Event.TAKEN_OUT), happened(EIGHT - MINUTE, Event.TAKEN_OUT), happened(EIGHT, Event.CHATTERING),
    ]  # fmt: skip
    seat = seat_of("east", alarms, watches)
    assert (seat.all_windows, seat.windows, seat.top) == (3 + 6, [1, 1], [("SL-01", "lamp-1", 2)])
    assert seat.hushed == {Event.SUPPRESSED: 2, Event.SHELVED: 1, Event.TAKEN_OUT: 1}
    assert seat.chattering == 1


def test_what_no_watch_covers_is_known() -> None:
    watches = [(EIGHT + 3 * HOUR, EIGHT + 4 * HOUR), (EIGHT, EIGHT + 2 * HOUR), (EIGHT + HOUR, EIGHT + 2 * HOUR)]
    assert list(between(watches, EIGHT, EIGHT + 5 * HOUR)) == [
        (EIGHT + 2 * HOUR, EIGHT + 3 * HOUR), (EIGHT + 4 * HOUR, EIGHT + 5 * HOUR),
    ]  # fmt: skip
    assert list(between([(EIGHT, EIGHT + HOUR)], EIGHT, EIGHT + HOUR)) == []
