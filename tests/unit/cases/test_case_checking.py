from dataclasses import replace
from datetime import timedelta

import pytest

from cases import handling
from cases.case import Case, Finding, Milestone, Outcome, Step
from cases.checking import Evidence, Standard, confirm, judge, recover, reject
from cases.history import Because
from cases.joining import doubt
from cases.lifecycle import Refusal, State
from cases.opening import start_clocks
from tests.unit.cases.sample import CITY, FRIDAY, PLAN, opened, said, taken

HOUR = timedelta(hours=1)
STANDARD = Standard.of(timedelta(minutes=10))
UNTIL = FRIDAY + STANDARD.patience
GOOD = Evidence(readings=3, active=0, running=False)
SILENT = Evidence(readings=0, active=0, running=False)
SILENT_ACTIVE = replace(SILENT, active=1)


def verifying() -> Case:
    case = handling.accept(opened(), at=FRIDAY, actor="crew").case
    case = handling.arrive(case, at=FRIDAY, actor="crew").case
    return handling.finish(case, at=FRIDAY, actor="crew", result="", found=Finding.FOUND, until=UNTIL).case


def unverifiable() -> Case:
    given_up = judge(verifying(), SILENT, STANDARD, city=CITY, at=UNTIL)
    assert given_up is not None
    assert said(given_up) == [("give_up", "no_readings")]
    return given_up.case


def by_photo(active: int = 1) -> Step | Refusal:
    return confirm(
        unverifiable(), photo="photos/17.jpg", active=active, city=CITY, at=UNTIL, actor="li", reason="new cover"
    )


@pytest.mark.parametrize(
    ("heartbeat", "needed", "patience"),
    [(timedelta(minutes=10), 3, 26 * HOUR), (HOUR, 1, 26 * HOUR), (timedelta(days=1), 1, 49 * HOUR)],
)
def test_what_is_heard_seldom_needs_less_and_is_waited_for_longer(
    heartbeat: timedelta, needed: int, patience: timedelta
) -> None:
    assert Standard.of(heartbeat) == Standard(needed, patience)


def test_enough_good_readings_after_the_work_close_the_case() -> None:
    closed = judge(verifying(), GOOD, STANDARD, city=CITY, at=FRIDAY + HOUR)
    assert closed is not None
    assert said(closed) == [("close", Because.CLOSED_BY_EVIDENCE)]
    assert (closed.case.outcome, closed.case.closed_at) == (Outcome.EVIDENCE, FRIDAY + HOUR)


@pytest.mark.parametrize(
    "evidence",
    [replace(GOOD, readings=2), replace(GOOD, active=1), replace(GOOD, running=True), SILENT],
    ids=["too few", "an alarm is active", "a delay is running", "silence"],
)
def test_less_than_that_is_waited_for(evidence: Evidence) -> None:
    assert judge(verifying(), evidence, STANDARD, city=CITY, at=UNTIL - timedelta(seconds=1)) is None


def test_readings_that_never_get_well_are_rework() -> None:
    failed = judge(verifying(), replace(GOOD, active=1), STANDARD, city=CITY, at=UNTIL)
    assert failed is not None
    assert said(failed) == [("fail_check", Because.STILL_WRONG)]
    assert (failed.case.state, failed.case.rework, failed.case.failed_checks) == (State.ACCEPTED, 1, 1)
    assert failed.case.done_at is None
    assert failed.case.fix_by == opened().fix_by


def test_silence_proves_nothing_even_with_an_alarm_that_it_left_active() -> None:
    given_up = judge(verifying(), Evidence(0, 1, running=False), STANDARD, city=CITY, at=UNTIL)
    assert given_up is not None
    assert given_up.case.state is State.UNVERIFIABLE


def test_a_supervisor_closes_what_telemetry_could_not_by_a_photo_only() -> None:
    assert confirm(unverifiable(), photo=" ", active=1, city=CITY, at=UNTIL, actor="li") is Refusal.NO_PHOTO
    closed = by_photo()
    assert said(closed) == [("close", "photos/17.jpg: new cover")]
    assert (taken(closed).outcome, taken(closed).photo) == (Outcome.SUPERVISOR, "photos/17.jpg")
    assert taken(by_photo(active=0)).check is None, "nothing is left to be watched"


