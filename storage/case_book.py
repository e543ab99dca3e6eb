"""The case book: cases, their histories and the outbox, always in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from procrastinate import App
from psycopg import Connection
from psycopg.rows import dict_row

from alarms.lifecycle import Event as AlarmEvent
from cases import dispatching
from cases.city import City
from cases.dispatching import AlarmNews, Facility, StoredCase
from cases.errors import NobodyResponsible
from cases.history import Entry
from cases.joining import OpenCase
from cases.lifecycle import OPEN_STATES, Event, State
from cases.opening import CasePlan, NewCase
from storage import alarm_round, alarm_store, outbox
from storage.queries import load

_SQL = load("cases")
TRY_AGAIN_AFTER = timedelta(seconds=30)  # of the city's clock
_BATCH = 200  # news taken up in one transaction: short enough to let the crews' own moves in between


class UnknownCaseError(Exception):
    """No case has this number."""

    def __init__(self, number: str) -> None:
        super().__init__(f"there is no case {number}; cityward cases list shows the open ones")


class CaseBook:
    """Implements ``cases.dispatching.CaseBook`` within the transaction that is open on ``connection``.

    Args:
        connection: The transaction.
        jobs: The app whose jobs carry notifications.
        city: Its time zone appears in messages.
    """

    def __init__(self, connection: Connection, jobs: App, city: City) -> None:
        self._connection = connection
        self._jobs = jobs
        self._city = city

    def open_case(self, device: int, problem: str) -> StoredCase | None:
        """The open case of a facility and problem."""
        row = self._connection.execute(_SQL["open_case"], {"device": device, "problem": problem}).fetchone()
        return _stored(row) if row else None

    def open_cases_of(self, alarm_id: int) -> list[StoredCase]:
        """The open cases that an alarm belongs to."""
        return [_stored(row) for row in self._connection.execute(_SQL["open_cases_of_alarm"], {"alarm_id": alarm_id})]

    def next_sequence(self, area: str, day: datetime) -> int:
        """The next number of an area and a local day."""
        row = self._connection.execute(_SQL["next_sequence"], {"area": area, "day": day.date()}).fetchone()
        assert row is not None  # noqa: S101 - RETURNING of an upsert
        return int(row[0])

    def file(self, case: NewCase, facility: Facility, alarm_id: int) -> None:
        """Store a new case with its history."""
        row = self._connection.execute(
            _SQL["insert_case"],
            {
                "number": case.number,
                "device": facility.device,
                "district": facility.district,
                "problem": case.plan.problem,
                "severity": case.severity,
                "state": case.state,
                "unit": case.unit,
                "reason": case.reason,
                "opened_at": case.opened_at,
                "arrive_by": case.arrive_by,
                "fix_by": case.fix_by,
            },
        ).fetchone()
        assert row is not None  # noqa: S101 - RETURNING of an insert
        filed = StoredCase(int(row[0]), case.number, OpenCase(case.state, case.severity))
        self.link(filed, alarm_id)
        self._write(filed, case.history)

    def append(self, case: StoredCase, entries: Iterable[Entry], severity: int) -> None:
        """Add to a case's history; it is then in the last entry's state."""
        lines = list(entries)
        state = lines[-1].state
        times = {line.state: line.at for line in lines if isinstance(line.event, Event)}
        self._connection.execute(
            _SQL["move_case"],
            {
                "case_id": case.id,
                "state": state,
                "severity": severity,
                "open": state in OPEN_STATES,
                "arrived_at": times.get(State.ON_SITE),
                "done_at": times.get(State.DONE),
                "closed_at": None if state in OPEN_STATES else lines[-1].at,
                "rework": sum(line.event is Event.FAIL_CHECK for line in lines),
            },
        )
        self._write(case, lines)

    def link(self, case: StoredCase, alarm_id: int) -> None:
        """Note that an alarm belongs to a case."""
        self._connection.execute(_SQL["link_alarm"], {"case_id": case.id, "alarm_id": alarm_id})

    def active_alarms(self, case: StoredCase) -> int:
        """How many alarms of a case are active now."""
        row = self._connection.execute(_SQL["active_alarms"], {"case_id": case.id}).fetchone()
        return int(row[0]) if row else 0

    def by_number(self, number: str) -> StoredCase:
        """A case, open or not, locked.

        Raises:
            UnknownCaseError: if there is none.
        """
        row = self._connection.execute(_SQL["case_by_number"], {"number": number}).fetchone()
        if row is None:
            raise UnknownCaseError(number)
        return _stored(row)

    def acknowledge_alarms(self, case: StoredCase, at: datetime, actor: str) -> None:
        """Who takes on a case has seen its alarms."""
        keys = [
            (str(rule), int(device))
            for rule, device in self._connection.execute(_SQL["alarms_of_case"], {"case_id": case.id})
        ]
        alarm_store.acknowledge(self._connection, keys, at, actor)

    def _write(self, case: StoredCase, entries: Sequence[Entry]) -> None:
        for entry in entries:
            row = self._connection.execute(
                _SQL["insert_case_event"],
                {
                    "case_id": case.id,
                    "event": entry.event,
                    "state": entry.state,
                    "at": entry.at,
                    "actor": entry.actor,
                    "reason": entry.reason,
                },
            ).fetchone()
            assert row is not None  # noqa: S101 - RETURNING of an insert
            outbox.tell(
                self._connection,
                self._jobs,
                case_id=case.id,
                case_event_id=int(row[0]),
                event=entry.event,
                at=entry.at,
                zone=self._city.calendar.timezone,
            )


@dataclass(frozen=True, slots=True)
class TakenUp:
    """How many news dispatch looked at, and why some of them are stuck, each reason once."""

    news: int
    stuck: tuple[str, ...] = ()


def take_up(connection: Connection, jobs: App, city: City, plans: dict[str, CasePlan], now: datetime) -> TakenUp:
    """Turn untaken news of alarms into cases, in one transaction.

    News that nobody is responsible for is marked as stuck and tried again after ``TRY_AGAIN_AFTER``; all other news
    goes on, but for later news of the same alarm, which waits behind it. Nobody is told of alarms that are hushed.
    """
    stuck: dict[int, str] = {}  # by alarm
    with connection.transaction():
        book = CaseBook(connection, jobs, city)
        with connection.cursor(row_factory=dict_row) as cursor:
            parameters = {"limit": _BATCH, "tried_before": now - TRY_AGAIN_AFTER}
            rows = cursor.execute(_SQL["untaken_news"], parameters).fetchall()
        arrived = [alarm_round.News(row["id"], row["alarm_id"], AlarmEvent(row["event"])) for row in rows]
        hushed = alarm_round.attend(connection, arrived, now)
        for row in rows:
            if row["alarm_id"] in stuck or row["id"] in hushed:
                continue
            try:
                with connection.transaction():
                    dispatching.take_up(_news(row), book, plans, city, now)
                    connection.execute(_SQL["mark_taken"], {"at": now, "event_id": row["id"]})
            except NobodyResponsible as problem:
                stuck[row["alarm_id"]] = str(problem)
                connection.execute(_SQL["mark_stuck"], {"at": now, "event_id": row["id"], "because": str(problem)})
    return TakenUp(len(rows), tuple(sorted(set(stuck.values()))))


def _news(row: dict[str, Any]) -> AlarmNews:
    facility = Facility(
        device=row["device"],
        district=row["district"],
        grid=row["grid"],
        component_class=row["component_class"],
        maintainer=row["maintainer"],
        owner=row["owner"],
    )
    return AlarmNews(
        alarm_id=row["alarm_id"],
        rule_id=row["rule_id"],
        event=AlarmEvent(row["event"]),
        severity=row["severity"],
        at=row["at"],
        facility=facility,
    )


def _stored(row: Sequence[Any]) -> StoredCase:
    case_id, number, state, severity, done_at = row
    return StoredCase(int(case_id), str(number), OpenCase(State(state), int(severity), done_at))
