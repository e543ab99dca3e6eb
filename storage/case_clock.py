"""What the clock and telemetry do to cases, for the dispatcher: a round each, in transactions of a few cases."""

from datetime import datetime

from procrastinate import App
from psycopg import Connection
from psycopg.rows import dict_row

from cases.case import Step
from cases.checking import Evidence, judge
from cases.dispatching import Practice, StoredCase, conclude
from cases.joining import doubt
from cases.lifecycle import State
from cases.opening import start_clocks
from cases.supervision import look
from devices.quality import Quality
from storage.case_book import CaseBook, stored_of
from storage.queries import load

_SQL = load("cases")
_BATCH = 200
# What a reading must not be to count as evidence of a repair.
DOUBTFUL = int(Quality.IMPLAUSIBLE | Quality.REPLAYED | Quality.FROZEN | Quality.REPEATED | Quality.SKEWED)


def look_at_due(connection: Connection, jobs: App, practice: Practice, now: datetime) -> int:
    """Do what has fallen due by the clock at some cases, in one transaction; how many there were."""
    with connection.transaction():
        book = CaseBook(connection, jobs, practice)
        due = book.due(now, _BATCH)
        for stored in due:
            book.save(stored, look(stored.case, practice.city, at=now))
    return len(due)


def ask_telemetry(connection: Connection, jobs: App, practice: Practice, now: datetime) -> int:
    """Let telemetry decide every case that is being checked; how many it decided."""
    decided, after = 0, 0
    enough = max((standard.needed for standard in practice.standards.values()), default=1) or 1
    while True:
        parameters = {"after": after, "limit": _BATCH, "doubtful": DOUBTFUL, "enough": enough}
        with connection.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(_SQL["checked_cases"], parameters).fetchall()
        for row in found:
            evidence = Evidence(row["readings"], row["active"], row["running"])
            if _verdict(stored_of(row), evidence, practice, now) is not None:
                decided += _judge(connection, CaseBook(connection, jobs, practice), row["id"], evidence, practice, now)
        if len(found) < _BATCH:
            return decided
        after = found[-1]["id"]


def _judge(
    connection: Connection, book: CaseBook, case_id: int, evidence: Evidence, practice: Practice, now: datetime
) -> bool:
    """Judge one case, locked; a person who was quicker has changed its state, and then nothing is decided."""
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_SQL["case_by_id"], {"case_id": case_id}).fetchone()
        if row is None:
            return False
        stored = stored_of(row)
        made = _verdict(stored, evidence, practice, now)
        if made is None:
            return False
        conclude(stored, made, book, practice, now)
        return True


def _verdict(stored: StoredCase, evidence: Evidence, practice: Practice, now: datetime) -> Step | None:
    """What the evidence decides about a case in check, or about one that a photo has closed; None: nothing yet."""
    standard = practice.standard(stored.kind)
    if stored.case.state is not State.CLOSED:
        return judge(stored.case, evidence, standard, city=practice.city, at=now)
    clocks = start_clocks(practice.plan(stored.rule), stored.case.severity, practice.city, now)
    return doubt(stored.case, evidence, standard, clocks, at=now)
