"""The history of a case: appended to, never changed. Contracts and bonuses are settled by it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cases.lifecycle import Event, State, advance

SYSTEM = "system"


class Occurrence(StrEnum):
    """What is written into the history although the case does not move."""

    FILED = "filed"
    REPORTED = "reported"
    JOINED = "joined"
    ESCALATED = "escalated"
    ALARM_CLEARED = "alarm_cleared"
    UNANSWERED = "unanswered"
    MISSED = "missed"
    UNATTENDED = "unattended"
    SHEET = "sheet"
    SHEET_ANSWERED = "sheet_answered"
    NOTICE_ENDED = "notice_ended"
    ABSORBED = "absorbed"
    CAMPAIGN = "campaign"
    PHOTO = "photo"


class Because(StrEnum):
    """Why the system moved a case by itself."""

    WORK_REPORTED = "work_reported"
    CLOSED_BY_EVIDENCE = "closed_by_evidence"
    ALARM_AGAIN = "alarm_again"
    STILL_WRONG = "still_wrong"
    NO_READINGS = "no_readings"
    ALARMS_OVER = "alarms_over"
    STAYED_WELL = "stayed_well"
    PAUSE_OVER = "pause_over"
    PARENT_CLOSED = "parent_closed"
    STILL_ACTIVE = "still_active"
    REPAIR_DID_NOT_HOLD = "repair_did_not_hold"
    COVERED = "covered"
    TIME_USED = "time_used"
    OVERDUE = "overdue"
    FAR_OVERDUE = "far_overdue"
    CHECK_FAILED = "check_failed"
    CHECK_FAILED_AGAIN = "check_failed_again"
    NOBODY_TOOK_IT = "nobody_took_it"
    NOBODY_CLAIMED = "nobody_claimed"
    REPAIRED = "repaired"  # what the crews of a demonstration report


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
