"""The life of a case: one table, and the guards that the table cannot express.

Theory of operation. A case is *filed* the moment an alarm asks for it and *dispatched* in the same breath,
because a case without a responsible unit must not exist. The unit *accepts* it, the crew arrives *on site*,
reports the work *done*; the system then checks the result (*verifying*) and the case is *closed* by evidence,
or goes back to the unit as rework. A false alarm is *cancelled* at any time before the work is reported;
afterwards only the check decides.

The steps are those of the bureaus' platforms: file, dispatch, handle, report back, check, close (CJ/T 315).
States to come take their place in the same table: reported (a citizen's or inspector's report before it is
filed), made_safe (barrier up, repair pending), returned (wrong unit) and suspended (clock stopped with a
reason).

Does not: know who may do what, keep history, look at time.
"""

from enum import StrEnum

from cases.errors import IllegalMove


class State(StrEnum):
    """Where a case stands."""

    FILED = "filed"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    ON_SITE = "on_site"
    DONE = "done"
    VERIFYING = "verifying"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What moves a case."""

    DISPATCH = "dispatch"
    ACCEPT = "accept"
    ARRIVE = "arrive"
    FINISH = "finish"
    VERIFY = "verify"
    CLOSE = "close"
    FAIL_CHECK = "fail_check"
    CANCEL = "cancel"


CASE_TRANSITIONS: dict[State, dict[Event, State]] = {
    State.FILED: {Event.DISPATCH: State.DISPATCHED, Event.CANCEL: State.CANCELLED},
    State.DISPATCHED: {Event.ACCEPT: State.ACCEPTED, Event.CANCEL: State.CANCELLED},
    State.ACCEPTED: {Event.ARRIVE: State.ON_SITE, Event.CANCEL: State.CANCELLED},
    State.ON_SITE: {Event.FINISH: State.DONE, Event.CANCEL: State.CANCELLED},
    State.DONE: {Event.VERIFY: State.VERIFYING},
    # A failed check is rework: the same unit has it again, its clock has never stopped.
    State.VERIFYING: {Event.CLOSE: State.CLOSED, Event.FAIL_CHECK: State.ACCEPTED},
    State.CLOSED: {},
    State.CANCELLED: {},
}

OPEN_STATES = frozenset(state for state, moves in CASE_TRANSITIONS.items() if moves)


class Refusal(StrEnum):
    """Why a guard says no to a move that the table has."""

    NOT_VERIFYING = "not_verifying"
    ALARM_ACTIVE = "alarm_active"
    NO_REASON = "no_reason"


def advance(state: State, event: Event) -> State:
    """The state after the event.

    Raises:
        IllegalMove: naming the state, the event and what is possible now.
    """
    moves = CASE_TRANSITIONS[state]
    if event not in moves:
        raise IllegalMove(state, event, [*moves])
    return moves[event]


def may_close(state: State, active_alarms: int) -> Refusal | None:
    """Whether a case may be closed: work was reported and none of its alarms is active any more."""
    if state is not State.VERIFYING:
        return Refusal.NOT_VERIFYING
    return Refusal.ALARM_ACTIVE if active_alarms else None


def may_cancel(reason: str) -> Refusal | None:
    """Whether a case may be cancelled: only with a written reason, for false alarms count in the figures."""
    return None if reason.strip() else Refusal.NO_REASON
