"""What supervisors and administrators decide: supervision sheets, closed months, permits, who may sign in no more.

As in ``console.acting``, each function is one transaction with its line in the record of changes and its key.
"""

from datetime import datetime
from uuid import UUID

from cases.reports.periods import Period
from console.access import Action
from console.acting import LONGEST, span_of
from console.context import Context
from console.errors import BadInput, Conflict, Missing
from console.identity import Visitor
from console.moments import in_our_time
from console.performing import Answer, Deed, perform
from console.words import entry
from storage import console_store, month_close, permit_store
from storage.case_moves import CaseMoves
from storage.connection import Connection
from storage.month_close import MonthClosedError, MonthCloseError
from storage.permit_store import Permit


def answer_sheet(at: Context, who: Visitor, sheet: str, text: str, *, key: UUID | None = None) -> Answer:
    """Answer a supervision sheet."""
    if len(text) > LONGEST:
        raise BadInput("field_long", field=entry("field.answer"), most=str(LONGEST))

    def do(connection: Connection, now: datetime) -> Answer:
        if CaseMoves(connection, at.jobs, at.practice, at=now, actor=who.name).answer_sheet(sheet, text) is not None:
            raise BadInput("field_missing", field=entry("field.answer"))
        return {"sheet": sheet}

    return perform(at, who, Deed(Action.JUDGE, "sheet.answer", sheet, {"answer": text}, key), do)


def close_month(at: Context, who: Visitor, month: Period, *, key: UUID | None = None) -> Answer:
    """Freeze the scores of a month."""
    zone = at.city.calendar.timezone

    def do(connection: Connection, now: datetime) -> Answer:
        try:
            month_close.close_month(connection, month, zone, at=now, by=who.name)
        except MonthClosedError as error:
            when = f"{error.close.closed_at.astimezone(zone):%Y-%m-%d %H:%M}"
            raise Conflict("month_closed", month=month.name, by=error.close.closed_by, at=when) from error
        except MonthCloseError as error:
            raise Conflict("month_lasts", month=month.name) from error
        return {"month": month.name}

    return perform(at, who, Deed(Action.JUDGE, "month.close", month.name, {}, key), do)


def grant_permit(
    at: Context,
    who: Visitor,
    *,
    kind: str,
    target: str,
    start: datetime | None,
    span: str,
    holder: str,
    reason: str,
    key: UUID | None = None,
) -> Answer:
    """Permit work from ``start``, else from now, for ``span`` such as ``4h``; its number and how many devices."""
    long = span_of(span)

    def do(connection: Connection, now: datetime) -> Answer:
        since = start or now
        try:
            in_our_time(since + long)
        except (OverflowError, ValueError) as error:
            raise BadInput("field_wrong", field=entry("field.span"), text=entry("wrong.value_error")) from error
        permit = Permit(kind=kind, target=target, valid_from=since, valid_to=since + long, holder=holder, reason=reason)
        number, devices = permit_store.grant(connection, permit, at=now, actor=who.name)
        return {"permit": number, "devices": devices}

    said = {"kind": kind, "from": start and start.isoformat(), "for": span, "holder": holder, "reason": reason}
    return perform(at, who, Deed(Action.JUDGE, "permit.grant", target, said, key), do)


def revoke_permit(at: Context, who: Visitor, number: int, reason: str, *, key: UUID | None = None) -> Answer:
    """End a permit before its time."""

    def do(connection: Connection, now: datetime) -> Answer:
        permit_store.revoke(connection, number, at=now, actor=who.name, reason=reason)
        return {"permit": number}

    return perform(at, who, Deed(Action.JUDGE, "permit.revoke", str(number), {"reason": reason}, key), do)


def shut_out(at: Context, who: Visitor, username: str, reason: str, *, key: UUID | None = None) -> Answer:
    """End somebody's sessions and let them sign in no more; nobody does that to themselves."""

    def do(connection: Connection, now: datetime) -> Answer:
        if username == who.username:
            raise Conflict("user_oneself")
        if not console_store.disable(connection, username, now):
            raise Missing("user_missing", name=username)
        return {"user": username}

    return perform(at, who, Deed(Action.MANAGE, "user.disable", username, {"reason": reason}, key), do)
