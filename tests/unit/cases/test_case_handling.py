from datetime import datetime, timedelta

import pytest

from cases import handling
from cases.case import Case, Finding, Milestone
from cases.clocks import Allowance
from cases.errors import IllegalMove
from cases.lifecycle import CASE_TRANSITIONS, Event, Refusal, State
from cases.opening import CasePlan
from tests.unit.cases.sample import CITY, FRIDAY, SHANGHAI, city, opened, said, taken

HOUR = timedelta(hours=1)
CREW = "crew 7"


def accepted(case: Case | None = None, at: datetime = FRIDAY) -> Case:
    return handling.accept(case or opened(), at=at, actor=CREW).case


def on_site(at: datetime = FRIDAY) -> Case:
    return handling.arrive(accepted(), at=at, actor=CREW).case


def finished(at: datetime = FRIDAY + HOUR) -> Case:
    return handling.finish(
        on_site(), at=at, actor=CREW, result="cover replaced", found=Finding.FOUND, until=at + 26 * HOUR
    ).case


def given_back(case: Case, by: str = CREW) -> Case:
    return taken(handling.give_back(case, district="east", city=CITY, at=FRIDAY, actor=by, reason="not ours"))


def assigned(case: Case, unit: str) -> Case:
    return taken(handling.assign(case, unit, city=CITY, at=FRIDAY, actor="desk", reason="theirs"))


def test_the_straight_way_notes_when_each_milestone_was_reached() -> None:
    case = handling.make_safe(on_site(FRIDAY + HOUR / 2), at=FRIDAY + HOUR, actor=CREW).case
    done = handling.finish(case, at=FRIDAY + 2 * HOUR, actor=CREW, result="", found=Finding.FOUND, until=FRIDAY)
    assert done.case.reached == {
        Milestone.ACCEPT: FRIDAY,
        Milestone.ARRIVE: FRIDAY + HOUR / 2,
        Milestone.SAFE: FRIDAY + HOUR,
        Milestone.FIX: FRIDAY + 2 * HOUR,
    }


def test_reported_work_is_checked_at_once() -> None:
    done = handling.finish(
        on_site(), at=FRIDAY, actor=CREW, result="replaced", found=Finding.OTHER, until=FRIDAY + HOUR
    )
    assert said(done) == [("finish", "replaced"), ("verify", "work_reported")]
    assert (done.case.state, done.case.found) == (State.VERIFYING, Finding.OTHER)
    assert done.case.check is not None
    assert (done.case.check.since, done.case.check.until) == (FRIDAY, FRIDAY + HOUR)


def test_work_cannot_be_reported_from_afar() -> None:
    with pytest.raises(IllegalMove, match="possible now: arrive"):
        handling.finish(accepted(), at=FRIDAY, actor=CREW, result="", found=Finding.FOUND, until=FRIDAY)


def test_what_is_given_back_goes_to_the_district_and_keeps_its_clock() -> None:
    case = given_back(accepted())
    assert (case.state, case.unit, case.bounces) == (State.RETURNED, "east-cg", 1)
    assert case.fix_by == opened().fix_by
    assert case.dues[Milestone.ACCEPT].by == FRIDAY + 4 * HOUR + 2 * HOUR, "there is time to accept anew, over lunch"


def test_giving_back_needs_a_reason() -> None:
    refused = handling.give_back(accepted(), district="east", city=CITY, at=FRIDAY, actor=CREW, reason=" ")
    assert refused is Refusal.NO_REASON


def test_the_second_return_goes_to_the_arbiter_whose_word_is_final() -> None:
    again = given_back(assigned(given_back(accepted()), "gas"))
    assert (again.unit, again.bounces) == ("city-cg", 2)
    decided = assigned(again, "water")
    refused = handling.give_back(decided, district="east", city=CITY, at=FRIDAY, actor=CREW, reason="not ours")
    assert refused is Refusal.ARBITRATED
    assert decided.fix_by == opened().fix_by


