"""The history of a case: appended to, never changed. Contracts and bonuses are settled by it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cases.lifecycle import Event, State, advance

SYSTEM = "system"


class Occurrence(StrEnum):
    """What is written into the history although the case does not move."""

    FILED = "filed"
    JOINED = "joined"
    ESCALATED = "escalated"
    ALARM_CLEARED = "alarm_cleared"
    UNANSWERED = "unanswered"


class Because(StrEnum):
    """Why the system moved a case by itself."""

    WORK_REPORTED = "work_reported"
    CLOSED_BY_EVIDENCE = "closed_by_evidence"
    ALARM_AGAIN = "alarm_again"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a case's history.

    ``at`` is when it was recorded (aware, UTC), ``state`` the state after it. ``actor`` is a person's or
    unit's id or "system"; ``reason`` is free text from people, and a stable word from the system: of
    ``Because``, of the routing reasons, the id of a rule, or ``2 > 4`` for a severity that rose.
    """

    at: datetime
    event: Event | Occurrence
    state: State
    actor: str
    reason: str


def move(state: State, event: Event, *, at: datetime, actor: str, reason: str = "") -> Entry:
    """The entry of a move.

    Raises:
        IllegalMove: where the table of the life cycle has no such move.
    """
    return Entry(at=at, event=event, state=advance(state, event), actor=actor, reason=reason)
