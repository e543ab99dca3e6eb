"""The life of a quarantined message as a table.

A message that could not be read *waits*. A person may have it *asked* for again, and the collector tries: nothing of it
is refused any more, and it is *replayed*; or something is, and it waits as before. A person may give it up with a
reason, asked for or not. The row stays, whatever became of it.
"""

from collections.abc import Mapping
from enum import StrEnum

from devices import lifecycles


class State(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    ASKED = "asked"
    REPLAYED = "replayed"
    DROPPED = "dropped"


class Event(StrEnum):
    """What happens to a message."""

    ASK = "ask"
    REFUSE = "refuse"
    RESOLVE = "resolve"
    DROP = "drop"


QUARANTINE_TRANSITIONS: Mapping[State, Mapping[Event, State]] = {
    State.WAITING: {Event.ASK: State.ASKED, Event.DROP: State.DROPPED},
    State.ASKED: {
        Event.ASK: State.ASKED,
        Event.REFUSE: State.WAITING,
        Event.RESOLVE: State.REPLAYED,
        Event.DROP: State.DROPPED,
    },
    State.REPLAYED: {},
    State.DROPPED: {},
}


def diagram() -> str:
    """The table as a Mermaid diagram, for the documentation."""
    return lifecycles.diagram(QUARANTINE_TRANSITIONS, ["waiting: cannot be read"], [State.REPLAYED, State.DROPPED])
