"""What a visitor does: every move of a case or an alarm, photos, reports. Desk, crew page and API call this.

Each function is one transaction: whether the visitor may, whether the case is theirs, the move itself, its line in the
record of changes, its key. It raises ``console.errors.ConsoleError`` and has then done nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID

from alarms.lifecycle import State as AlarmState
from cases.case import Finding
from cases.clocks import Allowance
from cases.lifecycle import Refusal, State
from cases.photos import Photo
from cases.words import Section, vocabulary
from console.access import Action
from console.context import Context
from console.errors import BadInput, Conflict, NotAllowed, Stale
from console.identity import Visitor, theirs
from console.moves import ALARM_MOVES, CASE_MOVES, AlarmMove, CaseMove, Plan
from console.performing import Answer, Deed, perform
from console.words import entry
from rules.durations import parse_duration
from storage import desk
from storage.alarm_list import list_alarms
from storage.alarm_moves import AlarmMoves
from storage.case_book import UnknownCaseError
from storage.case_moves import CaseMoves
from storage.case_reports import Told, facility_near
from storage.case_standing import Standing, standing
from storage.connection import Connection

LONGEST = 2000  # characters of what is said with a move: several pages
# Clocks of phones and machines are set so well (project default): what seems earlier by less happened at that moment.
SKEW = timedelta(minutes=10)
_SAYING_MORE_HELPS = frozenset(
    {Refusal.NO_REASON, Refusal.NO_PHOTO, Refusal.NOT_LISTED, Refusal.UNKNOWN_UNIT, Refusal.OWN_PARENT}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said with a move; ``console.moves`` has which move takes what.

    Attributes:
        reason: Why.
        result: What was found and done.
        found: What was there, one of ``cases.case.Finding``.
        unit: Who gets the case.
        joint: Who answers for it beside.
        pause: Why clocks stop, one of those that the city lists.
        more: How much more time, as in rule packs: ``24h natural``, ``2d work``.
        photo: Where the photo is, if it is not the case's last.
        members: Numbers of the cases to take in.
        span: For how long an alarm is shelved: ``30m``, ``4h``.
        once: Only until it clears.
    """

    reason: str = ""
    result: str = ""
    found: str = ""
    unit: str = ""
    joint: tuple[str, ...] = ()
    pause: str = ""
    more: str = ""
    photo: str = ""
    members: tuple[str, ...] = ()
    span: str = ""
    once: bool = False

    @classmethod
    def of(cls, plan: Plan, given: Mapping[str, Any]) -> "Said":
        """What of a form or a document belongs to a move; empty is as good as not given.

        Raises:
            BadInput: naming the field that is missing, too long, or does not belong here.
        """
        filled = {name: value for name, value in given.items() if value not in ("", None, (), [], False)}
        for name, value in filled.items():
            if name not in {*plan.required, *plan.optional}:
                raise BadInput("field_unknown", field=name)
            if isinstance(value, str) and len(value) > LONGEST:
                raise BadInput("field_long", field=entry(f"field.{name}"), most=str(LONGEST))
        for name in plan.required:
            if not filled.get(name) or not str(filled[name]).strip():
                raise BadInput("field_missing", field=entry(f"field.{name}"))
        lists = {name: tuple(value) for name, value in filled.items() if name in {"joint", "members"}}
        return cls(**{**filled, **lists})

    def written(self) -> dict[str, Any]:
        """As it stays on record."""
        return {name: value for name, value in asdict(self).items() if value}


_RUN: Mapping[CaseMove, Callable[[CaseMoves, str, Said], Refusal | int | None]] = {
    CaseMove.ACCEPT: lambda moves, number, said: moves.accept(number, said.reason),
    CaseMove.ARRIVE: lambda moves, number, said: moves.arrive(number, said.reason),
    CaseMove.MAKE_SAFE: lambda moves, number, said: moves.make_safe(number, said.reason),
    CaseMove.DONE: lambda moves, number, said: moves.done(number, said.result, _finding(said, Finding.FOUND)),
    CaseMove.RETURN: lambda moves, number, said: moves.give_back(number, said.reason),
    CaseMove.REQUEST_DELAY: lambda moves, number, said: moves.request_delay(number, _allowance(said), said.reason),
    CaseMove.FILE: lambda moves, number, said: moves.file(number, said.reason),
    CaseMove.ASSIGN: lambda moves, number, said: moves.assign(number, said.unit, said.reason, said.joint),
    CaseMove.SUSPEND: lambda moves, number, said: moves.suspend(number, said.pause, said.reason),
    CaseMove.RESUME: lambda moves, number, said: moves.resume(number, said.reason),
    CaseMove.MERGE: lambda moves, number, said: moves.merge(number, said.members, said.reason),
    CaseMove.SPLIT: lambda moves, number, said: moves.split(number, said.reason),
    CaseMove.GRANT_DELAY: lambda moves, number, said: moves.grant_delay(number, said.reason),
    CaseMove.REFUSE_DELAY: lambda moves, number, said: moves.refuse_delay(number, said.reason),
    CaseMove.CONFIRM: lambda moves, number, said: moves.confirm(number, said.photo, said.reason),
    CaseMove.REJECT: lambda moves, number, said: moves.reject(number, said.reason),
    CaseMove.CANCEL: lambda moves, number, said: moves.cancel(number, said.reason, _finding(said, Finding.NOT_FOUND)),
}


