from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms.lifecycle import Event
from alarms.scorecard import By, Happening, Stale
from cases.calendars import WorkCalendar
from cases.city import City, load_city
from cases.people import Shift
from cases.seats import cards, parse_shifts
from rules.rule import Severity
from tests.fix_city import CITY

SHANGHAI = ZoneInfo("Asia/Shanghai")
FRIDAY = datetime(2026, 11, 20, 12, tzinfo=SHANGHAI)
HOUR = timedelta(hours=1)
BOTH = "day=08:00-20:00,night=20:00-08:00"


@pytest.fixture
def city() -> City:
    return load_city(CITY)


def raised(seat: str | None, at: datetime) -> Happening:
    return Happening(seat, Event.RAISED, at, Severity.MINOR, "SL-01", "lamp-1")


def test_a_night_shift_goes_over_midnight_and_is_cut_off_where_the_time_ends(city: City) -> None:
    # From Friday noon to Sunday noon: a day of 8 h, one of 12 h, one of 4 h; two nights of 12 h.
    span = (FRIDAY, FRIDAY + 48 * HOUR)
    at = [FRIDAY + 8 * HOUR - timedelta(seconds=1), FRIDAY + 8 * HOUR, FRIDAY + 13 * HOUR, FRIDAY + 20 * HOUR]
    alarms = [raised("east", each) for each in at]
    found = list(cards(city, span, alarms, [], by=By.DISTRICT, shifts=parse_shifts(BOTH)))
    assert [(each.name, each.shift, sum(each.windows), each.all_windows) for each in found] == [
        ("east", "day", 2, 24 * 6), ("east", "night", 2, 24 * 6), ("west", "day", 0, 24 * 6), ("west", "night", 0, 144),
    ]  # fmt: skip


def test_what_falls_in_no_shift_is_not_lost(city: City) -> None:
    alarms = [raised("east", FRIDAY), raised("east", FRIDAY + 10 * HOUR)]
    span = (FRIDAY, FRIDAY + 24 * HOUR)
    found = cards(city, span, alarms, [], by=By.DISTRICT, district="east", shifts=parse_shifts("day=08:00-20:00"))
    assert [(each.shift, sum(each.windows)) for each in found] == [("day", 1), ("outside", 1)]


def test_units_are_seats_and_what_has_no_case_comes_last(city: City) -> None:
    alarms = [raised(None, FRIDAY), raised("lighting", FRIDAY), raised("lighting", FRIDAY)]
    stale = [Stale("drainage", 1, "MH-01", "cover-1", "Cover 1", FRIDAY - 48 * HOUR)]
    found = list(cards(city, (FRIDAY, FRIDAY + HOUR), alarms, stale, by=By.UNIT))
    assert [(each.name, sum(each.windows), len(each.stale)) for each in found] == [
        ("drainage", 0, 1), ("lighting", 2, 0), (None, 1, 0),
    ]  # fmt: skip


def test_a_districts_desk_has_the_shifts_of_its_unit_in_the_city_file(city: City) -> None:
    shift = Shift("08:00", "18:00", ["wang"], days=["working"])
    unit = msgspec.structs.replace(city.units["east-cg"], shifts=[shift])
    own = replace(city, units={**city.units, "east-cg": unit})
    alarms = [raised("east", FRIDAY), raised("east", FRIDAY + 24 * HOUR)]  # the second one on a Saturday
    found = cards(own, (FRIDAY, FRIDAY + 48 * HOUR), alarms, [], by=By.DISTRICT, own_shifts=True)
    assert [(each.name, each.shift, sum(each.windows)) for each in found] == [
        ("east", "08:00-18:00 working", 1), ("east", "outside", 1), ("west", "outside", 0),
    ]  # fmt: skip


@given(
    st.sampled_from(["00:00", "06:30", "12:00", "20:00", "24:00"]),
    st.sampled_from(["00:00", "06:30", "12:00", "20:00", "24:00"]),
    st.sampled_from([[], ["working"], ["fri", "sun"]]),
    st.integers(0, 96 * 60 - 1),
)
def test_the_times_of_a_shift_are_those_that_it_covers(start: str, end: str, days: list[str], minutes: int) -> None:
    calendar = WorkCalendar(SHANGHAI, ((datetime.min.time(), datetime.max.time()),))
    shift = Shift(start, end, [], days)
    at = FRIDAY + timedelta(minutes=minutes)
    spans = list(shift.spans(FRIDAY, FRIDAY + 96 * HOUR, calendar))
    assert any(begin <= at < until for begin, until in spans) == shift.covers(at, calendar)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("day", "'day' is no shift: write day=08:00-20:00"),
        ("=08:00-20:00", "is no shift"),
        ("day=8:00-20:00", "day: '8:00' is no time of day"),
        ("day=08:00-20:00,day=20:00-08:00", "'day' can be given only once"),
        ("outside=08:00-20:00", "not 'outside'"),
    ],
)
def test_a_shift_that_is_none_is_refused_with_one_that_is(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_shifts(text)
