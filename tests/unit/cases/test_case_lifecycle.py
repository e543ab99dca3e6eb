from pathlib import Path

import pytest

from cases.errors import IllegalMove
from cases.lifecycle import CASE_TRANSITIONS, OPEN_STATES, Event, State, advance, diagram

EVERY_PAIR = [(state, event) for state in State for event in Event]


def test_every_state_has_a_row_in_the_table() -> None:
    assert set(CASE_TRANSITIONS) == set(State)


def test_every_event_moves_something() -> None:
    assert {event for moves in CASE_TRANSITIONS.values() for event in moves} == set(Event)


def test_every_state_can_be_reached_from_filed_or_reported() -> None:
    reached, frontier = {State.FILED, State.REPORTED}, [State.FILED, State.REPORTED]
    while frontier:
        new = set(CASE_TRANSITIONS[frontier.pop()].values()) - reached
        reached |= new
        frontier += new
    assert reached == set(State)


def test_from_every_open_state_there_is_a_way_to_the_end() -> None:
    ends = {State.CLOSED, State.CANCELLED}
    for _ in State:
        ends |= {state for state, moves in CASE_TRANSITIONS.items() if ends & set(moves.values())}
    assert ends == set(State)


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


def test_a_cancelled_case_says_that_it_is_over() -> None:
    with pytest.raises(IllegalMove, match="the case is over"):
        advance(State.CANCELLED, Event.ACCEPT)


def test_a_closed_case_can_only_be_reopened() -> None:
    assert CASE_TRANSITIONS[State.CLOSED] == {Event.REOPEN: State.DISPATCHED}


def test_only_closed_and_cancelled_cases_are_not_open() -> None:
    assert set(State) - OPEN_STATES == {State.CLOSED, State.CANCELLED}


def test_the_diagram_in_the_documentation_is_that_of_the_table() -> None:
    page = (Path(__file__).parents[3] / "docs" / "cases.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{diagram()}\n```" in page, "put the output of cases.lifecycle.diagram() there"
