from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cases.case import Milestone
from cases.lifecycle import State
from console.crew_view import Pressure, by_urgency, moves_by_state, next_due
from storage.crew_list import CrewCase

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
CASE = CrewCase(
    number="4201022026112000001",
    problem="cover_open",
    severity=3,
    state=State.DISPATCHED,
    open=True,
    unit="water",
    joint=[],
    opened_at=NOON,
    started_at=NOON,
    accept_by=NOON + HOUR,
    accepted_at=None,
    arrive_by=NOON + 2 * HOUR,
    arrived_at=None,
    safe_by=None,
    safe_at=None,
    fix_by=NOON + 5 * HOUR,
    done_at=None,
    rework=0,
    delay=None,
    pause="",
    incident=None,
    parent=None,
    district="east",
    device_id="1",
    kind="manhole",
    name="Cover 1",
    road="",
    grid="",
    lon=None,
    lat=None,
    alarms=1,
    carried=0,
    version=1,
)


def test_the_next_time_to_keep_is_the_first_that_is_not_reached() -> None:
    due = next_due(CASE)
    assert due is not None
    assert (due.milestone, due.by) == (Milestone.ACCEPT, NOON + HOUR)
    assert [due.pressure(NOON + minutes * HOUR / 60) for minutes in (0, 29, 30, 60)] == [
        Pressure.FINE,
        Pressure.FINE,
        Pressure.SOON,
        Pressure.OVER,
    ]
    accepted = next_due(replace(CASE, state=State.ACCEPTED, accepted_at=NOON))
    assert accepted is not None
    assert accepted.milestone is Milestone.ARRIVE


def test_a_case_that_waits_for_others_has_none() -> None:
    waiting = (State.VERIFYING, State.UNVERIFIABLE, State.OBSERVING, State.SUSPENDED, State.RETURNED)
    assert [next_due(replace(CASE, state=state)) for state in waiting] == [None] * len(waiting)


def test_what_can_be_worked_on_comes_first_then_the_gravest_then_what_is_due_first() -> None:
    checked = replace(CASE, number="checked", state=State.VERIFYING, severity=4)
    grave = replace(CASE, number="grave", severity=4)
    soon = replace(CASE, number="soon", accept_by=NOON)
    assert [case.number for case in by_urgency([checked, CASE, soon, grave])] == [
        "grave",
        "soon",
        CASE.number,
        "checked",
    ]


def test_a_phone_knows_where_each_move_leads() -> None:
    moves = moves_by_state()
    assert moves.keys() == set(State)
    assert moves["dispatched"] == {"accept": "accepted", "return": "returned"}
    assert moves["on_site"] == {"make_safe": "made_safe", "done": "verifying", "request_delay": "on_site"}
    assert moves["closed"] == {}
