"""What the shipped rules for manhole covers make of a day; the lines are read by the fixture ``judged``."""

from collections.abc import Callable

import pytest

Judged = Callable[..., list[str]]
CARRIAGEWAY = {"road_class": "carriageway"}


def test_a_cover_that_says_it_is_open_is_an_alarm_at_once(judged: Judged) -> None:
    assert judged("MH-01", "08:00 open_state=closed tilt=0", "09:30 open_state=open") == ["09:30 raised major"]


def test_an_open_cover_in_a_carriageway_is_critical(judged: Judged) -> None:
    assert judged("MH-01", "09:30 open_state=open", **CARRIAGEWAY) == ["09:30 raised critical"]
    assert judged("MH-01", "09:30 open_state=open", road_class="footway") == ["09:30 raised major"]


def test_tilt_alone_opens_a_cover_only_on_the_second_sample(judged: Judged) -> None:
    assert judged("MH-01", "09:30 tilt=20", "09:30:20 tilt=20") == ["09:30:20 raised major"]
    assert judged("MH-01", "09:30 tilt=20") == []


def test_a_truck_passing_raises_nothing(judged: Judged) -> None:
    assert judged("MH-01", "08:00 tilt=0.5", "09:30 tilt=8", "09:31 tilt=0.5") == []
    assert judged("MH-01", "09:30-09:40/1m tilt=8") == []


def test_one_jolt_beyond_the_limit_raises_nothing_when_the_cover_lies_flat_again(judged: Judged) -> None:
    assert judged("MH-01", "09:30 tilt=20", "09:31 tilt=1", "09:32 tilt=20", "09:33 tilt=1") == []


def test_a_cover_is_measured_against_its_own_baseline(judged: Judged) -> None:
    tilted = {"baseline_tilt": 10}
    assert judged("MH-01", "09:30-09:40/1m tilt=20", attributes=tilted) == []
    assert judged("MH-01", "09:30-09:40/1m tilt=25", attributes=tilted) == ["09:31 raised major"]


def test_a_city_may_set_a_lower_limit(judged: Judged) -> None:
    assert judged("MH-01", "09:30-09:31/1m tilt=12", limits={"tilt": 10}) == ["09:31 raised major"]


def test_an_open_cover_is_closed_when_all_that_was_sent_has_said_so_for_ten_minutes(judged: Judged) -> None:
    assert judged("MH-01", "09:30 open_state=open tilt=30", "10:00-10:20/5m open_state=closed tilt=1") == [
        "09:30 raised major",
        "10:10 cleared major",
    ]


@pytest.mark.parametrize("sent", ["open_state=closed tilt=10", "open_state=unknown tilt=1", "open_state=missing"])
def test_a_cover_that_is_not_clearly_closed_stays_open(judged: Judged, sent: str) -> None:
    assert judged("MH-01", "09:30 open_state=open", f"10:00-11:00/5m {sent}") == ["09:30 raised major"]


def test_a_message_about_something_else_does_not_close_a_cover(judged: Judged) -> None:
    assert judged("MH-01", "09:30 open_state=open", "10:00-11:00/5m battery_pct=80") == ["09:30 raised major"]


def test_the_daily_heartbeat_closes_a_cover_that_was_shut_the_day_before(judged: Judged) -> None:
    assert judged(
        "MH-01", "09:30 open_state=open", "10:00 open_state=closed tilt=1", "08:00 open_state=closed tilt=1"
    ) == ["09:30 raised major", "+1d 08:00 cleared major"]


def test_after_it_was_closed_one_tilted_sample_does_not_open_a_cover_again(judged: Judged) -> None:
    opened = ("09:30 tilt=20", "09:31 tilt=20")
    closed = "10:00-10:10/10m open_state=closed"  # without a word about the tilt
    assert judged("MH-01", *opened, closed, "12:00 tilt=20", "12:01 tilt=1") == [
        "09:31 raised major",
        "10:10 cleared major",
    ]


@pytest.mark.parametrize("sent", ["open_state=missing", "tilt=91"])
def test_a_missing_or_flipped_cover_is_critical_at_once(judged: Judged, sent: str) -> None:
    assert judged("MH-02", f"02:00 {sent}") == ["02:00 raised critical"]


def test_an_upright_cover_is_not_yet_flipped(judged: Judged) -> None:
    assert judged("MH-02", "02:00-02:10/1m tilt=90 open_state=open") == []


def test_a_normal_report_ends_the_alarm_for_a_missing_cover(judged: Judged) -> None:
    assert judged("MH-02", "02:00 open_state=missing", "04:00 open_state=open tilt=1", "04:10 open_state=closed") == [
        "02:00 raised critical",
        "04:10 cleared critical",
    ]


def test_high_water_is_judged_by_the_depth_of_the_well_on_the_second_sample(judged: Judged) -> None:
    assert judged("MH-05", "05:00-05:20/10m water_level=2.41") == ["05:10 raised major"]
    assert judged("MH-05", "05:00 water_level=2.41", "05:10 water_level=2.3") == []
    assert judged("MH-05", "05:00-05:20/10m water_level=2.41", attributes={"well_depth": 5}) == []


def test_high_water_is_over_after_half_an_hour_below_seven_tenths(judged: Judged) -> None:
    story = ("05:00-05:10/10m water_level=2.5", "05:20-06:00/10m water_level=2.2", "06:10-07:00/10m water_level=2.0")
    assert judged("MH-05", *story) == ["05:10 raised major", "06:40 cleared major"]


@pytest.mark.parametrize("sent", ["battery_pct=20", "battery_v=3.1"])
def test_a_low_battery_is_told_by_two_heartbeats(judged: Judged, sent: str) -> None:
    assert judged("MH-08", f"08:00 {sent}") == []
    assert judged("MH-08", f"08:00 {sent}", f"08:00 {sent}") == ["+1d 08:00 raised notice"]


def test_a_battery_that_recovers_in_between_is_not_low(judged: Judged) -> None:
    assert judged("MH-08", "08:00 battery_pct=19", "08:00 battery_pct=21", "08:00 battery_pct=19") == []


def test_a_changed_battery_ends_the_alarm(judged: Judged) -> None:
    low = ("08:00 battery_pct=19 battery_v=3.5", "08:00 battery_pct=19 battery_v=3.5")
    assert judged("MH-08", *low, "14:00 battery_pct=99 battery_v=3.6") == [
        "+1d 08:00 raised notice",
        "+1d 14:00 cleared notice",
    ]


def test_the_steady_voltage_of_a_lithium_cell_does_not_hide_its_low_charge(judged: Judged) -> None:
    low = ("08:00 battery_pct=20 battery_v=3.6", "08:00 battery_pct=20 battery_v=3.6")
    assert judged("MH-08", *low, "08:00 battery_pct=21 battery_v=3.6") == ["+1d 08:00 raised notice"]
