from datetime import UTC, datetime, timedelta

import pytest

from cases.errors import IllegalMove
from cases.history import Because, Occurrence
from cases.joining import OpenCase, RaisedAlarm, alarm_cleared, escalate, join
from cases.lifecycle import OPEN_STATES, Event, State

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=10)


def test_an_alarm_of_no_higher_severity_only_joins() -> None:
    joined = join(OpenCase(State.ACCEPTED, 3), RaisedAlarm("MH-02", 3, NOW), at=NOW)
    assert (joined.state, joined.severity) == (State.ACCEPTED, 3)
    assert [(entry.event, entry.reason) for entry in joined.entries] == [(Occurrence.JOINED, "MH-02")]


def test_a_graver_alarm_raises_the_severity_of_the_case() -> None:
    joined = join(OpenCase(State.DISPATCHED, 2), RaisedAlarm("MH-02", 4, NOW), at=NOW)
    assert joined.severity == 4
    assert [entry.event for entry in joined.entries] == [Occurrence.JOINED, Occurrence.ESCALATED]
    assert joined.entries[1].reason == "2 > 4"


def test_an_alarm_that_grows_worse_does_not_join_twice() -> None:
    worse = escalate(OpenCase(State.ACCEPTED, 2), RaisedAlarm("BR-01", 3, NOW), at=NOW)
    assert (worse.state, worse.severity) == (State.ACCEPTED, 3)
    assert [(entry.event, entry.reason) for entry in worse.entries] == [(Occurrence.ESCALATED, "2 > 3")]


def test_an_alarm_that_grows_no_worse_than_its_case_changes_nothing() -> None:
    assert escalate(OpenCase(State.ACCEPTED, 4), RaisedAlarm("BR-01", 3, NOW), at=NOW).entries == ()


def test_a_lesser_alarm_does_not_lower_it() -> None:
    assert join(OpenCase(State.DISPATCHED, 4), RaisedAlarm("MH-08", 1, NOW), at=NOW).severity == 4


def test_an_alarm_after_the_work_was_reported_is_a_failed_check() -> None:
    joined = join(OpenCase(State.VERIFYING, 3, EARLIER), RaisedAlarm("MH-01", 3, NOW), at=NOW)
    assert joined.state is State.ACCEPTED
    assert [entry.event for entry in joined.entries] == [Occurrence.JOINED, Event.FAIL_CHECK]
    assert joined.entries[1].reason == Because.ALARM_AGAIN


def test_a_late_alarm_from_before_the_report_proves_nothing() -> None:
    joined = join(OpenCase(State.VERIFYING, 3, NOW), RaisedAlarm("MH-01", 3, EARLIER), at=NOW)
    assert joined.state is State.VERIFYING


def test_an_alarm_during_rework_does_not_count_as_another_failed_check() -> None:
    joined = join(OpenCase(State.ON_SITE, 3, EARLIER), RaisedAlarm("MH-01", 3, NOW), at=NOW)
    assert joined.state is State.ON_SITE


@pytest.mark.parametrize("state", sorted(set(State) - OPEN_STATES))
def test_no_alarm_joins_a_case_that_is_over(state: State) -> None:
    with pytest.raises(IllegalMove, match="the case is over"):
        join(OpenCase(state, 3), RaisedAlarm("MH-01", 3, NOW), at=NOW)


@pytest.mark.parametrize("state", sorted(OPEN_STATES))
def test_an_alarm_that_clears_is_noted_and_moves_nothing(state: State) -> None:
    entry = alarm_cleared(state, "MH-01", at=NOW)
    assert (entry.event, entry.state, entry.reason) == (Occurrence.ALARM_CLEARED, state, "MH-01")
