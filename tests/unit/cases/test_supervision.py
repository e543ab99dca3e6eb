from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import handling
from cases.case import Case, Finding, Milestone
from cases.checking import fail
from cases.history import Occurrence
from cases.lifecycle import State
from cases.opening import CasePlan
from cases.policy import Colour
from cases.routing import Reason
from cases.supervision import look, next_look, recipients
from tests.unit.cases.sample import CITY, FRIDAY, SHANGHAI, opened, said

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def accepted(case: Case | None = None) -> Case:
    case = case or opened(CasePlan.parse(problem="lamp_dark", fix="10h natural"))
    return handling.accept(case, at=case.started_at, actor="crew").case


def sheets(case: Case, at: datetime) -> list[tuple[str, str]]:
    return [(sheet.colour.name, sheet.because) for sheet in look(case, CITY, at=at).sheets]


def checked(case: Case, failures: int) -> Case:
    """A case whose check has failed so often."""
    for _ in range(failures):
        case = handling.arrive(case, at=FRIDAY, actor="crew").case
        case = handling.finish(case, at=FRIDAY, actor="crew", result="", found=Finding.FOUND, until=FRIDAY).case
        case = fail(case, city=CITY, at=FRIDAY, actor="system", reason="alarm_again").case
    return case


@pytest.mark.parametrize(
    ("hours", "due"),
    [
        (7.99, []),
        (8, [("WHITE", "time_used")]),
        (10, [("YELLOW", "overdue")]),
        (19.99, [("YELLOW", "overdue")]),
        (20, [("RED", "far_overdue")]),
    ],
)
def test_the_colour_follows_the_share_of_the_time_that_is_used(hours: float, due: list[tuple[str, str]]) -> None:
    assert sheets(accepted(), FRIDAY + hours * HOUR) == due


def test_a_short_time_to_fix_is_far_overdue_after_four_hours_at_least() -> None:
    case = accepted(opened())
    assert case.red_at == FRIDAY + 6 * HOUR


def test_each_colour_is_issued_once_and_costs_its_points() -> None:
    case, issued = accepted(), []
    for hours in range(24):
        step = look(case, CITY, at=FRIDAY + hours * HOUR)
        issued += [(sheet.colour, sheet.points) for sheet in step.sheets]
        case = step.case
    assert issued == [(Colour.WHITE, 0), (Colour.YELLOW, -1), (Colour.RED, -2)]


def test_a_sheet_has_its_own_time_for_an_answer_on_its_own_clock() -> None:
    (sheet,) = look(accepted(), CITY, at=datetime(2026, 11, 20, 18, tzinfo=SHANGHAI)).sheets
    assert sheet.colour is Colour.WHITE
    assert sheet.reply_by == datetime(2026, 11, 23, 18, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("colour", "to"),
    [
        (Colour.WHITE, ["unit:water"]),
        (Colour.YELLOW, ["unit:water", "district:east"]),
        (Colour.RED, ["unit:water", "district:east", "leadership"]),
    ],
)
def test_the_graver_the_colour_the_higher_it_goes(colour: Colour, to: list[str]) -> None:
    assert recipients(colour, "water", "east") == to


@pytest.mark.parametrize(
    ("failures", "due"),
    [(1, [("YELLOW", "check_failed")]), (2, [("RED", "check_failed_again")])],
)
def test_failed_checks_are_sheets_whatever_time_is_left(failures: int, due: list[tuple[str, str]]) -> None:
    case = checked(accepted(), failures)
    assert sheets(case, FRIDAY) == due
    assert (next_look(case) or FRIDAY) <= FRIDAY


def test_a_missed_arrival_is_a_yellow_sheet() -> None:
    case = accepted(opened())
    step = look(case, CITY, at=FRIDAY + 30 * MINUTE)
    assert said(step) == [("missed", "arrive"), ("sheet", "yellow")]


def test_danger_to_life_that_nobody_takes_on_is_red_after_half_an_hour() -> None:
    case = opened(CasePlan.parse(problem="leakage", fix="24h natural"), severity=4)
    assert sheets(case, FRIDAY + 29 * MINUTE) == []
    step = look(case, CITY, at=FRIDAY + 30 * MINUTE)
    assert said(step) == [("missed", "accept"), ("unattended", "lead"), ("sheet", "red")]
    assert sheets(accepted(case), FRIDAY + 30 * MINUTE) == []


def test_what_nobody_takes_on_goes_up_the_chain_step_by_step_and_then_rests() -> None:
    case, told = opened(CasePlan.parse(problem="leakage", fix="24h natural"), severity=4), []
    for minutes in range(0, 300, 30):
        step = look(case, CITY, at=FRIDAY + minutes * MINUTE)
        told += [(minutes, entry.reason) for entry in step.entries if entry.event is Occurrence.UNATTENDED]
        case = step.case
    assert told == [(30, "lead"), (60, "district"), (90, "leadership")]


