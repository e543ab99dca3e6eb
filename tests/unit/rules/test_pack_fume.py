"""What the shipped rules for restaurant fume purifiers make of a day; business hours are 10:00 to 23:00."""

from collections.abc import Callable

import pytest

Judged = Callable[..., list[str]]
OFF = "fan_on=true purifier_on=false"
BOTH = "fan_on=true purifier_on=true"
REST = "fan_on=false purifier_on=false"


def test_a_purifier_off_while_the_fan_runs_is_an_alarm_after_five_minutes(judged: Judged) -> None:
    assert judged("FU-03", f"12:00-12:30/1m {OFF}") == ["12:05 raised major"]


def test_currents_tell_the_same_as_switches(judged: Judged) -> None:
    assert judged("FU-03", "12:00-12:30/1m fan_current=5 purifier_current=0.1") == ["12:05 raised major"]


@pytest.mark.parametrize(
    "sent",
    [
        BOTH,
        REST,
        "fan_on=false purifier_on=true",
        "fan_current=5 purifier_current=2",
        "fan_current=0.1 purifier_on=false",
    ],
)
def test_a_kitchen_that_runs_both_or_rests_is_in_order(judged: Judged, sent: str) -> None:
    assert judged("FU-03", f"12:00-13:00/1m {sent}") == []


def test_four_minutes_are_not_enough(judged: Judged) -> None:
    assert judged("FU-03", f"12:00-12:04/1m {OFF}", f"12:05-12:09/1m {BOTH}", f"12:10-12:14/1m {OFF}") == []


def test_minutes_in_which_nothing_was_heard_do_not_count(judged: Judged) -> None:
    assert judged("FU-03", f"12:00-12:02/1m {OFF}", f"12:06-12:08/1m {OFF}", f"12:12-12:14/1m {OFF}") == []


def test_outside_business_hours_nobody_minds(judged: Judged) -> None:
    assert judged("FU-03", f"03:00-04:00/1m {OFF}") == []
    assert judged("FU-03", f"23:00-23:30/1m {OFF}") == []


def test_the_five_minutes_begin_when_business_does(judged: Judged) -> None:
    assert judged("FU-03", f"09:30-10:30/1m {OFF}") == ["10:05 raised major"]


def test_a_bar_that_closes_after_midnight_is_watched_until_then(judged: Judged) -> None:
    bar = {"business_open": "18:00", "business_close": "02:00"}
    assert judged("FU-03", f"01:00-01:30/1m {OFF}", attributes=bar) == ["01:05 raised major"]
    assert judged("FU-03", f"02:00-03:00/1m {OFF}", attributes=bar) == []


@pytest.mark.parametrize("sent", [BOTH, REST])
def test_ten_minutes_in_order_end_the_alarm(judged: Judged, sent: str) -> None:
    assert judged("FU-03", f"12:00-12:09/1m {OFF}", f"12:10-12:30/1m {sent}") == [
        "12:05 raised major",
        "12:20 cleared major",
    ]


def test_closing_time_does_not_end_the_alarm(judged: Judged) -> None:
    assert judged("FU-03", f"22:50-23:50/1m {OFF}") == ["22:55 raised major"]


def test_a_restaurant_with_unreadable_hours_is_left_alone(judged: Judged) -> None:
    assert judged("FU-03", f"12:00-13:00/1m {OFF}", attributes={"business_open": "nine"}) == []
