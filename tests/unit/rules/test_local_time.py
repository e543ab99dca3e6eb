from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.moments import moment
from rules.local_time import LocalTime, between

SECOND = 1_000_000
MINUTE = 60 * SECOND
WUHAN = {"lat": 30.6, "lon": 114.3}
REYKJAVIK = {"lat": 64.1, "lon": -21.9}
TROMSO = {"lat": 69.6, "lon": 19.0}
SHANGHAI = LocalTime(ZoneInfo("Asia/Shanghai"))
ZONES = [
    ZoneInfo(name)
    for name in ("Asia/Shanghai", "Asia/Kathmandu", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC")
]
instants = st.integers(0, 4_102_444_800 * SECOND)  # 1970 to 2100


def micros(text: str, zone: str = "UTC") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * SECOND)


def dark(local_time: LocalTime, ts: int, *, lat: float, lon: float, margin: float = 0) -> bool:
    return bool(local_time.dark(np.array([ts]), lat=np.array([lat]), lon=np.array([lon]), margin=round(margin))[0])


def is_night(local_time: LocalTime, text: str, zone: str = "Asia/Shanghai") -> bool:
    return bool(local_time.night(np.array([micros(text, zone)]))[0])


@given(st.sampled_from(ZONES), st.lists(instants, min_size=1, max_size=20))
def test_the_minute_of_the_day_is_what_the_clocks_show(zone: ZoneInfo, times: list[int]) -> None:
    local_time = LocalTime(zone)
    shown = [(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ts)).astimezone(zone) for ts in times]
    assert local_time.minute_of_day(np.array(times)).tolist() == [at.hour * 60 + at.minute for at in shown]


@given(st.integers(-180, 180))
def test_the_minute_of_the_day_follows_the_change_to_and_from_summer_time(minutes: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for change in ("2026-03-29 01:00", "2026-10-25 01:00"):
        ts = micros(change) + minutes * MINUTE
        at = moment(ts).astimezone(berlin)
        assert LocalTime(berlin).minute_of_day(np.array([ts])).tolist() == [at.hour * 60 + at.minute]


@given(instants)
def test_a_moment_loses_no_microsecond(ts: int) -> None:
    assert (moment(ts) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) == ts


@pytest.mark.parametrize(
    ("clock", "expected"),
    [("21:59", False), ("22:00", True), ("23:59", True), ("00:00", True), ("05:59", True), ("06:00", False)],
)
def test_the_night_runs_over_midnight_and_ends_before_six(clock: str, expected: bool) -> None:  # noqa: FBT001 - the expected answer
    assert is_night(SHANGHAI, f"2026-11-20 {clock}") is expected


def test_a_county_may_shift_its_night() -> None:
    shifted = LocalTime(ZoneInfo("Asia/Urumqi"), night_start=time(0), night_end=time(8))
    assert is_night(shifted, "2026-11-20 07:59", "Asia/Urumqi")
    assert not is_night(shifted, "2026-11-20 23:00", "Asia/Urumqi")


def test_night_begins_by_the_clock_in_summer_and_winter() -> None:
    berlin = LocalTime(ZoneInfo("Europe/Berlin"))
    for day in ("2026-01-15", "2026-07-15"):
        assert not is_night(berlin, f"{day} 21:59", "Europe/Berlin")
        assert is_night(berlin, f"{day} 22:00", "Europe/Berlin")


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 1439))
def test_a_span_and_the_span_from_its_end_to_its_start_share_the_day(minute: int, start: int, end: int) -> None:
    inside = bool(between(np.array([minute]), start, end)[0])
    outside = bool(between(np.array([minute]), end, start)[0])
    if start == end:
        assert not inside
    else:
        assert inside is not outside


def test_spans_may_differ_from_row_to_row() -> None:
    minute, start, end = np.array([60, 60, 60]), np.array([0, 120, 1200]), np.array([120, 180, 120])
    assert between(minute, start, end).tolist() == [True, False, True]


@pytest.mark.parametrize(("margin", "clock"), [(0, "09:23:01"), (15, "09:38:01")])
def test_lamps_go_on_at_sunset_where_they_stand(margin: int, clock: str) -> None:
    sunset = micros(f"2026-11-21 {clock}")  # sunset in Wuhan is at 09:23 UTC, give or take a minute
    assert not dark(SHANGHAI, sunset - 2 * MINUTE, **WUHAN, margin=margin * MINUTE)
    assert dark(SHANGHAI, sunset + 2 * MINUTE, **WUHAN, margin=margin * MINUTE)


@pytest.mark.parametrize(("margin", "clock"), [(0, "06:54"), (15, "06:39")])
def test_lamps_go_off_at_sunrise(margin: int, clock: str) -> None:
    sunrise = micros(f"2026-11-21 {clock}", "Asia/Shanghai")
    assert dark(SHANGHAI, sunrise - 2 * MINUTE, **WUHAN, margin=margin * MINUTE)
    assert not dark(SHANGHAI, sunrise + 2 * MINUTE, **WUHAN, margin=margin * MINUTE)


def test_it_is_dark_around_midnight_and_light_at_noon() -> None:
    for clock, expected in [("23:59:59", True), ("00:00:00", True), ("12:00:00", False)]:
        assert dark(SHANGHAI, micros(f"2026-11-21 {clock}", "Asia/Shanghai"), **WUHAN) is expected


def test_each_lamp_has_its_own_sun() -> None:
    places = [WUHAN, REYKJAVIK, TROMSO, {"lat": 30.7, "lon": 74.3}]
    times = [micros(f"2026-11-21 {hour:02}:00") for hour in range(0, 24, 3)]
    together = SHANGHAI.dark(
        np.repeat(times, len(places)),
        lat=np.tile([place["lat"] for place in places], len(times)),
        lon=np.tile([place["lon"] for place in places], len(times)),
        margin=0,
    )
    assert together.tolist() == [dark(SHANGHAI, ts, **place) for ts in times for place in places]


@given(st.integers(micros("2020-01-01"), micros("2035-01-01")), st.integers(0, 120))
def test_a_margin_only_makes_the_dark_shorter(ts: int, margin: int) -> None:
    if dark(SHANGHAI, ts, **WUHAN, margin=margin * MINUTE):
        assert dark(SHANGHAI, ts, **WUHAN)


@pytest.mark.parametrize("day", ["2026-06-21", "2026-12-21"])
def test_where_the_sun_neither_rises_nor_sets_no_lamp_is_expected_to_burn(day: str) -> None:
    oslo = LocalTime(ZoneInfo("Europe/Oslo"))
    assert not any(dark(oslo, micros(f"{day} {hour:02}:30"), **TROMSO) for hour in range(24))


def test_where_the_sun_sets_after_midnight_noon_is_still_light() -> None:
    iceland = LocalTime(ZoneInfo("Atlantic/Reykjavik"))
    # On midsummer day the sun sets there at 00:01 and rises at 02:57.
    hours = [hour for hour in range(24) if dark(iceland, micros(f"2026-06-21 {hour:02}:30"), **REYKJAVIK)]
    assert hours == [0, 1, 2]
    assert not dark(iceland, micros("2026-06-21 00:10"), **REYKJAVIK, margin=15 * MINUTE)
