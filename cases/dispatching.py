"""From what happens to alarms to what happens to cases: one open case per facility and problem.

Pure but for the case book, which it reads and writes through a Protocol, inside one transaction of the caller.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from alarms.lifecycle import Event as AlarmEvent
from cases.city import City
from cases.clocks import Allowance
from cases.closing import close
from cases.history import Entry
from cases.joining import OpenCase, RaisedAlarm, alarm_cleared, alarm_unanswered, escalate, join
from cases.lifecycle import Refusal
from cases.opening import CasePlan, NewCase, area_of, number, open_case
from cases.routing import responsible_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    """What dispatch must know of the device that an alarm speaks of; ``device`` is its number in the registry."""

    device: int
    district: str
    grid: str
    component_class: str
    maintainer: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmNews:
    """Something happened to an alarm. ``at`` is event time (aware, UTC)."""

    alarm_id: int
    rule_id: str
    event: AlarmEvent
    severity: int
    at: datetime
    facility: Facility


@dataclass(frozen=True, slots=True)
class StoredCase:
    """An open case in the book."""

    id: int
    number: str
    case: OpenCase


class CaseBook(Protocol):
    """Where cases are kept; what it returns stays locked until the transaction ends."""

    def open_case(self, device: int, problem: str) -> StoredCase | None:
        """The open case of a facility and problem."""

    def open_cases_of(self, alarm_id: int) -> list[StoredCase]:
        """The open cases that an alarm belongs to."""

    def next_sequence(self, area: str, day: datetime) -> int:
        """The next number of an area and a local day, from 1."""

    def file(self, case: NewCase, facility: Facility, alarm_id: int) -> None:
        """Store a new case with its history."""

    def append(self, case: StoredCase, entries: Iterable[Entry], severity: int) -> None:
        """Add to a case's history; it is then in the last entry's state."""

    def link(self, case: StoredCase, alarm_id: int) -> None:
        """Note that an alarm belongs to a case; again is no error."""

    def active_alarms(self, case: StoredCase) -> int:
        """How many alarms of a case are active now."""


def take_up(news: AlarmNews, book: CaseBook, rule_plans: Mapping[str, CasePlan], city: City, now: datetime) -> None:
    """Do for one piece of news what dispatch must do.

    Raises:
        NobodyResponsible: if no unit can be found; the news stays untaken.
    """
    match news.event:
        case AlarmEvent.RAISED | AlarmEvent.ESCALATED:
            # A rule that has left the packs since still gets its case: somebody must look.
            plan = rule_plans.get(news.rule_id) or CasePlan(news.rule_id, None, Allowance.parse("24h natural"))
            known = book.open_case(news.facility.device, plan.problem)
            if known is None:
                _open(news, plan, book, city, now)
            else:
                _grow(news, known, book, now)
        case AlarmEvent.CLEARED | AlarmEvent.RESET:
            for known in book.open_cases_of(news.alarm_id):
                _cleared(news, known, book, now)
        case AlarmEvent.REMINDED:
            for known in book.open_cases_of(news.alarm_id):
                book.append(known, [alarm_unanswered(known.case.state, news.rule_id, at=now)], known.case.severity)
        case _:
            pass  # for the alarm's own record; the case goes its way


def _open(news: AlarmNews, plan: CasePlan, book: CaseBook, city: City, now: datetime) -> None:
    facility = news.facility
    assignment = responsible_unit(
        maintainer=facility.maintainer,
        owner=facility.owner,
        component_class=facility.component_class,
        district=facility.district,
        city=city,
        to=plan.to,
    )
    area = area_of(facility.grid)
    local = now.astimezone(city.calendar.timezone)
    case = open_case(
        number=number(area, local.date(), book.next_sequence(area, local)),
        rule=news.rule_id,
        plan=plan,
        severity=news.severity,
        assignment=assignment,
        at=now,
        calendar=city.calendar,
    )
    book.file(case, facility, news.alarm_id)


def _grow(news: AlarmNews, known: StoredCase, book: CaseBook, now: datetime) -> None:
    alarm = RaisedAlarm(news.rule_id, news.severity, news.at)
    grow = join if news.event is AlarmEvent.RAISED else escalate
    grown = grow(known.case, alarm, at=now)
    book.link(known, news.alarm_id)
    if grown.entries:
        book.append(known, grown.entries, grown.severity)


def _cleared(news: AlarmNews, known: StoredCase, book: CaseBook, now: datetime) -> None:
    entries = [alarm_cleared(known.case.state, news.rule_id, at=now)]
    closed = close(known.case.state, active_alarms=book.active_alarms(known), at=now)
    if not isinstance(closed, Refusal):
        entries.append(closed)
    book.append(known, entries, known.case.severity)
