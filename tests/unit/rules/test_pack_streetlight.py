"""What the shipped rules for streetlights make of a night; in Wuhan in late November it is dark from 17:23 to 06:53."""

from collections.abc import Callable

Judged = Callable[..., list[str]]
DARK = "active_power=2 dim_level=100"
LIT = "active_power=118 dim_level=100"


def test_a_lamp_that_is_dark_at_night_is_an_alarm_on_the_third_sample(judged: Judged) -> None:
    assert judged("SL-01", f"20:00-20:30/5m {DARK}") == ["20:10 raised minor"]


def test_a_lamp_that_reports_every_quarter_of_an_hour_is_judged_after_that_time(judged: Judged) -> None:
    assert judged("SL-01", f"20:00 {DARK}", f"20:15:01 {DARK}") == ["20:15:01 raised minor"]


def test_a_lamp_that_burns_is_in_order(judged: Judged) -> None:
    assert judged("SL-01", f"17:00-07:00/5m {LIT}") == []


def test_by_day_no_lamp_is_expected_to_burn(judged: Judged) -> None:
    assert judged("SL-01", f"07:00-17:20/5m {DARK}") == []


def test_the_first_quarter_of_an_hour_after_sunset_and_the_last_before_sunrise_do_not_count(judged: Judged) -> None:
    assert judged("SL-01", f"16:00-18:00/1m {DARK}") == ["17:41 raised minor"]
    assert judged("SL-01", f"06:37-08:00/1m {DARK}") == []


def test_a_lamp_that_was_dimmed_draws_less_as_expected(judged: Judged) -> None:
    assert judged("SL-01", "00:00-04:00/5m active_power=11.5 dim_level=10") == []
    assert judged("SL-01", "00:00-04:00/5m active_power=0 dim_level=0") == []


def test_a_dimmed_lamp_that_draws_nothing_is_dark(judged: Judged) -> None:
    assert judged("SL-01", "00:00-00:30/5m active_power=1 dim_level=50") == ["00:10 raised minor"]


def test_the_rated_power_is_the_lamps_own(judged: Judged) -> None:
    assert judged("SL-01", "00:00-00:30/5m active_power=5 dim_level=100", attributes={"rated_power": 40}) == []


def test_a_controller_that_reports_failure_at_night_is_believed(judged: Judged) -> None:
    assert judged("SL-01", "20:00-20:30/5m lamp_failure=true") == ["20:10 raised minor"]
    assert judged("SL-01", "12:00-12:30/5m lamp_failure=true") == []


def test_ten_minutes_of_light_end_the_alarm(judged: Judged) -> None:
    assert judged("SL-01", f"20:00-20:10/5m {DARK}", f"20:15-21:00/5m {LIT}") == [
        "20:10 raised minor",
        "20:25 cleared minor",
    ]


def test_daylight_does_not_repair_a_lamp(judged: Judged) -> None:
    day_and_evening = (f"06:55-17:20/5m {LIT}", f"17:45-18:00/5m {DARK}")
    assert judged("SL-01", f"06:00-06:20/5m {DARK}", *day_and_evening) == ["06:10 raised minor"]


def test_switching_a_lamp_off_does_not_repair_it(judged: Judged) -> None:
    assert judged("SL-01", f"23:00-23:10/5m {DARK}", "23:15-01:00/5m active_power=0 dim_level=0") == [
        "23:10 raised minor"
    ]


def test_more_than_a_hundred_milliamperes_are_critical_at_once(judged: Judged) -> None:
    assert judged("SL-04", "12:00 leakage_ma=101") == ["12:00 raised critical"]


def test_more_than_thirty_milliamperes_are_critical_when_they_last(judged: Judged) -> None:
    assert judged("SL-04", "12:00 leakage_ma=40") == []
    assert judged("SL-04", "12:00 leakage_ma=40", "12:05 leakage_ma=40") == ["12:05 raised critical"]
    assert judged("SL-04", "12:00-12:01/15s leakage_ma=40") == ["12:00:30 raised critical"]


def test_thirty_milliamperes_are_not_more_than_thirty(judged: Judged) -> None:
    assert judged("SL-04", "12:00-14:00/5m leakage_ma=30") == []


def test_leakage_is_over_after_half_an_hour_below_fifteen(judged: Judged) -> None:
    story = ("12:00 leakage_ma=150", "12:05-13:00/5m leakage_ma=15", "13:05-14:00/5m leakage_ma=14")
    assert judged("SL-04", *story) == ["12:00 raised critical", "13:35 cleared critical"]
