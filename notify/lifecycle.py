"""The life of a notification as a table.

Written with the case event that it tells of, a notification is *pending* until its channel has taken it, until it has
been tried for about a day, or until it turns out that it need not be sent. Only a person lets a failed one wait again.
What goes with another shares its fate.
"""

from collections.abc import Mapping
from enum import StrEnum

from devices import lifecycles


class State(StrEnum):
    """How far a notification is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"  # it needed not to be sent


class Event(StrEnum):
    """What happens to a notification."""

    DELIVER = "deliver"
    MISS = "miss"  # an attempt that another will follow
    GIVE_UP = "give_up"
    DROP = "drop"
    RETRY = "retry"


DELIVERY_TRANSITIONS: Mapping[State, Mapping[Event, State]] = {
    State.PENDING: {
        Event.DELIVER: State.DELIVERED,
        Event.MISS: State.PENDING,
        Event.GIVE_UP: State.FAILED,
        Event.DROP: State.DROPPED,
    },
    State.FAILED: {Event.RETRY: State.PENDING},
    State.DELIVERED: {},
    State.DROPPED: {},
}


def diagram() -> str:
    """The table as a Mermaid diagram, for the documentation."""
    return lifecycles.diagram(DELIVERY_TRANSITIONS, ["pending: case event"], [State.DELIVERED, State.DROPPED])
