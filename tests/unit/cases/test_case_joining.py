from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cases import handling
from cases.case import Case, Check, Finding, Milestone, Outcome
from cases.checking import Standard, recover
from cases.errors import IllegalMove
from cases.history import Because
from cases.joining import RaisedAlarm, alarm_cleared, escalate, join, reopen
from cases.lifecycle import AT_WORK, IN_CHECK, OPEN_STATES, State
from cases.opening import start_clocks
from cases.policy import Colour
from tests.unit.cases.sample import CITY, FRIDAY, PLAN, opened, said

NOW = FRIDAY + timedelta(hours=1)
EARLIER = NOW - timedelta(minutes=10)
STANDARD = Standard.of(timedelta(minutes=10))


def alarm(severity: int = 3, at: datetime = NOW, rule: str = "MH-01") -> RaisedAlarm:
    return RaisedAlarm(rule, severity, at)


def verifying(reported_at: datetime = EARLIER) -> Case:
    case = handling.accept(opened(), at=FRIDAY, actor="crew").case
    case = handling.arrive(case, at=FRIDAY, actor="crew").case
    return handling.finish(
        case, at=reported_at, actor="crew", result="", found=Finding.FOUND, until=reported_at + STANDARD.patience
    ).case


def test_an_alarm_of_no_higher_severity_only_joins() -> None:
    joined = join(opened(), alarm(rule="MH-02"), city=CITY, at=NOW)
    assert (joined.case.state, joined.case.severity) == (State.DISPATCHED, 3)
    assert said(joined) == [("joined", "MH-02")]


def test_a_graver_alarm_raises_the_severity_of_the_case() -> None:
    joined = join(opened(severity=2), alarm(4, rule="MH-02"), city=CITY, at=NOW)
    assert joined.case.severity == 4
    assert said(joined) == [("joined", "MH-02"), ("escalated", "2 > 4")]


def test_an_alarm_that_grows_worse_does_not_join_twice() -> None:
    worse = escalate(opened(severity=2), alarm(3), at=NOW)
    assert worse.case.severity == 3
    assert said(worse) == [("escalated", "2 > 3")]


def test_an_alarm_that_grows_no_worse_than_its_case_changes_nothing() -> None:
    assert escalate(opened(severity=4), alarm(3), at=NOW).entries == ()


def test_a_lesser_alarm_does_not_lower_it() -> None:
    assert join(opened(severity=4), alarm(1), city=CITY, at=NOW).case.severity == 4


def test_an_alarm_after_the_work_was_reported_is_a_failed_check() -> None:
    joined = join(verifying(), alarm(), city=CITY, at=NOW)
    assert (joined.case.state, joined.case.rework) == (State.ACCEPTED, 1)
    assert said(joined) == [("joined", "MH-01"), ("fail_check", Because.ALARM_AGAIN)]


def test_a_late_alarm_from_before_the_report_proves_nothing() -> None:
    assert join(verifying(NOW), alarm(at=EARLIER), city=CITY, at=NOW).case.state is State.VERIFYING


def test_an_alarm_during_rework_does_not_count_as_another_failed_check() -> None:
    reworked = join(verifying(), alarm(), city=CITY, at=NOW).case
    assert join(reworked, alarm(), city=CITY, at=NOW).case.rework == 1


@pytest.mark.parametrize("state", sorted(set(State) - OPEN_STATES))
def test_no_alarm_joins_a_case_that_is_over(state: State) -> None:
    with pytest.raises(IllegalMove, match="the case is over"):
        join(replace(opened(), state=state), alarm(), city=CITY, at=NOW)


def cleared(case: Case, active: int = 0) -> Case:
    return alarm_cleared(case, "MH-01", active=active, standard=STANDARD, city=CITY, at=NOW).case


def test_when_the_last_alarm_ends_before_anybody_came_the_case_is_watched() -> None:
    assert cleared(opened(), active=1).state is State.DISPATCHED
    watched = cleared(opened())
    assert watched.state is State.OBSERVING
    assert watched.check == Check(NOW, NOW + timedelta(hours=2), NOW + STANDARD.patience)


@pytest.mark.parametrize("state", sorted(OPEN_STATES - {State.DISPATCHED, State.ACCEPTED, State.RETURNED}))
def test_otherwise_an_alarm_that_ends_is_noted_and_moves_nothing(state: State) -> None:
    case = replace(opened(), state=state)
    if state in AT_WORK:
        case = case.at(Milestone.ARRIVE, FRIDAY)
    ended = alarm_cleared(case, "MH-01", active=0, standard=STANDARD, city=CITY, at=NOW)
    assert said(ended) == [("alarm_cleared", "MH-01")]
    assert ended.case.state is state


def test_what_had_recovered_relapses_and_its_clock_has_never_stopped() -> None:
    watched = recover(opened(), STANDARD, city=CITY, at=EARLIER).case
    again = join(watched, alarm(), city=CITY, at=NOW)
    assert said(again) == [("joined", "MH-01"), ("relapse", Because.ALARM_AGAIN)]
    assert (again.case.state, again.case.rework, again.case.fix_by) == (State.DISPATCHED, 0, opened().fix_by)
    assert again.case.state not in IN_CHECK
    assert again.case.attend_at == again.case.dues[Milestone.ACCEPT].by


def test_a_repair_that_did_not_hold_reopens_the_case_as_rework_on_fresh_clocks() -> None:
    closed = replace(
        verifying(), state=State.CLOSED, outcome=Outcome.EVIDENCE, closed_at=NOW, colour=Colour.YELLOW, failed_checks=1
    )
    later = NOW + timedelta(days=2)
    again = reopen(closed, alarm(4, at=later), start_clocks(PLAN, 4, CITY, later), at=later)
    assert said(again) == [("joined", "MH-01"), ("reopen", Because.REPAIR_DID_NOT_HOLD)]
    case = again.case
    assert (case.state, case.severity, case.rework, case.failed_checks) == (State.DISPATCHED, 4, 1, 0)
    assert (case.fix_by, case.colour, case.outcome, case.closed_at) == (
        later + timedelta(hours=2),
        Colour.NONE,
        None,
        None,
    )
