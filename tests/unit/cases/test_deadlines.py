from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.calendars import WorkCalendar
from cases.clocks import Allowance, ClockType, Unit, deadline, elapsed

HOURS = ((time(8), time(12)), (time(14), time(18)))
SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = WorkCalendar(SHANGHAI, HOURS)

instants = st.datetimes(datetime(2003, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
waits = st.timedeltas(timedelta(days=-10), timedelta(days=60))
zones = st.sampled_from(["Asia/Shanghai", "Asia/Urumqi", "UTC", "Europe/Berlin", "America/St_Johns"])
calendars = st.builds(
    WorkCalendar,
    timezone=zones.map(ZoneInfo),
    office_hours=st.sampled_from([HOURS, ((time(0), time(23, 59)),), ((time(9, 30), time(11)),)]),
    holidays=st.frozensets(st.dates(date(2003, 1, 1), date(2035, 1, 1)), max_size=20),
)
continuous = st.builds(
    Allowance,
    st.integers(1, 72).map(float),
    st.sampled_from(Unit),
    st.sampled_from([ClockType.URGENT, ClockType.NATURAL]),
)
office_hours = st.builds(
    Allowance,
    st.integers(1, 90).map(float),
    st.sampled_from([Unit.MINUTE, Unit.HOUR]),
    st.just(ClockType.OFFICE),
)
working_days = st.builds(Allowance, st.integers(1, 10).map(float), st.just(Unit.DAY), st.just(ClockType.WORK))
office = st.one_of(office_hours, working_days)
allowances = st.one_of(continuous, office)


def used_share(start: datetime, now: datetime, allowance: Allowance, calendar: WorkCalendar) -> float:
    """The share of an allowance that is used up."""
    return elapsed(start, now, allowance.clock, calendar) / allowance.total(calendar)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("start", "allowance", "end"),
    [
        # A Friday evening: the urgent clock runs on, the office clock waits for Monday.
        ("2026-11-20 17:30", "2h urgent", "2026-11-20 19:30"),
        ("2026-11-20 17:30", "24h natural", "2026-11-21 17:30"),
        ("2026-11-20 17:30", "2h office", "2026-11-23 09:30"),
        ("2026-11-20 17:30", "1d work", "2026-11-23 17:30"),
        ("2026-11-20 17:30", "0.5d work", "2026-11-23 11:30"),
        # The lunch break is no office time, and a clock that ends with the morning ends at noon.
        ("2026-11-23 11:00", "2h office", "2026-11-23 15:00"),
        ("2026-11-23 11:00", "1h office", "2026-11-23 12:00"),
        ("2026-11-23 12:30", "30m office", "2026-11-23 14:30"),
        # Over the Spring Festival of 2026, with the make-up Saturday before it and the one after it.
        ("2026-02-14 16:00", "1d work", "2026-02-24 16:00"),
        # Working days of a year without a national calendar: weekends only.
        ("2031-09-30 08:00", "5d work", "2031-10-06 18:00"),
    ],
)
def test_deadlines_on_the_four_clocks(start: str, allowance: str, end: str) -> None:
    assert deadline(local(start), Allowance.parse(allowance), CALENDAR) == local(end)


def test_a_city_with_its_own_holiday_has_a_later_deadline() -> None:
    calendar = WorkCalendar(SHANGHAI, HOURS, holidays=frozenset({date(2026, 11, 23)}))
    end = deadline(local("2026-11-20 17:30"), Allowance.parse("2h office"), calendar)
    assert end == local("2026-11-24 09:30")


@given(instants, allowances, calendars)
def test_a_deadline_is_after_its_start_and_in_utc(
    start: datetime, allowance: Allowance, calendar: WorkCalendar
) -> None:
    end = deadline(start, allowance, calendar)
    assert end > start
    assert end.tzinfo is UTC


@given(instants, instants, allowances, calendars)
def test_who_starts_later_does_not_end_earlier(
    one: datetime, other: datetime, allowance: Allowance, calendar: WorkCalendar
) -> None:
    earlier, later = sorted([one, other])
    assert deadline(earlier, allowance, calendar) <= deadline(later, allowance, calendar)


@given(instants, office, calendars)
def test_an_office_clock_never_ends_outside_office_hours(
    start: datetime, allowance: Allowance, calendar: WorkCalendar
) -> None:
    end = deadline(start, allowance, calendar)
    assert any(opens < end <= closes for opens, closes in calendar.spans(calendar.local_day(end)))


@given(instants, office_hours, office_hours, calendars)
def test_two_allowances_in_a_row_end_with_their_sum(
    start: datetime, first: Allowance, second: Allowance, calendar: WorkCalendar
) -> None:
    minutes = (first.total(calendar) + second.total(calendar)) / timedelta(minutes=1)
    both = Allowance(minutes, Unit.MINUTE, ClockType.OFFICE)
    assert deadline(deadline(start, first, calendar), second, calendar) == deadline(start, both, calendar)


@given(instants, allowances, calendars)
def test_all_of_an_allowance_is_used_up_at_its_deadline_and_less_before(
    start: datetime, allowance: Allowance, calendar: WorkCalendar
) -> None:
    end = deadline(start, allowance, calendar)
    assert used_share(start, end, allowance, calendar) == pytest.approx(1.0)
    assert used_share(start, end - timedelta(seconds=1), allowance, calendar) < 1.0


@given(instants, waits, waits, allowances)
def test_the_used_share_never_shrinks(start: datetime, one: timedelta, other: timedelta, allowance: Allowance) -> None:
    earlier, later = start + min(one, other), start + max(one, other)
    used = used_share(start, earlier, allowance, CALENDAR)
    assert 0.0 <= used <= used_share(start, later, allowance, CALENDAR)


def test_an_office_clock_does_not_run_at_night() -> None:
    start, allowance = local("2026-11-20 17:00"), Allowance.parse("4h office")
    evening = used_share(start, local("2026-11-20 18:00"), allowance, CALENDAR)
    assert evening == used_share(start, local("2026-11-23 08:00"), allowance, CALENDAR) == 0.25


def test_an_overdue_case_has_used_more_than_all() -> None:
    start = local("2026-11-20 17:00")
    assert used_share(start, start + timedelta(hours=3), Allowance.parse("2h urgent"), CALENDAR) == 1.5


def test_nothing_is_used_before_the_start() -> None:
    start = local("2026-11-20 17:00")
    assert used_share(start, start - timedelta(hours=3), Allowance.parse("2h urgent"), CALENDAR) == 0.0


@given(allowances)
def test_an_allowance_is_read_back_from_its_text(allowance: Allowance) -> None:
    assert Allowance.parse(str(allowance)) == allowance


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'30m urgent'"),
        ("2 hours", "as in"),
        ("2h", "as in"),
        ("-2h office", "as in"),
        ("2w natural", "use m, h or d"),
        ("2h working", "use urgent, office, work, natural"),
        ("2h work", "counts working days"),
        ("2d office", "'1d work'"),
        ("0h urgent", "more than nothing"),
        ("9999d natural", "at most 366 days"),
    ],
)
def test_a_text_that_is_no_allowance_is_answered_with_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Allowance.parse(text)


def test_a_time_without_a_zone_has_no_deadline() -> None:
    naive = datetime(2026, 11, 20, 17)  # noqa: DTZ001
    with pytest.raises(ValueError, match="no time zone"):
        deadline(naive, Allowance.parse("2h urgent"), CALENDAR)
    with pytest.raises(ValueError, match="no time zone"):
        used_share(local("2026-11-20 17:00"), naive, Allowance.parse("2h urgent"), CALENDAR)
