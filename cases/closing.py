"""How a case ends: by evidence after reported work, or cancelled with a written reason."""

from datetime import datetime

from cases.history import SYSTEM, Because, Entry, move
from cases.lifecycle import Event, Refusal, State, may_cancel, may_close


def finish(state: State, *, at: datetime, actor: str, result: str) -> tuple[Entry, Entry]:
    """The crew reports the work done; the check of the result begins at once.

    Raises:
        IllegalMove: where nobody is on site.
    """
    done = move(state, Event.FINISH, at=at, actor=actor, reason=result)
    return done, move(done.state, Event.VERIFY, at=at, actor=SYSTEM, reason=Because.WORK_REPORTED)


def close(state: State, *, active_alarms: int, at: datetime) -> Entry | Refusal:
    """Close by evidence: work was reported and no alarm of the case is active; else why not yet.

    To be asked whenever work is reported and whenever an alarm of the case clears.
    """
    refusal = may_close(state, active_alarms)
    if refusal is not None:
        return refusal
    return move(state, Event.CLOSE, at=at, actor=SYSTEM, reason=Because.CLOSED_BY_EVIDENCE)


def cancel(state: State, *, at: datetime, actor: str, reason: str) -> Entry | Refusal:
    """Cancel a false alarm; refused without a written reason.

    Raises:
        IllegalMove: where the work has been reported or the case is over.
    """
    return may_cancel(reason) or move(state, Event.CANCEL, at=at, actor=actor, reason=reason.strip())