@pytest.mark.parametrize(
    ("evidence", "later", "becomes"),
    [
        (SILENT_ACTIVE, 23 * HOUR, None),
        (SILENT_ACTIVE, 24 * HOUR, Because.STILL_ACTIVE),
        (replace(GOOD, active=1), HOUR, Because.STILL_WRONG),
        (replace(GOOD, active=1, running=True), HOUR, None),
    ],
)
def test_an_alarm_that_outlives_its_photo_reopens_the_case(
    evidence: Evidence, later: timedelta, becomes: Because | None
) -> None:
    closed, at = taken(by_photo()), UNTIL + later
    made = doubt(closed, evidence, STANDARD, start_clocks(PLAN, closed.severity, CITY, at), at=at)
    assert (made and said(made)) == (becomes and [("reopen", becomes)])
    if made:
        assert (made.case.state, made.case.rework, made.case.check) == (State.DISPATCHED, 1, None)
        assert made.case.fix_by == at + 2 * HOUR


def test_a_photo_was_right_when_the_alarm_ends() -> None:
    closed = taken(by_photo())
    clocks = start_clocks(PLAN, closed.severity, CITY, UNTIL)
    assert doubt(closed, SILENT, STANDARD, clocks, at=UNTIL) == Step(replace(closed, check=None))


@pytest.mark.parametrize(("active", "refusal"), [(1, Refusal.ALARM_ACTIVE), (0, Refusal.TELEMETRY_DECIDES)])
def test_while_telemetry_is_asked_no_person_decides(active: int, refusal: Refusal) -> None:
    assert confirm(verifying(), photo="x.jpg", active=active, city=CITY, at=FRIDAY, actor="li") is refusal
    assert reject(verifying(), city=CITY, at=FRIDAY, actor="li", reason="no") is Refusal.TELEMETRY_DECIDES


def test_a_supervisor_may_send_unverifiable_work_back() -> None:
    assert reject(unverifiable(), city=CITY, at=UNTIL, actor="li", reason="") is Refusal.NO_REASON
    assert taken(reject(unverifiable(), city=CITY, at=UNTIL, actor="li", reason="bad photo")).rework == 1


def test_telemetry_that_speaks_late_still_closes() -> None:
    closed = judge(unverifiable(), GOOD, STANDARD, city=CITY, at=UNTIL + HOUR)
    assert closed is not None
    assert closed.case.outcome is Outcome.EVIDENCE


def test_silence_is_given_up_once() -> None:
    assert judge(unverifiable(), SILENT, STANDARD, city=CITY, at=UNTIL + HOUR) is None


def test_what_recovered_by_itself_is_watched_and_then_closed_as_that() -> None:
    watched = recover(opened(), STANDARD, city=CITY, at=FRIDAY).case
    assert watched.state is State.OBSERVING
    assert judge(watched, GOOD, STANDARD, city=CITY, at=FRIDAY + 2 * HOUR - timedelta(seconds=1)) is None
    closed = judge(watched, GOOD, STANDARD, city=CITY, at=FRIDAY + 2 * HOUR)
    assert closed is not None
    assert (closed.case.outcome, closed.case.done_at) == (Outcome.SELF_RECOVERED, None)


def test_what_recovered_and_then_fell_silent_is_for_a_person_and_sent_out_again_without_rework() -> None:
    watched = recover(opened(), STANDARD, city=CITY, at=FRIDAY).case
    given_up = judge(watched, SILENT, STANDARD, city=CITY, at=UNTIL)
    assert given_up is not None
    again = taken(reject(given_up.case, city=CITY, at=UNTIL, actor="li", reason="go and look"))
    assert (again.state, again.rework) == (State.DISPATCHED, 0)
    assert again.dues[Milestone.ACCEPT].by > UNTIL


def test_a_case_that_is_not_in_check_is_not_judged() -> None:
    assert judge(opened(), GOOD, STANDARD, city=CITY, at=UNTIL) is None
