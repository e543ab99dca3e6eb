"""The life of a case: one table, and the guards that the table cannot express.

Theory of operation. A case is *filed* the moment an alarm asks for it and *dispatched* in the same breath, because
a case without a responsible unit must not exist; a report by people is *reported* first and filed by the centre. The
unit *accepts* it, the crew arrives *on site*, may make the place *safe* before it is mended, and reports the work
*done*. The check begins at once (*verifying*): telemetry closes the case, or sends it back as rework, or stays silent;
then the case is *unverifiable* and a supervisor decides with a photo. A case whose alarms end before anybody came is
not repaired: it is *observing*, until it is closed as self-recovered or relapses.

Beside the straight way a unit may *return* a case that is not its own, which stops no clock; work may be *suspended*
for a listed reason, which does; a case may be *merged* into a parent that carries it. A delay is asked for and decided
while the work goes on: its three events move nothing. A case that was closed reopens when the repair did not hold.

The steps are those of the bureaus' platforms: report, file, dispatch, handle, report back, check, close (CJ/T 315).

Does not: know who may do what, keep history, look at time.
"""

from collections.abc import Mapping
from enum import StrEnum

from cases.errors import IllegalMove
from devices import lifecycles


class State(StrEnum):
    """Where a case stands."""

    REPORTED = "reported"
    FILED = "filed"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    ON_SITE = "on_site"
    MADE_SAFE = "made_safe"
    DONE = "done"
    VERIFYING = "verifying"
    UNVERIFIABLE = "unverifiable"
    OBSERVING = "observing"
    RETURNED = "returned"
    SUSPENDED = "suspended"
    MERGED = "merged"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What moves a case."""

    FILE = "file"
    DISPATCH = "dispatch"
    ACCEPT = "accept"
    ARRIVE = "arrive"
    MAKE_SAFE = "make_safe"
    FINISH = "finish"
    VERIFY = "verify"
    CLOSE = "close"
    FAIL_CHECK = "fail_check"
    GIVE_UP = "give_up"
    RECOVER = "recover"
    RELAPSE = "relapse"
    RETURN = "return"
    ASSIGN = "assign"
    SUSPEND = "suspend"
    RESUME = "resume"
    REQUEST_DELAY = "request_delay"
    GRANT_DELAY = "grant_delay"
    REFUSE_DELAY = "refuse_delay"
    MERGE = "merge"
    SPLIT = "split"
    REOPEN = "reopen"
    CANCEL = "cancel"


def _delays(state: State) -> dict[Event, State]:
    """Asking for more time stops nobody's work."""
    return dict.fromkeys((Event.REQUEST_DELAY, Event.GRANT_DELAY, Event.REFUSE_DELAY), state)


CASE_TRANSITIONS: Mapping[State, Mapping[Event, State]] = {
    State.REPORTED: {Event.FILE: State.FILED, Event.CANCEL: State.CANCELLED},
    State.FILED: {Event.DISPATCH: State.DISPATCHED, Event.CANCEL: State.CANCELLED},
    State.DISPATCHED: {
        Event.ACCEPT: State.ACCEPTED,
        Event.RETURN: State.RETURNED,
        Event.ASSIGN: State.DISPATCHED,
        Event.RECOVER: State.OBSERVING,
        Event.MERGE: State.MERGED,
        Event.CANCEL: State.CANCELLED,
    },
    State.ACCEPTED: {
        Event.ARRIVE: State.ON_SITE,
        Event.RETURN: State.RETURNED,
        Event.ASSIGN: State.DISPATCHED,
        Event.RECOVER: State.OBSERVING,
        Event.SUSPEND: State.SUSPENDED,
        Event.MERGE: State.MERGED,
        Event.CANCEL: State.CANCELLED,
        **_delays(State.ACCEPTED),
    },
    State.ON_SITE: {
        Event.MAKE_SAFE: State.MADE_SAFE,
        Event.FINISH: State.DONE,
        Event.SUSPEND: State.SUSPENDED,
        Event.CANCEL: State.CANCELLED,
        **_delays(State.ON_SITE),
    },
    State.MADE_SAFE: {
        Event.FINISH: State.DONE,
        Event.SUSPEND: State.SUSPENDED,
        **_delays(State.MADE_SAFE),
    },
    State.DONE: {Event.VERIFY: State.VERIFYING},
    # A failed check is rework: the same unit has it again, its clock has never stopped.
    State.VERIFYING: {
        Event.CLOSE: State.CLOSED,
        Event.FAIL_CHECK: State.ACCEPTED,
        Event.GIVE_UP: State.UNVERIFIABLE,
    },
    State.UNVERIFIABLE: {
        Event.CLOSE: State.CLOSED,
        Event.FAIL_CHECK: State.ACCEPTED,
        Event.RELAPSE: State.DISPATCHED,
    },
    State.OBSERVING: {
        Event.ARRIVE: State.ON_SITE,
        Event.RELAPSE: State.DISPATCHED,
        Event.CLOSE: State.CLOSED,
        Event.GIVE_UP: State.UNVERIFIABLE,
        Event.MERGE: State.MERGED,
        Event.CANCEL: State.CANCELLED,
    },
    State.RETURNED: {
        Event.ASSIGN: State.DISPATCHED,
        Event.RECOVER: State.OBSERVING,
        Event.MERGE: State.MERGED,
        Event.CANCEL: State.CANCELLED,
    },
    State.SUSPENDED: {Event.RESUME: State.ACCEPTED, Event.CANCEL: State.CANCELLED},
    State.MERGED: {Event.SPLIT: State.DISPATCHED, Event.CLOSE: State.CLOSED, Event.CANCEL: State.CANCELLED},
    State.CLOSED: {Event.REOPEN: State.DISPATCHED},
    State.CANCELLED: {},
}

OPEN_STATES = frozenset(State) - {State.CLOSED, State.CANCELLED}
# The unit has it, and its time runs.
AT_WORK = frozenset({State.DISPATCHED, State.ACCEPTED, State.ON_SITE, State.MADE_SAFE, State.RETURNED})
# Telemetry is asked.
IN_CHECK = frozenset({State.VERIFYING, State.UNVERIFIABLE, State.OBSERVING})
# Nobody has taken it on.
UNATTENDED = frozenset({State.DISPATCHED, State.RETURNED})


class Refusal(StrEnum):
    """Why a guard says no to a move that the table has."""

    NO_REASON = "no_reason"
    NO_PHOTO = "no_photo"
    ALARM_ACTIVE = "alarm_active"
    TELEMETRY_DECIDES = "telemetry_decides"
    ARBITRATED = "arbitrated"
    NOT_LISTED = "not_listed"
    UNKNOWN_UNIT = "unknown_unit"
    DELAY_PENDING = "delay_pending"
    NO_DELAY_PENDING = "no_delay_pending"
    OWN_PARENT = "own_parent"
    PARENT_OVER = "parent_over"


def advance(state: State, event: Event) -> State:
    """The state after the event.

    Raises:
        IllegalMove: naming the state, the event and what is possible now.
    """
    moves = CASE_TRANSITIONS[state]
    if event not in moves:
        raise IllegalMove(state, event, [*moves])
    return moves[event]


def diagram() -> str:
    """The table as a Mermaid diagram, for the documentation."""
    return lifecycles.diagram(CASE_TRANSITIONS, ["filed: alarm", "reported: people"], [State.CANCELLED])