def move_case(
    at: Context,
    who: Visitor,
    number: str,
    move: CaseMove,
    given: Mapping[str, Any],
    *,
    key: UUID | None = None,
    happened: datetime | None = None,
    seen: int | None = None,
) -> Answer:
    """Move a case; its number, state and last line of history after that.

    Args:
        at: The console.
        who: The visitor.
        number: The case.
        move: What to do.
        given: What was said with it, by the fields of ``CASE_MOVES``.
        key: The visitor's key for this move.
        happened: When it was done out there, aware; now where nothing is said.
        seen: The last line of history that the visitor has seen: if there is a later one, nothing is done.
    """
    said = Said.of(CASE_MOVES[move], given)

    def do(connection: Connection, now: datetime) -> Answer:
        before = _theirs(connection, who, number, move)
        if seen is not None and seen != before.last:
            raise Stale("case_changed", number=number)
        moment = now if happened is None else _plausible(happened, before, now, at.city.calendar.timezone)
        moves = CaseMoves(connection, at.jobs, at.practice, at=moment, actor=who.name)
        refusal = _RUN[move](moves, number, said)
        if isinstance(refusal, Refusal):
            kind = BadInput if refusal in _SAYING_MORE_HELPS else Conflict
            raise kind("case_refused", why=vocabulary()[Section.REASONS][refusal])
        return _standing_now(connection, number)

    said_too = {"happened": happened.isoformat()} if happened else {}
    deed = Deed(CASE_MOVES[move].action, f"case.{move}", number, {**said.written(), **said_too}, key)
    return perform(at, who, deed, do)


def add_photo(
    at: Context,
    who: Visitor,
    number: str,
    photo: Photo,
    *,
    key: UUID | None = None,
    happened: datetime | None = None,
) -> Answer:
    """Keep a photo with a case, as evidence; how the case stands, and the photo's SHA-256."""
    hashed = photo.hash.hex()

    def do(connection: Connection, now: datetime) -> Answer:
        _theirs(connection, who, number)
        moves = CaseMoves(connection, at.jobs, at.practice, at=now, actor=who.name)
        moves.add_photo(number, photo, min(happened or now, now))
        return {**_standing_now(connection, number), "photo": hashed}

    said = {"photo": hashed, **({"happened": happened.isoformat()} if happened else {})}
    return perform(at, who, Deed(Action.WORK, "case.photo", number, said, key), do)


def move_alarms(
    at: Context,
    who: Visitor,
    ids: Sequence[int],
    move: AlarmMove,
    given: Mapping[str, Any],
    *,
    key: UUID | None = None,
) -> Answer:
    """Move alarms, all of them or none; their numbers."""
    return _move_alarms(at, who, " ".join(map(str, ids)), lambda _connection: ids, move, given, key)


def move_marked(
    at: Context,
    who: Visitor,
    ids: Sequence[int],
    cases: Sequence[str],
    move: AlarmMove,
    given: Mapping[str, Any],
    *,
    key: UUID | None,
) -> Answer:
    """Move those of these alarms and of the alarms of these cases for which it is possible now; their numbers."""

    def meant(connection: Connection) -> Sequence[int]:
        asked = [*ids, *desk.alarms_of(connection, cases)]
        listed = list_alarms(connection, everything=True, ids=asked, limit=len(asked)) if asked else []
        found = [each.id for each in listed if AlarmState(each.state) in ALARM_MOVES[move].states]
        if not found:
            raise Conflict("no_alarm_for_this")
        return found

    # On record is what was marked, and sent again it is the same, whatever is possible by then.
    return _move_alarms(at, who, " ".join([*map(str, ids), *cases]), meant, move, given, key)


