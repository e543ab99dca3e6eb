"""The life of an alarm as a table.

ISA-18.2 keeps two memories apart: whether the condition is *active*, and whether somebody has *acknowledged* it. The
state is derived from the two. An alarm is open until it is both back to normal and acknowledged; a condition that
comes back while its alarm is open is another occurrence of the same alarm, and must be acknowledged anew.
"""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Named as in ISA-18.2 (states A to D of its figure)."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"  # active, nobody has said "seen"
    ACKNOWLEDGED = "acknowledged"  # active, somebody has
    RETURNED = "returned"  # back to normal before anybody said "seen"


class Event(StrEnum):
    """What happens to an alarm."""

    RAISED = "raised"
    ESCALATED = "escalated"
    CLEARED = "cleared"
    ACKNOWLEDGED = "acknowledged"


ALARM_TRANSITIONS: Mapping[State, Mapping[Event, State]] = {
    State.NORMAL: {
        Event.RAISED: State.UNACKNOWLEDGED,
    },
    State.UNACKNOWLEDGED: {
        Event.ESCALATED: State.UNACKNOWLEDGED,
        Event.ACKNOWLEDGED: State.ACKNOWLEDGED,
        Event.CLEARED: State.RETURNED,
    },
    State.ACKNOWLEDGED: {
        Event.ESCALATED: State.UNACKNOWLEDGED,  # worse than what was seen
        Event.CLEARED: State.NORMAL,
    },
    State.RETURNED: {
        Event.RAISED: State.UNACKNOWLEDGED,
        Event.ACKNOWLEDGED: State.NORMAL,
    },
}

ACTIVE = frozenset({State.UNACKNOWLEDGED, State.ACKNOWLEDGED})
SEEN = frozenset({State.NORMAL, State.ACKNOWLEDGED})


class IllegalMoveError(Exception):
    """An event that cannot happen to an alarm in its state."""

    def __init__(self, state: State, event: Event) -> None:
        possible = ", ".join(ALARM_TRANSITIONS[state])
        super().__init__(f"an alarm that is {state} cannot be {event}; possible: {possible}")


def after(state: State, event: Event) -> State:
    """The state that follows.

    Raises:
        IllegalMoveError: if the table knows no such move.
    """
    try:
        return ALARM_TRANSITIONS[state][event]
    except KeyError:
        raise IllegalMoveError(state, event) from None


def state_of(*, active: bool, acknowledged: bool) -> State:
    """The state that the two memories amount to."""
    if active:
        return State.ACKNOWLEDGED if acknowledged else State.UNACKNOWLEDGED
    return State.NORMAL if acknowledged else State.RETURNED