def test_what_the_district_gives_back_goes_to_the_arbiter_at_once() -> None:
    assert given_back(assigned(opened(), "east-cg")).unit == "city-cg"


def test_without_an_arbiter_the_district_decides() -> None:
    returned = handling.give_back(
        assigned(given_back(accepted()), "gas"),
        district="east",
        city=city(arbiter=""),
        at=FRIDAY,
        actor=CREW,
        reason="no",
    )
    assert taken(returned).unit == "east-cg"


def test_a_case_is_assigned_to_units_that_exist_and_with_a_reason() -> None:
    assert handling.assign(opened(), "nobody", city=CITY, at=FRIDAY, actor="x", reason="y") is Refusal.UNKNOWN_UNIT
    joint = handling.assign(opened(), "gas", joint=("mars",), city=CITY, at=FRIDAY, actor="x", reason="y")
    assert joint is Refusal.UNKNOWN_UNIT
    assert handling.assign(opened(), "gas", city=CITY, at=FRIDAY, actor="x", reason="") is Refusal.NO_REASON


def test_units_that_answer_jointly_stand_beside_the_lead() -> None:
    case = taken(
        handling.assign(opened(), "gas", joint=("gas", "water"), city=CITY, at=FRIDAY, actor="street", reason="leak")
    )
    assert (case.unit, case.joint) == ("gas", ("water",))


def test_clocks_stop_for_listed_reasons_only() -> None:
    assert handling.suspend(accepted(), "holiday", city=CITY, at=FRIDAY, actor=CREW) is Refusal.NOT_LISTED


def test_a_pause_moves_every_deadline_that_was_still_to_come() -> None:
    paused = taken(handling.suspend(on_site(FRIDAY + HOUR / 4), "permit", city=CITY, at=FRIDAY + HOUR, actor=CREW))
    assert (paused.state, paused.pause_until) == (State.SUSPENDED, None)
    back = handling.resume(paused, calendar=CITY.calendar, at=FRIDAY + 11 * HOUR, actor="desk").case
    assert (back.state, back.fix_by) == (State.ACCEPTED, FRIDAY + 12 * HOUR)
    assert back.red_at == opened().red_at + 10 * HOUR
    assert back.dues[Milestone.ARRIVE] == opened().dues[Milestone.ARRIVE], "reached before"
    assert back.paused_at is None


def test_a_pause_after_the_deadline_gives_no_time_back() -> None:
    late = taken(handling.suspend(accepted(), "permit", city=CITY, at=FRIDAY + 3 * HOUR, actor=CREW))
    back = handling.resume(late, calendar=CITY.calendar, at=FRIDAY + 9 * HOUR, actor="desk").case
    assert back.fix_by == opened().fix_by


def test_a_pause_over_a_weekend_takes_no_office_hours() -> None:
    plan = CasePlan.parse(problem="purifier_off", fix="6h office")
    start = datetime(2026, 11, 20, 16, tzinfo=SHANGHAI)
    paused = taken(handling.suspend(accepted(opened(plan, at=start), start), "permit", city=CITY, at=start, actor=CREW))
    monday = datetime(2026, 11, 23, 8, tzinfo=SHANGHAI)
    back = handling.resume(paused, calendar=CITY.calendar, at=monday, actor="desk").case
    assert back.fix_by == datetime(2026, 11, 23, 16, tzinfo=SHANGHAI)


def test_asking_for_more_time_moves_nothing_until_it_is_granted() -> None:
    asked = taken(
        handling.request_delay(accepted(), Allowance.parse("6h urgent"), at=FRIDAY, actor=CREW, reason="rock")
    )
    assert (asked.state, asked.fix_by) == (State.ACCEPTED, opened().fix_by)
    granted = taken(handling.grant_delay(asked, calendar=CITY.calendar, at=FRIDAY, actor="desk"))
    assert (granted.fix_by, granted.delays, granted.delay) == (opened().fix_by + 6 * HOUR, 1, None)


