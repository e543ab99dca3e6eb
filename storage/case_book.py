"""The case book: cases, their histories, their sheets and the outbox, always in one transaction."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from procrastinate import App
from psycopg import Connection
from psycopg.rows import dict_row

from alarms.lifecycle import Event as AlarmEvent
from cases import dispatching
from cases.case import Outcome, Sheet, Step
from cases.dispatching import REPAIRED, AlarmNews, Facility, Practice, StoredCase
from cases.errors import CaseError, NobodyResponsible
from cases.lifecycle import State
from cases.opening import NewCase
from cases.supervision import recipients
from rules.rule import Severity
from storage import alarm_round, alarm_store, outbox
from storage.case_rows import case_of, row_of
from storage.queries import load

_SQL = load("cases")
TRY_AGAIN_AFTER = timedelta(seconds=30)  # of the city's clock
_BATCH = 200  # news taken up in one transaction: short enough to let the crews' own moves in between


class UnknownCaseError(CaseError):
    """No case has this number."""

    def __init__(self, number: str) -> None:
        self.number = number
        super().__init__(f"there is no case {number}; cityward cases list shows the open ones")


class CaseBook:
    """Implements ``cases.dispatching.CaseBook`` within the transaction that is open on ``connection``.

    Args:
        connection: The transaction.
        jobs: The app whose jobs carry notifications.
        practice: How the city dispatches; its time zone appears in messages.
    """

    def __init__(self, connection: Connection, jobs: App, practice: Practice) -> None:
        self._connection = connection
        self._jobs = jobs
        self._practice = practice

    def open_case(self, device: int, problem: str) -> StoredCase | None:
        """The open case of a facility and problem."""
        return self._one("open_case", device=device, problem=problem)

    def repaired_since(self, device: int, problem: str, since: datetime) -> StoredCase | None:
        """The last case of a facility and problem that was repaired and closed since then."""
        repaired: list[Outcome] = sorted(REPAIRED)
        return self._one("repaired_case", device=device, problem=problem, since=since, outcomes=repaired)

    def open_cases_of(self, alarm_id: int) -> list[StoredCase]:
        """The open cases that an alarm belongs to."""
        return self._all("open_cases_of_alarm", alarm_id=alarm_id)

    def covering(self, device: int, rules: Collection[str]) -> StoredCase | None:
        """The open case by one of these rules of a group that a device belongs to."""
        return self._one("covering_case", device=device, rules=sorted(rules))

    def covered(self, group: Facility, problems: Collection[str]) -> list[StoredCase]:
        """The open cases, carried by no other, of these problems at the members of a group."""
        return self._all("covered_cases", group=group.device_id, device=group.device, problems=sorted(problems))

    def members(self, parent: StoredCase) -> list[StoredCase]:
        """The cases that a case carries."""
        return self._all("member_cases", parent=parent.id)

    def nearby(self, facility: Facility, since: datetime) -> StoredCase | None:
        """The last open case of another kind on the same road that was opened since then."""
        return self._one("nearby_case", road=facility.road, district=facility.district, kind=facility.kind, since=since)

    def by_number(self, number: str) -> StoredCase:
        """A case, open or not, locked.

        Raises:
            UnknownCaseError: if there is none.
        """
        found = self._one("case_by_number", number=number)
        if found is None:
            raise UnknownCaseError(number)
        return found

    def due(self, at: datetime, limit: int) -> list[StoredCase]:
        """Cases to look at by the clock, the longest due first; those that others hold are left to the next time."""
        return self._all("due_cases", at=at, limit=limit)

    def next_sequence(self, area: str, day: datetime) -> int:
        """The next number of an area and a local day."""
        return self._number("next_sequence", area=area, day=day.date())

    def file(self, case: NewCase, facility: Facility, incident: str | None) -> StoredCase:
        """Store a new case with its history."""
        case_id = self._number(
            "insert_case",
            number=case.number,
            device=facility.device,
            district=facility.district,
            problem=case.problem,
            rule_id=case.rule,
            opened_at=case.opened_at,
            incident=incident,
            **row_of(case.step.case),
        )
        stored = StoredCase(
            id=case_id,
            number=case.number,
            kind=facility.kind,
            district=facility.district,
            problem=case.problem,
            rule=case.rule,
            incident=incident,
            case=case.step.case,
        )
        self._write(stored, case.step)
        return stored

    def save(self, stored: StoredCase, step: Step) -> StoredCase:
        """Store what a step made of a case, with its lines of history and its sheets."""
        self._connection.execute(_SQL["save_case"], {"case_id": stored.id, **row_of(step.case)})
        for sheet in step.sheets:
            self._issue(stored, step, sheet)
        self._write(stored, step)
        return replace(stored, case=step.case)

    def join_incident(self, stored: StoredCase, incident: str) -> None:
        """Note the incident that a case belongs to."""
        self._connection.execute(_SQL["join_incident"], {"case_id": stored.id, "incident": incident})

    def link(self, stored: StoredCase, alarm_id: int) -> None:
        """Note that an alarm belongs to a case."""
        self._connection.execute(_SQL["link_alarm"], {"case_id": stored.id, "alarm_id": alarm_id})

    def active_alarms(self, stored: StoredCase) -> int:
        """How many alarms of a case are active now."""
        return self._number("active_alarms", case_id=stored.id)

    def acknowledge_alarms(self, stored: StoredCase, at: datetime, actor: str) -> None:
        """Who takes on a case has seen its alarms."""
        keys = [
            (str(rule), int(device))
            for rule, device in self._connection.execute(_SQL["alarms_of_case"], {"case_id": stored.id})
        ]
        alarm_store.acknowledge(self._connection, keys, at, actor)

    def _issue(self, stored: StoredCase, step: Step, sheet: Sheet) -> None:
        year = sheet.at.astimezone(self._practice.city.calendar.timezone).year
        sequence = self._number("next_sheet", year=year, colour=int(sheet.colour))
        self._connection.execute(
            _SQL["insert_sheet"],
            {
                "number": f"{sheet.colour.name[0]}{year}-{sequence:05d}",
                "case_id": stored.id,
                "colour": int(sheet.colour),
                "because": sheet.because,
                "unit": step.case.unit,
                "recipients": recipients(sheet.colour, step.case.unit, stored.district),
                "points": sheet.points,
                "issued_at": sheet.at,
                "reply_by": sheet.reply_by,
            },
        )

    def _write(self, stored: StoredCase, step: Step) -> None:
        for entry in step.entries:
            event_id = self._number(
                "insert_case_event",
                case_id=stored.id,
                event=entry.event,
                state=entry.state,
                at=entry.at,
                actor=entry.actor,
                reason=entry.reason,
            )
            if step.case.state is State.MERGED:
                continue  # its parent's unit has heard of the parent
            outbox.tell(
                self._connection,
                self._jobs,
                case_id=stored.id,
                case_event_id=event_id,
                entry=entry,
                city=self._practice.city,
            )

    def _number(self, query: str, **parameters: object) -> int:
        row = self._connection.execute(_SQL[query], parameters).fetchone()
        assert row is not None  # noqa: S101 - RETURNING, or a count
        return int(row[0])

    def _one(self, query: str, **parameters: object) -> StoredCase | None:
        found = self._all(query, **parameters)
        return found[0] if found else None

    def _all(self, query: str, **parameters: object) -> list[StoredCase]:
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return [stored_of(row) for row in cursor.execute(_SQL[query], parameters)]


@dataclass(frozen=True, slots=True)
class TakenUp:
    """How many news dispatch looked at, and why some of them are stuck, each reason once."""

    news: int
    stuck: tuple[str, ...] = ()


def take_up(connection: Connection, jobs: App, practice: Practice, now: datetime) -> TakenUp:
    """Turn untaken news of alarms into cases, in one transaction.

    News that nobody is responsible for is marked as stuck and tried again after ``TRY_AGAIN_AFTER``; all other news
    goes on, but for later news of the same alarm, which waits behind it. Nobody is told of alarms that are hushed.
    """
    stuck: dict[int, str] = {}  # by alarm
    with connection.transaction():
        book = CaseBook(connection, jobs, practice)
        with connection.cursor(row_factory=dict_row) as cursor:
            parameters = {
                "limit": _BATCH,
                "tried_before": now - TRY_AGAIN_AFTER,
                "waiting": sorted(practice.waiting),
                "settled": now - practice.city.policy.settle,
                "critical": int(Severity.CRITICAL),
            }
            rows = cursor.execute(_SQL["untaken_news"], parameters).fetchall()
        arrived = [alarm_round.News(row["id"], row["alarm_id"], AlarmEvent(row["event"])) for row in rows]
        hushed = alarm_round.attend(connection, arrived, now)
        for row in rows:
            if row["alarm_id"] in stuck or row["id"] in hushed:
                continue
            try:
                with connection.transaction():
                    dispatching.take_up(_news(row), book, practice, now)
                    connection.execute(_SQL["mark_taken"], {"at": now, "event_id": row["id"]})
            except NobodyResponsible as problem:
                stuck[row["alarm_id"]] = str(problem)
                connection.execute(_SQL["mark_stuck"], {"at": now, "event_id": row["id"], "because": str(problem)})
    return TakenUp(len(rows), tuple(sorted(set(stuck.values()))))


def facility_of(row: dict[str, Any]) -> Facility:
    """The facility of a row with a device's columns."""
    names = ("device", "device_id", "kind", "district", "grid", "road", "component_class", "maintainer", "owner")
    return Facility(**{name: row[name] for name in names})


def stored_of(row: dict[str, Any]) -> StoredCase:
    """The case of a row of ``dispatch_case`` with its device's kind."""
    names = ("id", "number", "kind", "district", "problem", "incident")
    return StoredCase(**{name: row[name] for name in names}, rule=row["rule_id"], case=case_of(row))


def _news(row: dict[str, Any]) -> AlarmNews:
    return AlarmNews(
        alarm_id=row["alarm_id"],
        rule_id=row["rule_id"],
        event=AlarmEvent(row["event"]),
        severity=row["severity"],
        at=row["at"],
        facility=facility_of(row),
    )
