"""Doing something for a visitor: allowed, in one transaction, once, on record; what goes wrong said clearly."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from cases.errors import IllegalMove, NobodyResponsible, UnknownFacility
from cases.lifecycle import State
from cases.words import Section, vocabulary
from console.access import Action
from console.context import Context
from console.errors import BadInput, Conflict, ConsoleError, Missing, NotAllowed
from console.identity import Visitor
from console.moves import possible
from console.words import entry
from storage import console_store, console_trail
from storage.alarm_moves import AlarmMoveError, AlarmStateError, ShelvedTooLongError, UnknownAlarmError
from storage.case_book import UnknownCaseError
from storage.case_moves import UnknownSheetError
from storage.connection import Connection
from storage.permit_store import NothingCoveredError, PermitError, PermitOverError, UnknownPermitError

Answer = dict[str, Any]  # plain JSON


@dataclass(frozen=True, slots=True)
class Deed:
    """Something to be done.

    Attributes:
        action: What one must be allowed to.
        name: As it stands in the record of changes, such as ``case.accept``.
        target: What it is done to: a number or a name.
        said: What was said with it, plain JSON; it stays on record.
        key: The visitor's key for it: done again with the same key it is not done, and the same is answered.
    """

    action: Action
    name: str
    target: str
    said: Mapping[str, Any]
    key: UUID | None = None


def perform(at: Context, who: Visitor, deed: Deed, do: Callable[[Connection, datetime], Answer]) -> Answer:
    """Do it, or nothing of it, and answer.

    Raises:
        ConsoleError: saying why not.
    """
    if not who.may(deed.action):
        raise NotAllowed("role", role=entry(f"role.{who.role}"), action=entry(f"action.{deed.action}"))
    now = at.clock.now()
    with at.connection() as connection, connection.transaction():
        if deed.key is not None:
            asked = hashlib.sha256(msgspec.json.encode([deed.name, deed.target, deed.said], order="sorted")).digest()
            known = console_store.begin(connection, deed.key, who.identity, asked, now)
            if known is not None:
                if known.answer is None or (known.actor, known.asked) != (who.identity, asked):
                    raise BadInput("key_reused")
                return known.answer
        try:
            answer = do(connection, now)
        except _KNOWN as error:
            raise translated(error, who) from error
        console_trail.write(connection, who.doer, deed.name, deed.target, deed.said, at=now)
        if deed.key is not None:
            console_store.answer(connection, deed.key, answer)
    return answer


_KNOWN = (
    IllegalMove, UnknownCaseError, UnknownSheetError, UnknownFacility, NobodyResponsible, AlarmMoveError, PermitError
)  # fmt: skip


def translated(error: Exception, who: Visitor) -> ConsoleError:
    """An error of dispatch or of alarms in the words of the console, for this visitor."""
    said: ConsoleError = BadInput("told", text=str(error))
    match error:
        case IllegalMove():
            moves = [entry(f"move.{move}") for move in possible(who.role, State(error.state), delay_pending=False)]
            key = "case_state" if moves else "case_waits" if error.possible else "case_over"
            said = Conflict(key, state=vocabulary()[Section.STATES][error.state], possible=moves)
        case UnknownCaseError():
            said = Missing("case_missing", number=error.number)
        case UnknownSheetError():
            said = Missing("sheet_missing", number=error.number)
        case UnknownFacility():
            said = Missing("facility_missing", id=error.device_id)
        case NobodyResponsible():
            said = Conflict("nobody_responsible", district=error.district)
        case AlarmMoveError():
            said = _of_alarm(error)
        case PermitError():
            said = _of_permit(error)
    return said


def _of_alarm(error: AlarmMoveError) -> ConsoleError:
    match error:
        case UnknownAlarmError():
            return Missing("alarm_missing", number=str(error.alarm_id))
        case AlarmStateError():
            state = vocabulary()[Section.ALARM_STATES][error.state]
            return Conflict("alarm_state", number=str(error.alarm_id), state=state)
        case ShelvedTooLongError():
            return BadInput("shelved_too_long", most=f"{error.most / timedelta(hours=1):g}")
    return BadInput("told", text=str(error))


def _of_permit(error: PermitError) -> ConsoleError:
    match error:
        case NothingCoveredError():
            return BadInput("permit_of_nothing", target=error.target)
        case PermitOverError():
            return BadInput("permit_over")
        case UnknownPermitError():
            return Missing("permit_missing", number=str(error.number))
    return BadInput("told", text=str(error))
