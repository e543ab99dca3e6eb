"""The life of a work permit as a table: time begins and ends it, a person may revoke it before its end."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from devices import lifecycles


class State(StrEnum):
    """Where a permit stands at a moment."""

    TO_COME = "to_come"
    IN_FORCE = "in_force"
    OVER = "over"
    REVOKED = "revoked"


class Event(StrEnum):
    """What happens to a permit."""

    BEGIN = "begin"
    END = "end"
    REVOKE = "revoke"


PERMIT_TRANSITIONS: Mapping[State, Mapping[Event, State]] = {
    State.TO_COME: {Event.BEGIN: State.IN_FORCE, Event.REVOKE: State.REVOKED},
    State.IN_FORCE: {Event.END: State.OVER, Event.REVOKE: State.REVOKED},
    State.OVER: {},
    State.REVOKED: {},
}


def state_at(at: datetime, valid_from: datetime, valid_to: datetime, revoked_at: datetime | None) -> State:
    """Where a permit stands at a moment; all times aware."""
    if revoked_at is not None and revoked_at <= at:
        return State.REVOKED
    if valid_to <= at:
        return State.OVER
    return State.IN_FORCE if valid_from <= at else State.TO_COME


def diagram() -> str:
    """The table as a Mermaid diagram, for the documentation."""
    return lifecycles.diagram(PERMIT_TRANSITIONS, ["to_come: granted"], [State.OVER, State.REVOKED])
