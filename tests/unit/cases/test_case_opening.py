from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.calendars import WorkCalendar
from cases.case import Milestone
from cases.city import City, Deadlines
from cases.clocks import Allowance
from cases.history import SYSTEM, Occurrence
from cases.lifecycle import Event, State
from cases.opening import CasePlan, NewCase, area_of, number, open_case
from cases.routing import Assignment, Reason, Role

CALENDAR = WorkCalendar(ZoneInfo("Asia/Shanghai"), ((time(8), time(12)), (time(14), time(18))))
CITY = City(
    names={},
    night=(time(22), time(6)),
    calendar=CALENDAR,
    districts={},
    units={},
    component_owners={},
    deadlines={"MH-01": Deadlines(arrive=Allowance.parse("20m urgent"))},
)
PLAN = CasePlan.parse(problem="cover_open", arrive="30m urgent", fix="2h urgent")
FRIDAY_EVENING = datetime(2026, 11, 20, 12, tzinfo=UTC)  # 20:00 in Shanghai


def opened(plan: CasePlan) -> NewCase:
    return open_case(
        number="4201022026112000001",
        rule="MH-01",
        plan=plan,
        severity=4,
        assignment=Assignment("water", Reason.OWNER),
        at=FRIDAY_EVENING,
        city=CITY,
    )


def test_a_new_case_has_a_unit_a_reason_and_deadlines() -> None:
    case = opened(PLAN).step.case
    assert (case.unit, case.reason) == ("water", Reason.OWNER)
    assert case.dues[Milestone.ARRIVE].by == FRIDAY_EVENING + timedelta(minutes=30)
    assert case.fix_by == FRIDAY_EVENING + timedelta(hours=2)


def test_a_new_case_is_dispatched_at_once_and_its_history_says_why() -> None:
    step = opened(PLAN).step
    assert step.case.state is State.DISPATCHED
    filed, dispatched = step.entries
    assert (filed.event, filed.state, filed.reason) == (Occurrence.FILED, State.FILED, "MH-01")
    assert (dispatched.event, dispatched.state) == (Event.DISPATCH, State.DISPATCHED)
    assert dispatched.reason == "owner"
    assert {entry.actor for entry in step.entries} == {SYSTEM}
    assert {entry.at for entry in step.entries} == {FRIDAY_EVENING}


def test_a_case_without_a_time_to_arrive_still_has_a_time_to_fix() -> None:
    case = opened(CasePlan.parse(problem="low_battery", fix="5d work")).step.case
    assert Milestone.ARRIVE not in case.dues
    assert case.fix_by == datetime(2026, 11, 27, 10, tzinfo=UTC)


def test_the_citys_own_deadline_replaces_only_what_it_names() -> None:
    plan = PLAN.in_city("MH-01", CITY)
    assert plan.arrive == Allowance.parse("20m urgent")
    assert plan.fix == PLAN.fix


def test_a_rule_that_the_city_does_not_name_keeps_its_deadlines() -> None:
    assert PLAN.in_city("SL-01", CITY) == PLAN


def test_a_flipped_cover_is_the_same_job_as_an_open_one() -> None:
    assert CasePlan.parse(problem="cover_flipped", fix="2h urgent").problem == "cover_open"


def test_a_problem_of_a_citys_own_rule_is_kept_as_it_is() -> None:
    assert CasePlan.parse(problem="statue_leaning", fix="2h urgent").problem == "statue_leaning"


def test_a_rule_may_begin_the_search_with_the_owner() -> None:
    assert CasePlan.parse(problem="purifier_off", fix="2h office", to="owner").to is Role.OWNER


@pytest.mark.parametrize(
    ("problem", "fix", "to", "said"),
    [
        ("", "2h urgent", "maintainer", "problem: is empty"),
        ("cover_open", "soon", "maintainer", "'soon' is no allowance"),
        ("cover_open", "2h urgent", "mayor", "write maintainer or owner"),
    ],
)
def test_a_plan_that_cannot_be_says_what_would_be_right(problem: str, fix: str, to: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        CasePlan.parse(problem=problem, fix=fix, to=to)


def test_the_number_of_a_case_tells_area_day_and_sequence() -> None:
    assert number("420102", date(2026, 11, 20), 17) == "4201022026112000017"


@given(st.integers(1, 99_999), st.dates(date(2000, 1, 1)))
def test_every_number_has_nineteen_characters(sequence: int, day: date) -> None:
    assert len(number("420102", day, sequence)) == 19


@pytest.mark.parametrize(("area", "sequence"), [("4201", 1), ("42010x", 1), ("420102", 0), ("420102", 100_000)])
def test_a_number_that_would_not_fit_is_refused(area: str, sequence: int) -> None:
    with pytest.raises(ValueError, match="a case number"):
        number(area, date(2026, 11, 20), sequence)


@pytest.mark.parametrize(("grid", "area"), [("420102001003017", "420102"), ("", "000000"), ("north", "000000")])
def test_the_area_is_the_county_of_the_grid_or_zeros(grid: str, area: str) -> None:
    assert area_of(grid) == area
