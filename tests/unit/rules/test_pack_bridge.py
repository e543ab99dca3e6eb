"""What the shipped rules for bridges make of a day; the limit of a point is 300 µε unless told otherwise."""

from collections.abc import Callable

import pytest

Judged = Callable[..., list[str]]


def test_three_quarters_of_a_limit_for_ten_minutes_are_yellow(judged: Judged) -> None:
    assert judged("BR-01", "12:00-12:30/1m strain=225") == ["12:10 raised minor"]


def test_nine_tenths_of_a_limit_three_times_in_ten_minutes_are_orange(judged: Judged) -> None:
    assert judged("BR-01", "12:00 strain=270", "12:04 strain=100", "12:05 strain=270", "12:10 strain=270") == [
        "12:10 raised major"
    ]
    assert judged("BR-01", "12:00 strain=270", "12:05 strain=270", "12:06 strain=100", "12:11 strain=270") == []


def test_a_limit_reached_three_times_in_a_row_is_red(judged: Judged) -> None:
    assert judged("BR-01", "12:00-12:30/1m strain=300") == ["12:02 raised critical"]


def test_an_alarm_climbs_from_yellow_over_orange_to_red(judged: Judged) -> None:
    story = ("12:00-12:14/1m strain=220", "12:15-12:19/1m strain=260", "12:20-12:30/1m strain=310")
    assert judged("BR-01", *story) == ["12:10 raised minor", "12:17 escalated major", "12:22 escalated critical"]


def test_a_single_truck_is_no_alarm(judged: Judged) -> None:
    assert judged("BR-01", "12:00-12:20/1m strain=100", "12:21 strain=400", "12:22-12:40/1m strain=100") == []


def test_a_bridge_is_at_rest_after_half_an_hour_below_the_hysteresis(judged: Judged) -> None:
    story = ("12:00-12:12/1m strain=225", "12:13-12:59/1m strain=200", "13:00-13:40/1m strain=190")
    assert judged("BR-01", *story) == ["12:10 raised minor", "13:30 cleared minor"]


@pytest.mark.parametrize("sent", ["strain=-310", "deflection=51", "displacement=-101", "tilt=0.21"])
def test_every_response_is_judged_by_its_own_limit_either_way(judged: Judged, sent: str) -> None:
    assert judged("BR-01", f"12:00-12:02/1m {sent}") == ["12:02 raised critical"]


def test_a_point_is_judged_by_its_own_design_value(judged: Judged) -> None:
    assert judged("BR-01", "12:00-12:30/1m strain=310", limits={"strain": 500}) == []


def test_a_slow_sensor_is_judged_too(judged: Judged) -> None:
    assert judged("BR-01", "12:00-13:00/10m displacement=75") == ["12:10 raised minor"]
    assert judged("BR-01", "12:00-13:00/10m displacement=110")[-1] == "12:20 escalated critical"


def test_a_vehicle_above_the_limit_is_an_alarm_at_once(judged: Judged) -> None:
    assert judged("BR-04", "03:00 gross_t=49", "03:01 gross_t=49.1") == ["03:01 raised minor"]


@pytest.mark.parametrize(("gross", "severity"), [(84.9, "minor"), (85, "major"), (95, "critical")])
def test_the_heavier_the_vehicle_the_graver_the_alarm(judged: Judged, gross: float, severity: str) -> None:
    assert judged("BR-04", f"03:00 gross_t={gross}") == [f"03:00 raised {severity}"]


def test_a_posted_limit_comes_before_the_usual_one(judged: Judged) -> None:
    assert judged("BR-04", "03:00 gross_t=21", limits={"gross_t": 20}) == ["03:00 raised minor"]


def test_half_an_hour_of_lighter_vehicles_ends_an_overload_though_they_are_few(judged: Judged) -> None:
    assert judged("BR-04", "03:00 gross_t=60", "03:05-03:40/7m gross_t=2") == [
        "03:00 raised minor",
        "03:40 cleared minor",
    ]


def test_a_heavier_vehicle_after_an_overloaded_one_makes_it_graver(judged: Judged) -> None:
    assert judged("BR-04", "03:00 gross_t=60", "03:05 gross_t=2", "03:10 gross_t=96") == [
        "03:00 raised minor",
        "03:10 escalated critical",
    ]


def test_strong_wind_is_a_warning_and_a_storm_closes_the_bridge(judged: Judged) -> None:
    assert judged("BR-06", "15:00 wind_speed=14.9", "15:01 wind_speed=15", "15:02 wind_speed=25") == [
        "15:01 raised minor",
        "15:02 escalated critical",
    ]


def test_the_wind_is_over_after_half_an_hour_below_the_lower_level(judged: Judged) -> None:
    story = ("15:00 wind_speed=16", "15:01-15:40/1m wind_speed=13", "15:41-16:20/1m wind_speed=12.9")
    assert judged("BR-06", *story) == ["15:00 raised minor", "16:11 cleared minor"]
