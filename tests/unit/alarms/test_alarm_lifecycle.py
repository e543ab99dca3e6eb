import pytest

from alarms.lifecycle import ACTIVE, ALARM_TRANSITIONS, SEEN, Event, IllegalMoveError, State, after, state_of

EVERY_PAIR = [(state, event) for state in State for event in Event]


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


@pytest.mark.parametrize("state", [*State])
def test_the_state_is_nothing_but_the_two_memories(state: State) -> None:
    assert state_of(active=state in ACTIVE, acknowledged=state in SEEN) is state


@pytest.mark.parametrize(("state", "event"), [(state, event) for state in State for event in ALARM_TRANSITIONS[state]])
def test_each_event_turns_its_own_memory(state: State, event: Event) -> None:
    active, seen = ALARM_TRANSITIONS[state][event] in ACTIVE, ALARM_TRANSITIONS[state][event] in SEEN
    match event:
        case Event.RAISED:
            assert (active, seen) == (True, False)
        case Event.ESCALATED:
            assert (active, seen) == (True, False)  # worse than what was seen
        case Event.CLEARED:
            assert (active, seen) == (False, state in SEEN)
        case Event.ACKNOWLEDGED:
            assert (active, seen) == (state in ACTIVE, True)


@pytest.mark.parametrize("event", [event for event in Event if event is not Event.RAISED])
def test_only_a_raised_condition_opens_an_alarm(event: Event) -> None:
    with pytest.raises(IllegalMoveError, match=r"an alarm that is normal cannot be [a-z]+; possible: raised$"):
        after(State.NORMAL, event)
