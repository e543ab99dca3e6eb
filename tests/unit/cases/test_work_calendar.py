from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from cases.calendars import WorkCalendar

HOURS = ((time(8), time(12)), (time(14), time(18)))
SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = WorkCalendar(SHANGHAI, HOURS)


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2026, 2, 13), True),
        (date(2026, 2, 14), True),  # a Saturday that makes up for the Spring Festival
        (date(2026, 2, 17), False),  # Spring Festival, a Tuesday
        (date(2026, 10, 1), False),  # National Day, a Thursday
        (date(2026, 11, 22), False),  # a Sunday
    ],
)
def test_national_holidays_and_make_up_days_hold(day: date, working: bool) -> None:  # noqa: FBT001
    assert CALENDAR.is_working_day(day) is working


def test_a_year_that_nobody_has_arranged_yet_works_monday_to_friday() -> None:
    assert CALENDAR.is_working_day(date(2031, 10, 1))  # a Wednesday
    assert not CALENDAR.is_working_day(date(2031, 10, 4))


def test_a_year_whose_holidays_nobody_knows_is_told_weeks_before_it_begins() -> None:
    def told(day: date, *holidays: date) -> str:
        calendar = WorkCalendar(SHANGHAI, HOURS, holidays=frozenset(holidays))
        return calendar.missing(datetime.combine(day, time(), SHANGHAI))[:34]

    assert [told(date(2025, 11, 16)), told(date(2030, 11, 16))] == ["", "the holidays of 2030 are not known"]
    assert told(date(2030, 11, 16), date(2030, 10, 1)) == ""
    assert told(date(2030, 11, 17), date(2030, 10, 1)) == "the holidays of 2031 are not known"
    assert told(date(2031, 11, 16), date(2031, 10, 1)) == ""


def test_the_city_knows_better_than_the_national_calendar() -> None:
    calendar = WorkCalendar(
        SHANGHAI,
        HOURS,
        holidays=frozenset({date(2026, 11, 24), date(2031, 10, 1)}),
        make_up_days=frozenset({date(2026, 11, 22)}),
    )
    assert not calendar.is_working_day(date(2026, 11, 24))
    assert not calendar.is_working_day(date(2031, 10, 1))
    assert calendar.is_working_day(date(2026, 11, 22))


def test_office_hours_are_instants_of_the_local_day() -> None:
    assert CALENDAR.spans(date(2026, 11, 23)) == [
        (datetime(2026, 11, 23, 0, tzinfo=UTC), datetime(2026, 11, 23, 4, tzinfo=UTC)),
        (datetime(2026, 11, 23, 6, tzinfo=UTC), datetime(2026, 11, 23, 10, tzinfo=UTC)),
    ]


def test_a_day_off_has_no_office_hours() -> None:
    assert CALENDAR.spans(date(2026, 11, 22)) == []


def test_the_local_day_is_not_the_day_of_utc() -> None:
    assert CALENDAR.local_day(datetime(2026, 11, 22, 23, tzinfo=UTC)) == date(2026, 11, 23)


def test_an_office_day_is_the_sum_of_its_hours() -> None:
    assert CALENDAR.office_day == timedelta(hours=8)


def test_a_span_that_the_clock_change_swallows_is_left_out() -> None:
    # Berlin puts its clocks forward from 02:00 to 03:00 on Sunday 28 March 2027; this city works that day.
    calendar = WorkCalendar(
        ZoneInfo("Europe/Berlin"),
        ((time(2), time(3)), (time(8), time(9))),
        make_up_days=frozenset({date(2027, 3, 28)}),
    )
    assert calendar.spans(date(2027, 3, 28)) == [
        (datetime(2027, 3, 28, 6, tzinfo=UTC), datetime(2027, 3, 28, 7, tzinfo=UTC))
    ]


def test_everything_wrong_with_hours_and_days_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="office_hours are empty"):
        WorkCalendar(SHANGHAI, ())
    day = date(2026, 5, 1)
    with pytest.raises(ValueError, match=r"before they start; .*start before 12:00.*; .*keep one") as wrong:
        WorkCalendar(
            SHANGHAI,
            ((time(8), time(12)), (time(11), time(11)), (time(11), time(13))),
            frozenset({day}),
            frozenset({day}),
        )
    assert "2026-05-01" in str(wrong.value)
