import pytest

from cases.errors import IllegalMove
from cases.lifecycle import (
    CASE_TRANSITIONS,
    OPEN_STATES,
    Event,
    Refusal,
    State,
    advance,
    may_cancel,
    may_close,
)

EVERY_PAIR = [(state, event) for state in State for event in Event]


def test_every_state_has_a_row_in_the_table() -> None:
    assert set(CASE_TRANSITIONS) == set(State)


def test_every_event_moves_something() -> None:
    assert {event for moves in CASE_TRANSITIONS.values() for event in moves} == set(Event)


def test_every_state_can_be_reached_from_filed() -> None:
    reached, frontier = {State.FILED}, [State.FILED]
    while frontier:
        new = set(CASE_TRANSITIONS[frontier.pop()].values()) - reached
        reached |= new
        frontier += new
    assert reached == set(State)


@pytest.mark.parametrize(("state", "event"), EVERY_PAIR)
def test_a_move_follows_the_table_or_is_refused_with_what_is_possible(state: State, event: Event) -> None:
    if event in CASE_TRANSITIONS[state]:
        assert advance(state, event) is CASE_TRANSITIONS[state][event]
        return
    with pytest.raises(IllegalMove) as refused:
        advance(state, event)
    assert state in str(refused.value)
    assert event in str(refused.value)
    for possible in CASE_TRANSITIONS[state]:
        assert possible in str(refused.value)


def test_the_straight_way_leads_from_filed_to_closed() -> None:
    state = State.FILED
    for event in [
        Event.DISPATCH,
        Event.ACCEPT,
        Event.ARRIVE,
        Event.FINISH,
        Event.VERIFY,
        Event.CLOSE,
    ]:
        state = advance(state, event)
    assert state is State.CLOSED


def test_rework_goes_back_to_the_unit_that_had_accepted() -> None:
    assert advance(State.VERIFYING, Event.FAIL_CHECK) is State.ACCEPTED


def test_a_closed_case_says_that_it_is_over() -> None:
    with pytest.raises(IllegalMove, match="the case is over"):
        advance(State.CLOSED, Event.ACCEPT)


def test_only_closed_and_cancelled_cases_are_not_open() -> None:
    assert set(State) - OPEN_STATES == {State.CLOSED, State.CANCELLED}


@pytest.mark.parametrize(
    ("state", "active_alarms", "refusal"),
    [
        (State.VERIFYING, 0, None),
        (State.VERIFYING, 2, Refusal.ALARM_ACTIVE),
        (State.ON_SITE, 0, Refusal.NOT_VERIFYING),
        (State.CLOSED, 0, Refusal.NOT_VERIFYING),
    ],
)
def test_closing_needs_reported_work_and_no_active_alarm(
    state: State, active_alarms: int, refusal: Refusal | None
) -> None:
    assert may_close(state, active_alarms) is refusal


def test_cancelling_needs_more_than_blanks_as_reason() -> None:
    assert may_cancel("  ") is Refusal.NO_REASON
    assert may_cancel("festival, cover opened by the gas company") is None
