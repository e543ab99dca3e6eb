"""What a visitor can do to a case or an alarm: one table of moves, what each needs, and who may make it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from alarms.lifecycle import ALARM_TRANSITIONS
from alarms.lifecycle import Event as AlarmEvent
from alarms.lifecycle import State as AlarmState
from cases.lifecycle import CASE_TRANSITIONS, OPEN_STATES, Event, State
from console.access import MAY, Action, Role


class CaseMove(StrEnum):
    """What people do to a case."""

    ACCEPT = "accept"
    ARRIVE = "arrive"
    MAKE_SAFE = "make_safe"
    DONE = "done"
    RETURN = "return"
    REQUEST_DELAY = "request_delay"
    FILE = "file"
    ASSIGN = "assign"
    SUSPEND = "suspend"
    RESUME = "resume"
    MERGE = "merge"  # this case takes in others
    SPLIT = "split"
    GRANT_DELAY = "grant_delay"
    REFUSE_DELAY = "refuse_delay"
    CONFIRM = "confirm"
    REJECT = "reject"
    CANCEL = "cancel"


class AlarmMove(StrEnum):
    """What people do to alarms."""

    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Plan:
    """Who may make a move, in which states it exists, and which fields it takes."""

    action: Action
    states: frozenset[str]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


def _where(event: Event) -> frozenset[str]:
    return frozenset(state for state, moves in CASE_TRANSITIONS.items() if event in moves)


def _alarm_where(event: AlarmEvent) -> frozenset[str]:
    return frozenset(state for state, moves in ALARM_TRANSITIONS.items() if event in moves)


_UNVERIFIABLE = frozenset({State.UNVERIFIABLE})  # elsewhere telemetry decides

CASE_MOVES: Mapping[CaseMove, Plan] = {
    CaseMove.ACCEPT: Plan(Action.WORK, _where(Event.ACCEPT), (), ("reason",)),
    CaseMove.ARRIVE: Plan(Action.WORK, _where(Event.ARRIVE), (), ("reason",)),
    CaseMove.MAKE_SAFE: Plan(Action.WORK, _where(Event.MAKE_SAFE), (), ("reason",)),
    CaseMove.DONE: Plan(Action.WORK, _where(Event.FINISH), ("result",), ("found",)),
    CaseMove.RETURN: Plan(Action.WORK, _where(Event.RETURN), ("reason",)),
    CaseMove.REQUEST_DELAY: Plan(Action.WORK, _where(Event.REQUEST_DELAY), ("more", "reason")),
    CaseMove.FILE: Plan(Action.DISPATCH, _where(Event.FILE), (), ("reason",)),
    CaseMove.ASSIGN: Plan(Action.DISPATCH, _where(Event.ASSIGN), ("unit", "reason"), ("joint",)),
    CaseMove.SUSPEND: Plan(Action.DISPATCH, _where(Event.SUSPEND), ("pause",), ("reason",)),
    CaseMove.RESUME: Plan(Action.DISPATCH, _where(Event.RESUME), (), ("reason",)),
    CaseMove.MERGE: Plan(Action.DISPATCH, OPEN_STATES - {State.MERGED}, ("members", "reason")),
    CaseMove.SPLIT: Plan(Action.DISPATCH, _where(Event.SPLIT), ("reason",)),
    CaseMove.GRANT_DELAY: Plan(Action.JUDGE, _where(Event.GRANT_DELAY), (), ("reason",)),
    CaseMove.REFUSE_DELAY: Plan(Action.JUDGE, _where(Event.REFUSE_DELAY), ("reason",)),
    CaseMove.CONFIRM: Plan(Action.JUDGE, _UNVERIFIABLE, (), ("photo", "reason")),
    CaseMove.REJECT: Plan(Action.JUDGE, _UNVERIFIABLE, ("reason",)),
    CaseMove.CANCEL: Plan(Action.JUDGE, _where(Event.CANCEL), ("reason",), ("found",)),
}

ALARM_MOVES: Mapping[AlarmMove, Plan] = {
    AlarmMove.ACKNOWLEDGE: Plan(Action.DISPATCH, _alarm_where(AlarmEvent.ACKNOWLEDGED), (), ("reason",)),
    AlarmMove.SHELVE: Plan(Action.DISPATCH, _alarm_where(AlarmEvent.SHELVED), ("span", "reason"), ("once",)),
    AlarmMove.UNSHELVE: Plan(Action.DISPATCH, frozenset({AlarmState.SHELVED}), (), ("reason",)),
    AlarmMove.RESET: Plan(
        Action.DISPATCH,
        frozenset({AlarmState.LATCHED_ACKNOWLEDGED, AlarmState.LATCHED_UNACKNOWLEDGED}),
        ("reason",),
    ),
}

_DECIDE = frozenset({CaseMove.GRANT_DELAY, CaseMove.REFUSE_DELAY})


def possible(role: Role, state: State, *, delay_pending: bool) -> list[CaseMove]:
    """The moves that somebody of this role can make of a case in this state, in the table's order."""
    return [
        move
        for move, plan in CASE_MOVES.items()
        if plan.action in MAY[role]
        and state in plan.states
        and (delay_pending if move in _DECIDE else not delay_pending or move is not CaseMove.REQUEST_DELAY)
    ]


def possible_of_alarm(role: Role, state: AlarmState) -> list[AlarmMove]:
    """The moves that somebody of this role can make of an alarm in this state."""
    return [move for move, plan in ALARM_MOVES.items() if plan.action in MAY[role] and state in plan.states]
