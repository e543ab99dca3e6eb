"""What a crew sees of a case: which time it has to keep next, how urgent it is, what it can do. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cases.case import Milestone
from cases.clocks import Allowance
from cases.lifecycle import AT_WORK, CASE_TRANSITIONS, Event, State
from console.access import Action
from console.moves import CASE_MOVES, CaseMove
from storage.crew_list import CrewCase

# The buttons, in the order in which work goes.
MOVES = tuple(move for move, plan in CASE_MOVES.items() if plan.action is Action.WORK)
# What a crew can ask for at a touch; the desk knows every other form.
MORE_TIME = tuple(map(Allowance.parse, ("2h natural", "4h natural", "24h natural", "1d work", "2d work", "5d work")))
_WITH_THE_CREW = AT_WORK - {State.RETURNED}  # the desk decides whose a returned one is
_SOON = timedelta(minutes=30)
_EVENTS: Mapping[CaseMove, Event] = {
    CaseMove.ACCEPT: Event.ACCEPT,
    CaseMove.ARRIVE: Event.ARRIVE,
    CaseMove.MAKE_SAFE: Event.MAKE_SAFE,
    CaseMove.DONE: Event.FINISH,
    CaseMove.RETURN: Event.RETURN,
    CaseMove.REQUEST_DELAY: Event.REQUEST_DELAY,
}


class Pressure(StrEnum):
    """How a time to keep stands."""

    OVER = "over"
    SOON = "soon"
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class Due:
    """A time to keep next."""

    milestone: Milestone
    by: datetime

    def pressure(self, now: datetime) -> Pressure:
        """Whether it has passed, or is about to."""
        if self.by <= now:
            return Pressure.OVER
        return Pressure.SOON if self.by - now <= _SOON else Pressure.FINE


def next_due(case: CrewCase) -> Due | None:
    """The first time that the crew still has to keep; None while the case waits for somebody else."""
    if case.state not in _WITH_THE_CREW:
        return None
    open_dues = [
        Due(milestone, by)
        for milestone, by, reached in (
            (Milestone.ACCEPT, case.accept_by, case.accepted_at),
            (Milestone.ARRIVE, case.arrive_by, case.arrived_at),
            (Milestone.SAFE, case.safe_by, case.safe_at),
            (Milestone.FIX, case.fix_by, case.done_at),
        )
        if by is not None and reached is None
    ]
    return min(open_dues, key=lambda due: due.by, default=None)


def by_urgency(cases: Iterable[CrewCase]) -> list[CrewCase]:
    """What can be worked on first, the gravest first; among equals what is due first."""

    def urgency(case: CrewCase) -> tuple[bool, int, datetime]:
        due = next_due(case)
        return due is None, -case.severity, due.by if due else case.fix_by

    return sorted(cases, key=urgency)


def moves_by_state() -> dict[str, dict[str, str]]:
    """For each state the moves of a crew and the state that each leads to, so that a phone can go on by itself."""
    return {
        state.value: {
            move.value: _after(state, _EVENTS[move]).value for move in MOVES if state in CASE_MOVES[move].states
        }
        for state in State
    }


def _after(state: State, event: Event) -> State:
    after = CASE_TRANSITIONS[state][event]
    # The check begins with the report of the work.
    return CASE_TRANSITIONS[after][Event.VERIFY] if after is State.DONE else after
