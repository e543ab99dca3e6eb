"""What the shipped rules for noise meters make of a night; zone 2, hence 50 dB(A) by night and bursts above 65."""

from collections.abc import Callable

Judged = Callable[..., list[str]]


def test_three_bursts_within_an_hour_of_the_night_are_an_alarm(judged: Judged) -> None:
    assert judged("NO-03", "23:00 lmax=66", "23:01-23:29/1m lmax=50", "23:30 lmax=70", "00:00 lmax=66") == [
        "+1d 00:00 raised minor"
    ]


def test_two_bursts_or_three_in_more_than_an_hour_are_none(judged: Judged) -> None:
    assert judged("NO-03", "23:00 lmax=80", "23:30 lmax=80", "23:40-23:59/1m lmax=50") == []
    assert judged("NO-03", "23:00 lmax=66", "23:31 lmax=66", "00:01 lmax=66") == []


def test_the_limit_itself_is_no_burst(judged: Judged) -> None:
    assert judged("NO-03", "23:00-23:30/1m lmax=65") == []


def test_by_day_bursts_are_nobodys_business(judged: Judged) -> None:
    assert judged("NO-03", "06:00-21:59/1m lmax=90") == []


def test_bursts_of_the_evening_do_not_count_towards_the_night(judged: Judged) -> None:
    assert judged("NO-03", "21:58-22:01/1m lmax=90") == []
    assert judged("NO-03", "21:58-22:02/1m lmax=90") == ["22:02 raised minor"]


def test_the_zone_decides_how_loud_is_too_loud(judged: Judged) -> None:
    assert judged("NO-03", "23:00-23:02/1m lmax=61", attributes={"noise_zone": "1"}) == ["23:02 raised minor"]
    assert judged("NO-03", "23:00-23:30/1m lmax=70", attributes={"noise_zone": "4a"}) == []


def test_an_hour_without_a_burst_ends_the_alarm(judged: Judged) -> None:
    assert judged("NO-03", "23:00-23:02/1m lmax=70", "23:03-00:30/1m lmax=50") == [
        "23:02 raised minor",
        "+1d 00:03 cleared minor",
    ]


def test_another_burst_begins_the_hour_anew(judged: Judged) -> None:
    story = ("23:00-23:02/1m lmax=70", "23:03-23:59/1m lmax=50", "00:00 lmax=70", "00:01-01:30/1m lmax=50")
    assert judged("NO-03", *story) == ["23:02 raised minor", "+1d 01:01 cleared minor"]


def test_a_meter_that_falls_silent_does_not_end_the_alarm(judged: Judged) -> None:
    assert judged("NO-03", "23:00-23:02/1m lmax=70", "00:30 lmax=50", "01:30 lmax=50") == ["23:02 raised minor"]
