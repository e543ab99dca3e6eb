"""Cases as people read them: lists, one case with its history, and the moves that people make."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from procrastinate import App
from psycopg import Connection
from psycopg.rows import class_row, dict_row

from cases.city import City
from cases.closing import cancel, close, finish
from cases.dispatching import StoredCase
from cases.history import Entry, move
from cases.lifecycle import Event, Refusal
from storage.case_book import CaseBook
from storage.queries import load

_SQL = load("cases")
_NOTIFY = load("notify")


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case in a list. Times are aware, in UTC; severity from 1, notice, to 4, critical."""

    number: str
    kind: str
    name: str
    road: str
    district: str
    problem: str
    severity: int
    state: str
    open: bool
    unit: str
    name_en: str
    name_zh: str
    reason: str
    opened_at: datetime
    arrive_by: datetime | None
    fix_by: datetime
    arrived_at: datetime | None
    done_at: datetime | None
    closed_at: datetime | None
    rework: int
    device_id: str


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One case with everything that belongs to it, as rows of the tables."""

    case: CaseRow
    history: list[dict[str, Any]]
    alarms: list[dict[str, Any]]
    notifications: list[dict[str, Any]]


def list_cases(
    connection: Connection,
    *,
    is_open: bool | None = None,
    unit: str | None = None,
    district: str | None = None,
    number: str | None = None,
    newest: bool = False,
    limit: int = 50,
) -> list[CaseRow]:
    """Cases, open ones first, the nearest deadline first; with ``newest`` in order of opening."""
    filters = {"open": is_open, "unit": unit, "district": district, "number": number}
    with connection.cursor(row_factory=class_row(CaseRow)) as cursor:
        return cursor.execute(_SQL["list_cases"], {**filters, "newest": newest, "limit": limit}).fetchall()


def case_file(connection: Connection, number: str) -> CaseFile | None:
    """Everything about a case; None if there is none of that number."""
    cases = list_cases(connection, number=number)
    if not cases:
        return None
    with connection.cursor(row_factory=dict_row) as cursor:
        parameters = {"number": number}
        return CaseFile(
            cases[0],
            cursor.execute(_SQL["case_history"], parameters).fetchall(),
            cursor.execute(_SQL["case_alarms"], parameters).fetchall(),
            cursor.execute(_NOTIFY["notifications_of_case"], parameters).fetchall(),
        )


class CaseMoves:
    """What people do to a case, each move in a transaction of its own.

    Every method raises ``UnknownCaseError`` for a number that does not exist and ``IllegalMove`` for a move that
    the case's state does not have; a guard that says no is returned as ``Refusal``.
    """

    def __init__(self, connection: Connection, jobs: App, city: City, *, at: datetime, actor: str) -> None:
        self._connection = connection
        self._book = CaseBook(connection, jobs, city)
        self._at = at
        self._actor = actor

    def accept(self, number: str, note: str = "") -> None:
        """The unit takes the case on, and has thereby seen its alarms."""
        with self._connection.transaction():
            case = self._book.by_number(number)
            accepted = move(case.case.state, Event.ACCEPT, at=self._at, actor=self._actor, reason=note)
            self._book.append(case, [accepted], case.case.severity)
            self._book.acknowledge_alarms(case, self._at, self._actor)

    def arrive(self, number: str, note: str = "") -> None:
        """The crew is on site."""
        with self._connection.transaction():
            case = self._book.by_number(number)
            arrived = move(case.case.state, Event.ARRIVE, at=self._at, actor=self._actor, reason=note)
            self._book.append(case, [arrived], case.case.severity)

    def done(self, number: str, result: str) -> bool:
        """The crew reports the work done; True if telemetry shows so already and the case is closed."""
        with self._connection.transaction():
            case = self._book.by_number(number)
            entries: list[Entry] = [*finish(case.case.state, at=self._at, actor=self._actor, result=result)]
            closed = close(entries[-1].state, active_alarms=self._book.active_alarms(case), at=self._at)
            if not isinstance(closed, Refusal):
                entries.append(closed)
            self._book.append(case, entries, case.case.severity)
            return not isinstance(closed, Refusal)

    def close(self, number: str) -> Refusal | None:
        """Close a case whose work was reported, if none of its alarms is active."""
        with self._connection.transaction():
            case = self._book.by_number(number)
            closed = close(case.case.state, active_alarms=self._book.active_alarms(case), at=self._at)
            return self._conclude(case, closed)

    def cancel(self, number: str, reason: str) -> Refusal | None:
        """Cancel a false alarm."""
        with self._connection.transaction():
            case = self._book.by_number(number)
            return self._conclude(case, cancel(case.case.state, at=self._at, actor=self._actor, reason=reason))

    def _conclude(self, case: StoredCase, outcome: Entry | Refusal) -> Refusal | None:
        if isinstance(outcome, Refusal):
            return outcome
        self._book.append(case, [outcome], case.case.severity)
        return None
