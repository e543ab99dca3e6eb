"""Cases, sheets and units as people read them: lists in pages, one case with everything that belongs to it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, dict_row

from cases.dispatching import StoredCase
from rules.episodes import Visit
from storage.case_book import stored_of
from storage.case_clock import DOUBTFUL
from storage.queries import load

_SQL = load("cases")
_NOTIFY = load("notify")
_ENOUGH = 20  # good readings, more than any check asks for


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case in a list. Times are aware, in UTC; severity from 1, notice, to 4, critical.

    ``colour`` is the gravest supervision sheet: 0 none, 1 white, 2 yellow, 3 red. ``delay`` is what more time was asked
    for and is not decided; ``paused_at`` since when its clocks stand; ``parent`` the number of the case that carries
    it.
    """

    id: int
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
    colour: int
    delay: str | None
    paused_at: datetime | None
    incident: str | None
    parent: str | None
    device_id: str
    grid: str

    @property
    def runs(self) -> bool:
        """Whether its clock runs: it is open, no work is reported, nobody has stopped it."""
        return self.open and self.done_at is None and self.paused_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases; None means all.

    ``unit`` as lead or jointly, ``severity`` and ``colour`` at least; ``device`` by its id; ``due_before``: no work is
    reported, the deadline lies before and before any stop of the clock; ``undecided``: only what waits for the centre;
    ``text`` is a part of the case's number or the device's id, name or road, in any case.
    """

    unit: str | None = None
    district: str | None = None
    state: str | None = None
    problem: str | None = None
    severity: int | None = None
    colour: int | None = None
    kind: str | None = None
    device: str | None = None
    due_before: datetime | None = None
    undecided: bool = False
    text: str | None = None


@dataclass(frozen=True, slots=True)
class CasePlace:
    """Where in a list a page ended: the last case's deadline and id."""

    fix_by: datetime
    id: int


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A supervision sheet in a list. Times are aware, in UTC."""

    number: str
    case_number: str
    colour: int
    because: str
    unit: str
    name_en: str
    name_zh: str
    recipients: list[str]
    points: int
    issued_at: datetime
    reply_by: datetime
    answered_at: datetime | None
    answered_by: str | None
    answer: str


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit with its open cases, those past their deadline, and its sheets without an answer."""

    unit_id: str
    name_en: str
    name_zh: str
    open: int
    overdue: int
    unanswered: int


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One case with everything that belongs to it; history, alarms and notifications as rows of the tables.

    ``life`` is the case as decisions see it; ``good_readings`` how many have come since telemetry is asked, None where
    it is not.
    """

    case: CaseRow
    life: StoredCase
    good_readings: int | None
    history: list[dict[str, Any]]
    alarms: list[dict[str, Any]]
    notifications: list[dict[str, Any]]
    carried: list[CaseRow]
    sheets: list[SheetRow]

    @property
    def unit(self) -> str:
        """Who answers for it."""
        return self.case.unit

    @property
    def joint(self) -> Sequence[str]:
        """Who answers for it beside."""
        return self.life.case.joint


ALL = CaseFilter()


def open_cases(
    connection: Connection, which: CaseFilter = ALL, *, after: CaseRow | CasePlace | None = None, limit: int = 50
) -> list[CaseRow]:
    """A page of open cases, the nearest deadline first; the next page comes ``after`` the last of this one."""
    where = {"after_at": after.fix_by if after else None, "after_id": after.id if after else None}
    return _cases(connection, "open_cases", {**asdict(which), **where, "limit": limit})


def newest_cases(
    connection: Connection, which: CaseFilter = ALL, *, before: CaseRow | CasePlace | None = None, limit: int = 50
) -> list[CaseRow]:
    """A page of cases, open or not, the newest first; the next page comes ``before`` the last of this one."""
    parameters = {**asdict(which), "before_id": before.id if before else None, "limit": limit}
    return _cases(connection, "newest_cases", parameters)


def case_file(connection: Connection, number: str) -> CaseFile | None:
    """Everything about a case; None if there is none of that number."""
    parameters = {"number": number}
    cases = _cases(connection, "case_read", parameters)
    if not cases:
        return None
    with connection.cursor(row_factory=class_row(SheetRow)) as cursor:
        sheets = cursor.execute(_SQL["sheets_of_case"], parameters).fetchall()
    with connection.cursor(row_factory=dict_row) as cursor:
        (row,) = cursor.execute(_SQL["case_life"], parameters).fetchall()
        life = stored_of(row)
        return CaseFile(
            cases[0],
            life,
            _good_readings(connection, life, row["device"]),
            cursor.execute(_SQL["case_history"], parameters).fetchall(),
            cursor.execute(_SQL["case_alarms"], parameters).fetchall(),
            cursor.execute(_NOTIFY["notifications_of_case"], parameters).fetchall(),
            _cases(connection, "carried_cases", parameters),
            sheets,
        )


def _good_readings(connection: Connection, stored: StoredCase, device: int) -> int | None:
    check = stored.case.check
    if check is None:
        return None
    parameters = {"kind": stored.kind, "device": device, "since": check.since, "doubtful": DOUBTFUL, "enough": _ENOUGH}
    ((count,),) = connection.execute(_SQL["good_readings"], parameters).fetchall()
    return int(count)


def list_sheets(
    connection: Connection,
    *,
    unit: str | None = None,
    colour: int | None = None,
    everything: bool = False,
    limit: int = 50,
) -> list[SheetRow]:
    """Supervision sheets, those that wait for an answer longest first; answered ones only with ``everything``."""
    parameters = {"unit": unit, "colour": colour, "everything": everything, "limit": limit}
    with connection.cursor(row_factory=class_row(SheetRow)) as cursor:
        return cursor.execute(_SQL["list_sheets"], parameters).fetchall()


def list_units(connection: Connection, at: datetime) -> list[UnitRow]:
    """Every unit with what it has to do."""
    with connection.cursor(row_factory=class_row(UnitRow)) as cursor:
        return cursor.execute(_SQL["list_units"], {"at": at}).fetchall()


def _cases(connection: Connection, query: str, parameters: dict[str, Any]) -> list[CaseRow]:
    with connection.cursor(row_factory=class_row(CaseRow)) as cursor:
        # Planned anew each time: which index serves depends on which filters are given.
        return cursor.execute(_SQL[query], parameters, prepare=False).fetchall()


def visits(connection: Connection, since: int, until: int) -> list[Visit]:
    """Cases between two moments (µs since 1970 UTC) of which it is known whether the trouble was there."""
    rows = connection.execute(_SQL["visits"], {"since": since, "until": until})
    return [
        Visit(str(rule), int(device), int(begun), int(ended), bool(right)) for rule, device, begun, ended, right in rows
    ]
