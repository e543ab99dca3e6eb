"""The life of an alarm as a table.

ISA-18.2 keeps memories apart: whether the alarm is *active*, whether somebody has *acknowledged* it, whether it is
*latched* until a person has looked, and whether it is hushed: *shelved* by an operator for a time, *suppressed* by
design because another alarm explains it, or *out of service* under a work permit. The state is derived from them. An
alarm is open until it is back to normal, acknowledged and no longer hushed; a condition that comes back while its
alarm is open is another occurrence of the same alarm, and must be acknowledged anew. When a hush ends the alarm is
normal, and raised anew if its condition is still there: whatever was hushed is then announced.
"""

from collections.abc import Mapping
from enum import StrEnum

from devices import lifecycles
from devices.errors import Permanent


class State(StrEnum):
    """The states of ISA-18.2, A to I of its figure."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"  # active, nobody has said "seen"
    ACKNOWLEDGED = "acknowledged"  # active, somebody has
    RETURNED = "returned"  # back to normal before anybody said "seen"
    LATCHED_UNACKNOWLEDGED = "latched_unacknowledged"  # the condition is gone; a person must look all the same
    LATCHED_ACKNOWLEDGED = "latched_acknowledged"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    OUT_OF_SERVICE = "out_of_service"


class Event(StrEnum):
    """What happens to an alarm."""

    RAISED = "raised"
    REPEATED = "repeated"  # raised again while chattering
    ESCALATED = "escalated"
    EASED = "eased"
    CLEARED = "cleared"
    LATCHED = "latched"
    ACKNOWLEDGED = "acknowledged"
    RESET = "reset"
    REMINDED = "reminded"
    CHATTERING = "chattering"
    CALMED = "calmed"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    TAKEN_OUT = "taken_out"
    PUT_BACK = "put_back"


_HUSHES = {
    Event.SHELVED: State.SHELVED,
    Event.SUPPRESSED: State.SUPPRESSED,
    Event.TAKEN_OUT: State.OUT_OF_SERVICE,
}
_WITHIN = (
    Event.RAISED, Event.REPEATED, Event.ESCALATED, Event.EASED, Event.CLEARED, Event.LATCHED, Event.ACKNOWLEDGED,
    Event.RESET, Event.CHATTERING, Event.CALMED,
)  # fmt: skip
_ACTIVE = (Event.EASED, Event.REPEATED, Event.CHATTERING, Event.CALMED)  # leave an active alarm where it is

ALARM_TRANSITIONS: Mapping[State, Mapping[Event, State]] = {
    State.NORMAL: {
        Event.RAISED: State.UNACKNOWLEDGED,
    },
    State.UNACKNOWLEDGED: {
        Event.ESCALATED: State.UNACKNOWLEDGED,
        Event.REMINDED: State.UNACKNOWLEDGED,
        Event.ACKNOWLEDGED: State.ACKNOWLEDGED,
        Event.CLEARED: State.RETURNED,
        Event.LATCHED: State.LATCHED_UNACKNOWLEDGED,
        **dict.fromkeys(_ACTIVE, State.UNACKNOWLEDGED),
        **_HUSHES,
    },
    State.ACKNOWLEDGED: {
        Event.ESCALATED: State.UNACKNOWLEDGED,  # worse than what was seen
        Event.CLEARED: State.NORMAL,
        Event.LATCHED: State.LATCHED_ACKNOWLEDGED,
        **dict.fromkeys(_ACTIVE, State.ACKNOWLEDGED),
        **_HUSHES,
    },
    State.RETURNED: {
        Event.RAISED: State.UNACKNOWLEDGED,
        Event.ACKNOWLEDGED: State.NORMAL,
        **_HUSHES,
    },
    State.LATCHED_UNACKNOWLEDGED: {
        Event.RAISED: State.UNACKNOWLEDGED,
        Event.REMINDED: State.LATCHED_UNACKNOWLEDGED,
        Event.ACKNOWLEDGED: State.LATCHED_ACKNOWLEDGED,
        **_HUSHES,
    },
    State.LATCHED_ACKNOWLEDGED: {
        Event.RAISED: State.UNACKNOWLEDGED,
        Event.RESET: State.NORMAL,
        **_HUSHES,
    },
    State.SHELVED: {**dict.fromkeys(_WITHIN, State.SHELVED), Event.UNSHELVED: State.NORMAL},
    State.SUPPRESSED: {**dict.fromkeys(_WITHIN, State.SUPPRESSED), Event.UNSUPPRESSED: State.NORMAL},
    State.OUT_OF_SERVICE: {**dict.fromkeys(_WITHIN, State.OUT_OF_SERVICE), Event.PUT_BACK: State.NORMAL},
}

LATCHED = frozenset({State.LATCHED_UNACKNOWLEDGED, State.LATCHED_ACKNOWLEDGED})
ACTIVE = frozenset({State.UNACKNOWLEDGED, State.ACKNOWLEDGED}) | LATCHED
SEEN = frozenset({State.NORMAL, State.ACKNOWLEDGED, State.LATCHED_ACKNOWLEDGED})


class IllegalMoveError(Permanent):
    """An event that cannot happen to an alarm in its state."""

    def __init__(self, state: State, event: Event) -> None:
        self.state = state
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


def state_of(*, active: bool, acknowledged: bool, latched: bool) -> State:
    """The state that the memories amount to, where nobody has hushed it."""
    if latched:
        return State.LATCHED_ACKNOWLEDGED if acknowledged else State.LATCHED_UNACKNOWLEDGED
    if active:
        return State.ACKNOWLEDGED if acknowledged else State.UNACKNOWLEDGED
    return State.NORMAL if acknowledged else State.RETURNED


def diagram() -> str:
    """The table as a Mermaid diagram, for the documentation; what leaves a state where it is, is left out."""
    return lifecycles.diagram(ALARM_TRANSITIONS, ["normal"], loops=False)
