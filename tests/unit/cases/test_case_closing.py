from datetime import UTC, datetime

import pytest

from cases.closing import cancel, close, finish
from cases.errors import IllegalMove
from cases.history import SYSTEM, Because, Entry
from cases.lifecycle import Event, Refusal, State

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_reported_work_is_checked_at_once() -> None:
    done, checking = finish(State.ON_SITE, at=NOW, actor="zhang", result="cover replaced")
    assert (done.event, done.state, done.actor, done.reason) == (
        Event.FINISH,
        State.DONE,
        "zhang",
        "cover replaced",
    )
    assert (checking.event, checking.state, checking.actor) == (Event.VERIFY, State.VERIFYING, SYSTEM)


def test_work_cannot_be_reported_from_afar() -> None:
    with pytest.raises(IllegalMove, match="possible now: arrive, cancel"):
        finish(State.ACCEPTED, at=NOW, actor="zhang", result="")


def test_a_case_whose_alarms_are_over_is_closed_by_evidence() -> None:
    assert close(State.VERIFYING, active_alarms=0, at=NOW) == Entry(
        NOW, Event.CLOSE, State.CLOSED, SYSTEM, Because.CLOSED_BY_EVIDENCE
    )


def test_a_case_with_an_active_alarm_stays_open_whatever_the_crew_says() -> None:
    assert close(State.VERIFYING, active_alarms=1, at=NOW) is Refusal.ALARM_ACTIVE


def test_a_case_that_recovered_by_itself_is_not_closed() -> None:
    assert close(State.DISPATCHED, active_alarms=0, at=NOW) is Refusal.NOT_VERIFYING


def test_a_false_alarm_is_cancelled_with_its_reason() -> None:
    entry = cancel(State.ON_SITE, at=NOW, actor="zhang", reason=" lid was closed ")
    assert entry == Entry(NOW, Event.CANCEL, State.CANCELLED, "zhang", "lid was closed")


def test_a_cancellation_without_a_reason_is_refused() -> None:
    assert cancel(State.ON_SITE, at=NOW, actor="zhang", reason="") is Refusal.NO_REASON


def test_reported_work_cannot_be_cancelled_away() -> None:
    with pytest.raises(IllegalMove):
        cancel(State.VERIFYING, at=NOW, actor="zhang", reason="false alarm")
