"""The moves that people make, each in a transaction of its own."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

from procrastinate import App
from psycopg import Connection
from psycopg.rows import dict_row

from cases import handling
from cases.case import Finding, Step, note
from cases.checking import confirm, reject
from cases.clocks import Allowance
from cases.dispatching import Practice, StoredCase, assignment, conclude, next_number, take_in
from cases.errors import CaseError, UnknownFacility
from cases.history import Occurrence
from cases.lifecycle import OPEN_STATES, Refusal
from cases.opening import CasePlan, file_case, report_case
from cases.photos import Photo
from cases.words import problem_of_case
from storage import case_reports, photo_store
from storage.case_book import CaseBook, facility_of
from storage.case_reports import CALLED, Told
from storage.queries import load

_SQL = load("cases")
_SHOWN = 12  # digits of a photo's hash in the history: enough to tell it from others


class CaseMoves:
    """What people do to a case.

    Every method raises ``UnknownCaseError`` for a number that does not exist and ``IllegalMove`` for a move that
    the case's state does not have; a guard that says no is returned as ``Refusal``.
    """

    def __init__(self, connection: Connection, jobs: App, practice: Practice, *, at: datetime, actor: str) -> None:
        self._connection = connection
        self._book = CaseBook(connection, jobs, practice)
        self._practice = practice
        self.city = practice.city
        self._at = at
        self._actor = actor

    def accept(self, number: str, reason: str = "") -> None:
        """The unit takes the case on, and has thereby seen its alarms."""
        with self._connection.transaction():
            stored = self._book.by_number(number)
            self._book.save(stored, handling.accept(stored.case, at=self._at, actor=self._actor, reason=reason))
            self._book.acknowledge_alarms(stored, self._at, self._actor)

    def arrive(self, number: str, reason: str = "") -> None:
        """The crew is on site."""
        self._always(number, handling.arrive, reason=reason)

    def make_safe(self, number: str, reason: str = "") -> None:
        """Nobody can come to harm any more."""
        self._always(number, handling.make_safe, reason=reason)

    def done(self, number: str, result: str, found: Finding = Finding.FOUND) -> None:
        """The crew reports the work done; telemetry is asked from now on."""
        with self._connection.transaction():
            stored = self._book.by_number(number)
            until = self._at + self._practice.standard(stored.kind).patience
            made = handling.finish(stored.case, at=self._at, actor=self._actor, result=result, found=found, until=until)
            self._book.save(stored, made)

    def give_back(self, number: str, reason: str) -> Refusal | None:
        """The unit says that the case is not its own."""
        return self._guarded(
            number,
            lambda stored: handling.give_back(
                stored.case, district=stored.district, city=self.city, at=self._at, actor=self._actor, reason=reason
            ),
        )

    def assign(self, number: str, unit: str, reason: str, joint: Iterable[str] = ()) -> Refusal | None:
        """Give the case to a unit, and to others jointly."""
        return self._guarded(
            number,
            lambda stored: handling.assign(
                stored.case,
                unit,
                joint=tuple(joint),
                city=self.city,
                at=self._at,
                actor=self._actor,
                reason=reason,
            ),
        )

    def suspend(self, number: str, pause: str, reason: str = "") -> Refusal | None:
        """Stop the clocks for a listed reason."""
        return self._guarded(
            number,
            lambda stored: handling.suspend(
                stored.case, pause, city=self.city, at=self._at, actor=self._actor, reason=reason
            ),
        )

    def resume(self, number: str, reason: str = "") -> None:
        """Let the clocks go on."""
        self._always(number, handling.resume, calendar=self.city.calendar, reason=reason)

    def request_delay(self, number: str, more: Allowance, reason: str) -> Refusal | None:
        """Ask for more time."""
        return self._guarded(
            number,
            lambda stored: handling.request_delay(stored.case, more, at=self._at, actor=self._actor, reason=reason),
        )

    def grant_delay(self, number: str, reason: str = "") -> Refusal | None:
        """Give the time that was asked for."""
        return self._guarded(
            number,
            lambda stored: handling.grant_delay(
                stored.case, calendar=self.city.calendar, at=self._at, actor=self._actor, reason=reason
            ),
        )

    def refuse_delay(self, number: str, reason: str) -> Refusal | None:
        """Say no to more time."""
        return self._guarded(
            number, lambda stored: handling.refuse_delay(stored.case, at=self._at, actor=self._actor, reason=reason)
        )

    def confirm(self, number: str, photo: str, reason: str = "") -> Refusal | None:
        """A supervisor confirms by a photo what telemetry could not: one kept elsewhere, or the case's last."""
        return self._guarded(
            number,
            lambda stored: confirm(
                stored.case,
                photo=photo.strip() or self._last_photo(number),
                active=self._book.active_alarms(stored),
                city=self.city,
                at=self._at,
                actor=self._actor,
                reason=reason,
            ),
        )

    def add_photo(self, number: str, photo: Photo, taken_at: datetime) -> None:
        """Keep a photo with the case, and a line in its history; again is nothing."""
        with self._connection.transaction():
            stored = self._book.by_number(number)
            new = photo_store.add(self._connection, stored.id, photo, taken_at=taken_at, at=self._at, by=self._actor)
            if new:
                said = photo.hash.hex()[:_SHOWN]
                added = note(stored.case, Occurrence.PHOTO, at=self._at, actor=self._actor, reason=said)
                self._book.save(stored, added)

    def reject(self, number: str, reason: str) -> Refusal | None:
        """A supervisor sends unverifiable work back."""
        return self._guarded(
            number,
            lambda stored: reject(stored.case, city=self.city, at=self._at, actor=self._actor, reason=reason),
        )

    def cancel(self, number: str, reason: str, found: Finding = Finding.NOT_FOUND) -> Refusal | None:
        """End a case that should not be."""
        return self._guarded(
            number,
            lambda stored: handling.cancel(stored.case, at=self._at, actor=self._actor, reason=reason, found=found),
        )

    def merge(self, parent: str, members: Iterable[str], reason: str) -> Refusal | int:
        """Let one case carry others; how many it took. Those with work going on stay their own."""
        if not reason.strip():
            return Refusal.NO_REASON
        with self._connection.transaction():
            carrier = self._book.by_number(parent)
            if carrier.case.state not in OPEN_STATES or carrier.case.parent is not None:
                return Refusal.PARENT_OVER
            carried = [self._book.by_number(member) for member in members]
            if carrier.id in {member.id for member in carried}:
                return Refusal.OWN_PARENT
            return take_in(carrier, carried, self._book, self._at, actor=self._actor, reason=reason.strip())

    def split(self, number: str, reason: str) -> Refusal | None:
        """Let a carried case go its own way."""
        return self._guarded(
            number,
            lambda stored: (
                handling.split(stored.case, city=self.city, at=self._at, actor=self._actor, reason=reason.strip())
                if reason.strip()
                else Refusal.NO_REASON
            ),
        )

    def report(self, device_id: str, problem: str, text: str, severity: int, told: Told = CALLED) -> str:
        """What people report of a facility: a new case to be looked at, or a line in the one that is open.

        ``told`` is kept beside it: who reports, where, how to call back.

        Returns:
            The number of the case.

        Raises:
            UnknownFacility: if no device has this id.
            NobodyResponsible: if no unit can be found.
        """
        with self._connection.transaction():
            with self._connection.cursor(row_factory=dict_row) as cursor:
                row = cursor.execute(_SQL["facility_by_id"], {"device_id": device_id}).fetchone()
            if row is None:
                raise UnknownFacility(device_id)
            facility, plan = facility_of(row), self._plan(problem)
            if known := self._book.open_case(facility.device, plan.problem):
                said = note(known.case, Occurrence.REPORTED, at=self._at, actor=self._actor, reason=text)
                return self._reported(self._book.save(known, said).number, told, text)
            reported = report_case(
                number=next_number(facility, self._book, self.city, self._at),
                plan=plan,
                severity=severity,
                assignment=assignment(facility, plan, self.city, self._at),
                actor=self._actor,
                text=text,
                at=self._at,
                city=self.city,
            )
            return self._reported(self._book.file(reported, facility, None).number, told, text)

    def _reported(self, number: str, told: Told, text: str) -> str:
        case_reports.write(self._connection, number, told, text, taken_by=self._actor, at=self._at)
        return number

    def file(self, number: str, reason: str = "") -> None:
        """Take a report for true: its unit is told and its clocks start."""
        self._always(number, file_case, city=self.city, reason=reason)

    def campaign(self, name: str, day: date, numbers: Iterable[str]) -> int:
        """Put cases under one due date, a local one; how many they were."""
        due = self.city.calendar.end_of(day)
        with self._connection.transaction():
            row = self._connection.execute(_SQL["save_campaign"], {"name": name, "due": due}).fetchone()
            assert row is not None  # noqa: S101 - RETURNING of an upsert
            count = 0
            for number in numbers:
                stored = self._book.by_number(number)
                made = handling.under_due_date(stored.case, due, name=name, at=self._at, actor=self._actor)
                self._book.save(stored, made)
                self._connection.execute(_SQL["join_campaign"], {"case_id": stored.id, "campaign": row[0]})
                count += 1
            return count

    def answer_sheet(self, sheet: str, answer: str) -> Refusal | None:
        """Answer a supervision sheet; a second answer replaces none.

        Raises:
            UnknownSheetError: if no unanswered sheet has this number.
        """
        if not answer.strip():
            return Refusal.NO_REASON
        with self._connection.transaction():
            parameters = {"number": sheet, "at": self._at, "by": self._actor, "answer": answer.strip()}
            row = self._connection.execute(_SQL["answer_sheet"], parameters).fetchone()
            if row is None:
                raise UnknownSheetError(sheet)
            stored = self._book.by_number(str(row[0]))
            said = f"{sheet}: {answer.strip()}"
            answered = note(stored.case, Occurrence.SHEET_ANSWERED, at=self._at, actor=self._actor, reason=said)
            self._book.save(stored, answered)
        return None

    def _last_photo(self, number: str) -> str:
        photos = photo_store.of_case(self._connection, number)
        return photos[-1].hash if photos else ""

    def _plan(self, problem: str) -> CasePlan:
        """The plan of a rule with this problem; a report of something else has a day."""
        wanted = problem_of_case(problem)
        plans = (plan for plan in self._practice.plans.values() if plan.problem == wanted)
        return next(plans, CasePlan(wanted, None, Allowance.parse("24h natural")))

    def _always(self, number: str, do: Callable[..., Step], **details: Any) -> None:
        with self._connection.transaction():
            stored = self._book.by_number(number)
            self._book.save(stored, do(stored.case, at=self._at, actor=self._actor, **details))

    def _guarded(self, number: str, decide: Callable[[StoredCase], Step | Refusal]) -> Refusal | None:
        with self._connection.transaction():
            stored = self._book.by_number(number)
            made = decide(stored)
            if isinstance(made, Refusal):
                return made
            conclude(stored, made, self._book, self._practice, self._at)
            return None


class UnknownSheetError(CaseError):
    """No unanswered sheet has this number."""

    def __init__(self, number: str) -> None:
        self.number = number
        super().__init__(f"there is no unanswered sheet {number}; cityward sheets list shows those that are open")
