from pathlib import Path

import pytest

from alarms.lifecycle import (
    ACTIVE,
    ALARM_TRANSITIONS,
    LATCHED,
    SEEN,
    Event,
    IllegalMoveError,
    State,
    after,
    diagram,
    state_of,
)

EVERY_PAIR = [(state, event) for state in State for event in Event]
DOCS = Path(__file__).parents[3] / "docs" / "alarms.md"
HUSHED = {State.SHELVED, State.SUPPRESSED, State.OUT_OF_SERVICE}
BARE = [state for state in State if state not in HUSHED]


def test_every_state_has_a_row_in_the_table() -> None:
    assert set(ALARM_TRANSITIONS) == set(State)


def test_every_event_moves_something() -> None:
    assert {event for moves in ALARM_TRANSITIONS.values() for event in moves} == set(Event)


def test_every_state_can_be_reached_from_normal_and_left_again() -> None:
    for start in State:
        reached, frontier = {start}, [start]
        while frontier:
            new = set(ALARM_TRANSITIONS[frontier.pop()].values()) - reached
            reached |= new
            frontier += new
        assert reached == set(State)


@pytest.mark.parametrize(("state", "event"), EVERY_PAIR)
def test_a_move_follows_the_table_or_is_refused_with_what_is_possible(state: State, event: Event) -> None:
    if event in ALARM_TRANSITIONS[state]:
        assert after(state, event) is ALARM_TRANSITIONS[state][event]
        return
    with pytest.raises(IllegalMoveError) as refused:
        after(state, event)
    possible = ", ".join(ALARM_TRANSITIONS[state])
    assert str(refused.value) == f"an alarm that is {state} cannot be {event}; possible: {possible}"


@pytest.mark.parametrize("state", BARE)
def test_the_state_is_nothing_but_its_memories(state: State) -> None:
    assert state_of(active=state in ACTIVE, acknowledged=state in SEEN, latched=state in LATCHED) is state


@pytest.mark.parametrize(("state", "event"), [(state, event) for state in BARE for event in ALARM_TRANSITIONS[state]])
def test_each_event_turns_its_own_memory(state: State, event: Event) -> None:
    target = ALARM_TRANSITIONS[state][event]
    active, seen, latched = target in ACTIVE, target in SEEN, target in LATCHED
    match event:
        case Event.RAISED | Event.ESCALATED:
            assert (active, seen, latched) == (True, False, False)  # worse than what was seen
        case Event.CLEARED:
            assert (active, seen) == (False, state in SEEN)
        case Event.LATCHED:
            assert (active, seen, latched) == (True, state in SEEN, True)
        case Event.ACKNOWLEDGED:
            assert (active, seen, latched) == (state in ACTIVE, True, state in LATCHED)
        case Event.RESET:
            assert (active, latched) == (False, False)
        case Event.SHELVED | Event.SUPPRESSED | Event.TAKEN_OUT:
            assert target in HUSHED
        case _:
            assert target is state


@pytest.mark.parametrize("hush", sorted(HUSHED))
def test_nothing_but_its_own_end_ends_a_hush(hush: State) -> None:
    ends = [event for event, target in ALARM_TRANSITIONS[hush].items() if target is not hush]
    assert [ALARM_TRANSITIONS[hush][event] for event in ends] == [State.NORMAL]


def test_what_a_person_must_look_at_ends_only_when_somebody_who_has_seen_it_says_so() -> None:
    ways_out = {
        (state, event)
        for state in LATCHED
        for event, target in ALARM_TRANSITIONS[state].items()
        if target not in LATCHED | HUSHED and event is not Event.RAISED
    }
    assert ways_out == {(State.LATCHED_ACKNOWLEDGED, Event.RESET)}


@pytest.mark.parametrize("event", [event for event in Event if event is not Event.RAISED])
def test_only_a_raised_condition_opens_an_alarm(event: Event) -> None:
    with pytest.raises(IllegalMoveError, match=r"an alarm that is normal cannot be [a-z_]+; possible: raised$"):
        after(State.NORMAL, event)


def test_the_diagram_in_the_documentation_is_this_table() -> None:
    assert f"```mermaid\n{diagram()}\n```" in DOCS.read_text(encoding="utf-8"), (
        "docs/alarms.md is stale: put there what alarms.lifecycle.diagram() returns"
    )