def _move_alarms(
    at: Context,
    who: Visitor,
    target: str,
    meant: Callable[[Connection], Sequence[int]],
    move: AlarmMove,
    given: Mapping[str, Any],
    key: UUID | None,
) -> Answer:
    said = Said.of(ALARM_MOVES[move], given)

    def do(connection: Connection, now: datetime) -> Answer:
        ids, moves = meant(connection), AlarmMoves(connection, at=now, actor=who.name)
        match move:
            case AlarmMove.ACKNOWLEDGE:
                moves.acknowledge(ids, said.reason)
            case AlarmMove.SHELVE:
                moves.shelve(ids, span=span_of(said.span), reason=said.reason, once=bool(said.once))
            case AlarmMove.UNSHELVE:
                moves.unshelve(ids, said.reason)
            case AlarmMove.RESET:
                moves.reset(ids, said.reason)
        return {"alarms": list(ids)}

    return perform(at, who, Deed(ALARM_MOVES[move].action, f"alarm.{move}", target, said.written(), key), do)


def report(
    at: Context,
    who: Visitor,
    *,
    kind: str,
    problem: str,
    facility: str,
    text: str,
    severity: int,
    told: Told,
    key: UUID | None = None,
) -> Answer:
    """What somebody reports, of a facility or of the place in ``told``; the number of its case, new or known.

    A place means the facility of that kind within the city's distance that has an open case of the problem already,
    else the nearest.
    """

    def do(connection: Connection, now: datetime) -> Answer:
        meant = facility or _facility_at(connection, at, kind, problem, told)
        moves = CaseMoves(connection, at.jobs, at.practice, at=now, actor=who.name)
        return {"number": moves.report(meant, problem, text, severity, told)}

    said = {"problem": problem, "source": told.source.value, "lon": told.lon, "lat": told.lat, "text": text}
    return perform(at, who, Deed(Action.REPORT, "case.report", facility or told.address, said, key), do)


def _facility_at(connection: Connection, at: Context, kind: str, problem: str, told: Told) -> str:
    if told.lon is None or told.lat is None:
        raise BadInput("nowhere")
    within = at.report_within_m
    found = facility_near(connection, kind, problem, lon=told.lon, lat=told.lat, within=within)
    if found is None:
        raise BadInput("nothing_near", kind=kind, metres=f"{within:g}")
    return found


def span_of(text: str) -> timedelta:
    """How long, as rule packs say it: ``30m``, ``4h``.

    Raises:
        BadInput: saying how it is written.
    """
    try:
        return timedelta(microseconds=parse_duration(text))
    except (ValueError, OverflowError) as error:
        raise BadInput("field_wrong", field=entry("field.span"), text=entry("wrong.duration")) from error


def _theirs(connection: Connection, who: Visitor, number: str, move: CaseMove | None = None) -> Standing:
    """How the case stands, if it is one that the visitor works on."""
    found = theirs(standing(connection, number), number, who)
    if move is CaseMove.RETURN and not who.may(Action.LOOK) and who.unit != found.unit:
        raise NotAllowed("case_lead", number=number)
    return found


def _plausible(happened: datetime, before: Standing, now: datetime, zone: tzinfo) -> datetime:
    """When something can have happened that is said to have happened then; what is refused names the zone's time."""
    if happened > now:
        if happened - now > SKEW:
            raise BadInput("in_the_future")
        return now
    if before.moved_at is not None and happened < before.moved_at:
        if before.moved_at - happened > SKEW:
            raise BadInput("before_last_move", last=before.moved_at.astimezone(zone).isoformat(" ", "seconds"))
        return before.moved_at
    return happened


def _standing_now(connection: Connection, number: str) -> Answer:
    after = standing(connection, number)
    if after is None:
        raise UnknownCaseError(number)
    return {"number": number, "state": State(after.state).value, "unit": after.unit, "version": after.last}


def _finding(said: Said, otherwise: Finding) -> Finding:
    if said.found and said.found not in [*Finding]:
        raise BadInput("field_choice", field="found", value=said.found, choices=", ".join(Finding))
    return Finding(said.found) if said.found else otherwise


def _allowance(said: Said) -> Allowance:
    try:
        return Allowance.parse(said.more)
    except ValueError as error:
        raise BadInput("field_wrong", field=entry("field.more"), text=entry("wrong.allowance")) from error