def test_a_refused_delay_leaves_the_deadline() -> None:
    asked = taken(
        handling.request_delay(accepted(), Allowance.parse("6h urgent"), at=FRIDAY, actor=CREW, reason="rock")
    )
    assert handling.refuse_delay(asked, at=FRIDAY, actor="desk", reason="") is Refusal.NO_REASON
    refused = taken(handling.refuse_delay(asked, at=FRIDAY, actor="desk", reason="it is sand"))
    assert (refused.fix_by, refused.delays, refused.delay) == (opened().fix_by, 0, None)


def test_one_delay_is_decided_before_the_next_is_asked_for() -> None:
    more = Allowance.parse("6h urgent")
    asked = taken(handling.request_delay(accepted(), more, at=FRIDAY, actor=CREW, reason="rock"))
    assert handling.request_delay(asked, more, at=FRIDAY, actor=CREW, reason="x") is Refusal.DELAY_PENDING
    assert handling.request_delay(accepted(), more, at=FRIDAY, actor=CREW, reason=" ") is Refusal.NO_REASON
    assert handling.grant_delay(accepted(), calendar=CITY.calendar, at=FRIDAY, actor="x") is Refusal.NO_DELAY_PENDING
    assert handling.refuse_delay(accepted(), at=FRIDAY, actor="x", reason="y") is Refusal.NO_DELAY_PENDING


def test_a_cancellation_keeps_its_reason_and_what_was_found() -> None:
    ended = handling.cancel(on_site(), at=FRIDAY, actor=CREW, reason=" lid was closed ", found=Finding.NOT_FOUND)
    assert said(ended) == [("cancel", "lid was closed")]
    assert (taken(ended).found, taken(ended).closed_at) == (Finding.NOT_FOUND, FRIDAY)
    refused = handling.cancel(on_site(), at=FRIDAY, actor=CREW, reason="", found=Finding.NOT_FOUND)
    assert refused is Refusal.NO_REASON


def test_reported_work_cannot_be_cancelled_away() -> None:
    with pytest.raises(IllegalMove):
        handling.cancel(finished(), at=FRIDAY, actor=CREW, reason="false alarm", found=Finding.NOT_FOUND)


def test_a_case_that_was_carried_has_what_was_left_on_its_clocks() -> None:
    carried = handling.merge(opened(), 7, at=FRIDAY + HOUR, actor="desk", reason="covered").case
    assert (carried.state, carried.parent) == (State.MERGED, 7)
    own = handling.split(carried, city=CITY, at=FRIDAY + 5 * HOUR, actor="desk", reason="still dark").case
    assert (own.state, own.parent, own.fix_by) == (State.DISPATCHED, None, FRIDAY + 6 * HOUR)


def test_work_on_site_is_not_merged_away() -> None:
    with pytest.raises(IllegalMove):
        handling.merge(on_site(), 7, at=FRIDAY, actor="desk", reason="covered")


def test_a_campaign_has_one_due_date_and_its_sheets_follow_from_it() -> None:
    due = FRIDAY + timedelta(days=10)
    case = handling.under_due_date(opened(), due, name="covers 2026", at=FRIDAY, actor="desk").case
    assert (case.fix_by, case.white_at, case.red_at) == (due, FRIDAY + timedelta(days=8), due + timedelta(days=10))


@pytest.mark.parametrize("state", [state for state, moves in CASE_TRANSITIONS.items() if Event.REQUEST_DELAY in moves])
def test_asking_for_and_deciding_a_delay_stays_in_the_state(state: State) -> None:
    moves = CASE_TRANSITIONS[state]
    assert {moves[event] for event in (Event.REQUEST_DELAY, Event.GRANT_DELAY, Event.REFUSE_DELAY)} == {state}