def test_after_a_night_without_dispatcher_the_whole_chain_hears_and_only_the_gravest_sheet_is_issued() -> None:
    case = opened(CasePlan.parse(problem="leakage", fix="2h urgent"), severity=4)
    step = look(case, CITY, at=FRIDAY + 12 * HOUR)
    assert [entry.reason for entry in step.entries if entry.event is Occurrence.UNATTENDED] == [
        "lead",
        "district",
        "leadership",
    ]
    assert [sheet.colour for sheet in step.sheets] == [Colour.RED]


def test_a_holiday_week_stops_the_clock_of_working_days() -> None:
    """National Day 2026: 1 to 7 October are off, 10 October is a working Saturday."""
    start = datetime(2026, 9, 30, 14, tzinfo=SHANGHAI)
    case = accepted(opened(CasePlan.parse(problem="cover_loose", fix="2d work"), at=start))
    assert case.fix_by == datetime(2026, 10, 9, 12, tzinfo=SHANGHAI).replace(hour=12)
    assert sheets(case, datetime(2026, 10, 7, 23, tzinfo=SHANGHAI)) == []
    assert sheets(case, datetime(2026, 10, 9, 8, 48, tzinfo=SHANGHAI)) == [("WHITE", "time_used")]
    assert sheets(case, datetime(2026, 10, 9, 12, tzinfo=SHANGHAI)) == [("YELLOW", "overdue")]
    assert sheets(case, datetime(2026, 10, 12, 18, tzinfo=SHANGHAI)) == [("RED", "far_overdue")]


def test_nobody_is_pressed_while_the_clock_stands_still() -> None:
    paused = handling.suspend(accepted(), "permit", city=CITY, at=FRIDAY, actor="crew")
    assert not isinstance(paused, str)
    assert look(paused.case, CITY, at=FRIDAY + 100 * HOUR).entries == ()
    assert next_look(paused.case) is None


def test_a_pause_with_an_end_ends_by_itself() -> None:
    paused = handling.suspend(accepted(), "weather", city=CITY, at=FRIDAY, actor="crew")
    assert not isinstance(paused, str)
    ends = FRIDAY + timedelta(days=3)
    assert next_look(paused.case) == ends
    step = look(paused.case, CITY, at=ends)
    assert said(step) == [("resume", "pause_over")]
    assert step.case.fix_by == FRIDAY + timedelta(days=3, hours=10)


def test_the_public_notice_of_what_nobody_owns_ends_after_a_working_day() -> None:
    case = accepted(opened(CasePlan.parse(problem="cover_loose", fix="5d work"), reason=Reason.OWNERLESS))
    assert case.notice_until == datetime(2026, 11, 23, 10, tzinfo=SHANGHAI)
    step = look(case, CITY, at=case.notice_until)
    assert said(step) == [("notice_ended", "nobody_claimed")]
    assert said(look(step.case, CITY, at=case.notice_until)) == []


def test_a_granted_delay_moves_the_sheets_that_were_still_to_come() -> None:
    asked = handling.request_delay(
        accepted(), CasePlan.parse(problem="x", fix="5h natural").fix, at=FRIDAY, actor="crew", reason="rock"
    )
    assert not isinstance(asked, str)
    granted = handling.grant_delay(asked.case, calendar=CITY.calendar, at=FRIDAY, actor="desk")
    assert not isinstance(granted, str)
    assert sheets(granted.case, FRIDAY + 12 * HOUR) == []
    assert sheets(granted.case, FRIDAY + 15 * HOUR) == [("YELLOW", "overdue")]


plans = st.builds(
    lambda fix, arrive: CasePlan.parse(problem="x", fix=fix, arrive=arrive),
    st.sampled_from(["2h urgent", "24h natural", "2h office", "3d work"]),
    st.sampled_from(["", "30m urgent"]),
)
cases = st.builds(
    lambda plan, severity, accept, failures: (
        checked(accepted(opened(plan, severity=severity)), failures) if accept else opened(plan, severity=severity)
    ),
    plans,
    st.integers(1, 4),
    st.booleans(),
    st.integers(0, 2),
)


@given(cases)
def test_nothing_is_due_before_the_next_look_and_something_is_at_it(case: Case) -> None:
    while (at := next_look(case)) is not None:
        if at > FRIDAY:
            assert look(case, CITY, at=at - timedelta(microseconds=1)).entries == ()
        step = look(case, CITY, at=max(at, FRIDAY))
        assert step.entries
        case = step.case
    assert case.colour is Colour.RED


@pytest.mark.parametrize("state", [State.VERIFYING, State.UNVERIFIABLE, State.OBSERVING, State.MERGED, State.CLOSED])
def test_what_is_not_with_the_unit_is_not_pressed(state: State) -> None:
    case = replace(accepted(), state=state)
    assert look(case, CITY, at=FRIDAY + 100 * HOUR).entries == ()
    assert Milestone.FIX in case.dues
    assert next_look(case) is None
