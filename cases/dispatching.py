"""From what happens to alarms to what happens to cases: one open case per facility and problem.

An alarm joins the open case of its facility and problem, reopens one whose repair did not hold, or opens one. A group's
case takes in those of its members; cases of different kinds on one road within minutes are one incident.

Pure but for the case book, which it reads and writes through a Protocol, inside one transaction of the caller.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from alarms.lifecycle import Event as AlarmEvent
from cases.case import Case, Outcome, Step
from cases.checking import GROUP, Standard, with_parent
from cases.city import City
from cases.clocks import Allowance
from cases.handling import absorbed, merge, split
from cases.history import SYSTEM, Because
from cases.joining import RaisedAlarm, alarm_cleared, alarm_unanswered, escalate, join, reopen
from cases.lifecycle import CASE_TRANSITIONS, OPEN_STATES, Event
from cases.opening import CasePlan, NewCase, area_of, number, open_case, start_clocks
from cases.routing import Assignment, responsible_unit

# Telemetry, or a person, had confirmed these repairs; what comes back soon is rework.
REPAIRED = frozenset({Outcome.EVIDENCE, Outcome.SUPERVISOR})
MERGEABLE = frozenset(state for state, moves in CASE_TRANSITIONS.items() if Event.MERGE in moves)
_GROUP = "group"


@dataclass(frozen=True, slots=True)
class Practice:
    """What dispatch goes by: the city, what each rule plans, what telemetry must show of each kind.

    ``covers`` maps the rules of groups to the rules of members that they stand for.
    """

    city: City
    plans: Mapping[str, CasePlan]
    standards: Mapping[str, Standard]
    covers: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def plan(self, rule: str) -> CasePlan:
        """What a rule plans. One that has left the packs still gets its case: somebody must look."""
        return self.plans.get(rule) or CasePlan(rule, None, Allowance.parse("24h natural"))

    def standard(self, kind: str) -> Standard:
        """What telemetry must show of a kind."""
        return self.standards.get(kind, GROUP)

    @property
    def waiting(self) -> frozenset[str]:
        """The rules whose alarms wait a little, for the alarm of their group may come."""
        return frozenset().union(*self.covers.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    """What dispatch must know of the device that an alarm speaks of; ``device`` is its number in the registry."""

    device: int
    device_id: str
    kind: str
    district: str
    grid: str
    road: str
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCase:
    """A case in the book; ``rule`` is the one that opened it, ``incident`` the number of its incident, if any."""

    id: int
    number: str
    kind: str
    district: str
    problem: str
    rule: str
    incident: str | None
    case: Case


class CaseBook(Protocol):
    """Where cases are kept; what it returns stays locked until the transaction ends."""

    def open_case(self, device: int, problem: str) -> StoredCase | None:
        """The open case of a facility and problem."""

    def repaired_since(self, device: int, problem: str, since: datetime) -> StoredCase | None:
        """The last case of a facility and problem that was repaired and closed since then."""

    def open_cases_of(self, alarm_id: int) -> list[StoredCase]:
        """The open cases that an alarm belongs to."""

    def covering(self, device: int, rules: Collection[str]) -> StoredCase | None:
        """The open case by one of these rules of a group that a device belongs to."""

    def covered(self, group: Facility, problems: Collection[str]) -> list[StoredCase]:
        """The open cases, carried by no other, of these problems at the members of a group."""

    def members(self, parent: StoredCase) -> list[StoredCase]:
        """The cases that a case carries."""

    def nearby(self, facility: Facility, since: datetime) -> StoredCase | None:
        """The last open case of another kind on the same road that was opened since then."""

    def next_sequence(self, area: str, day: datetime) -> int:
        """The next number of an area and a local day, from 1."""

    def file(self, case: NewCase, facility: Facility, incident: str | None) -> StoredCase:
        """Store a new case with its history."""

    def save(self, stored: StoredCase, step: Step) -> StoredCase:
        """Store what a step made of a case, with its lines of history and its sheets."""

    def join_incident(self, stored: StoredCase, incident: str) -> None:
        """Note the incident that a case belongs to."""

    def link(self, stored: StoredCase, alarm_id: int) -> None:
        """Note that an alarm belongs to a case; again is no error."""

    def active_alarms(self, stored: StoredCase) -> int:
        """How many alarms of a case are active now."""


def take_up(news: AlarmNews, book: CaseBook, practice: Practice, now: datetime) -> None:
    """Do for one piece of news what dispatch must do.

    Raises:
        NobodyResponsible: if no unit can be found; the news stays untaken.
    """
    match news.event:
        case AlarmEvent.RAISED | AlarmEvent.ESCALATED:
            _raised(news, book, practice, now)
        case AlarmEvent.CLEARED | AlarmEvent.RESET:
            for known in book.open_cases_of(news.alarm_id):
                _cleared(news, known, book, practice, now)
        case AlarmEvent.REMINDED:
            for known in book.open_cases_of(news.alarm_id):
                book.save(known, alarm_unanswered(known.case, news.rule_id, at=now))
        case _:
            pass  # for the alarm's own record; the case goes its way


def conclude(stored: StoredCase, step: Step, book: CaseBook, practice: Practice, now: datetime) -> StoredCase:
    """Store a step; where it ends a case, the cases that it carried end with it or go their own way."""
    after = book.save(stored, step)
    if step.case.state not in OPEN_STATES:
        for member in book.members(after):
            if book.active_alarms(member):
                own = split(member.case, city=practice.city, at=now, actor=SYSTEM, reason=Because.STILL_ACTIVE)
            else:
                own = with_parent(member.case, at=now)
            book.save(member, own)
    return after


def assignment(facility: Facility, plan: CasePlan, city: City, now: datetime) -> Assignment:
    """Who answers for a problem of a facility.

    Raises:
        NobodyResponsible: if no unit can be found.
    """
    return responsible_unit(
        maintainer=facility.maintainer,
        owner=facility.owner,
        component_class=facility.component_class,
        district=facility.district,
        city=city,
        day=city.calendar.local_day(now),
        problem=plan.problem,
        to=plan.to,
    )


def next_number(facility: Facility, book: CaseBook, city: City, now: datetime) -> str:
    """The number of a case that is opened now."""
    area, local = area_of(facility.grid), now.astimezone(city.calendar.timezone)
    return number(area, local.date(), book.next_sequence(area, local))


def _raised(news: AlarmNews, book: CaseBook, practice: Practice, now: datetime) -> None:
    plan, city = practice.plan(news.rule_id), practice.city
    alarm = RaisedAlarm(news.rule_id, news.severity, news.at)
    if known := book.open_case(news.facility.device, plan.problem):
        grown = (
            join(known.case, alarm, city=city, at=now)
            if news.event is AlarmEvent.RAISED
            else escalate(known.case, alarm, at=now)
        )
        book.link(known, news.alarm_id)
        if grown.entries:
            book.save(known, grown)
        return
    since = now - city.policy.regression_within
    closed = book.repaired_since(news.facility.device, plan.problem, since)
    if closed and closed.case.unit in city.units:
        clocks = start_clocks(plan, max(closed.case.severity, news.severity), city, now)
        book.link(closed, news.alarm_id)
        book.save(closed, reopen(closed.case, alarm, clocks, at=now))
        return
    _open(news, plan, book, practice, now)


def _open(news: AlarmNews, plan: CasePlan, book: CaseBook, practice: Practice, now: datetime) -> None:
    facility, city = news.facility, practice.city
    new = open_case(
        number=next_number(facility, book, city, now),
        rule=news.rule_id,
        plan=plan,
        severity=news.severity,
        assignment=assignment(facility, plan, city, now),
        at=now,
        city=city,
    )
    parent = _parent(news, book, practice)
    if parent is not None:
        carried = merge(new.step.case, parent.id, at=now, actor=SYSTEM, reason=Because.COVERED)
        new = NewCase(new.number, new.problem, new.rule, new.opened_at, new.step.then(carried))
    opened = book.file(new, facility, _incident(facility, book, city, now) if parent is None else None)
    book.link(opened, news.alarm_id)
    if covered := practice.covers.get(news.rule_id):
        problems = {practice.plan(rule).problem for rule in covered}
        take_in(opened, book.covered(facility, problems), book, now, actor=SYSTEM, reason=Because.COVERED)


def take_in(
    parent: StoredCase, members: Collection[StoredCase], book: CaseBook, now: datetime, *, actor: str, reason: str
) -> int:
    """Let a parent carry those of the cases that can be; how many they were."""
    carried = [member for member in members if member.case.state in MERGEABLE]
    for member in carried:
        book.save(member, merge(member.case, parent.id, at=now, actor=actor, reason=reason))
    if carried:
        book.save(parent, absorbed(parent.case, len(carried), at=now, actor=actor))
    return len(carried)


def _parent(news: AlarmNews, book: CaseBook, practice: Practice) -> StoredCase | None:
    groups = [group for group, members in practice.covers.items() if news.rule_id in members]
    if not groups or news.facility.kind == _GROUP:
        return None
    return book.covering(news.facility.device, groups)


def _incident(facility: Facility, book: CaseBook, city: City, now: datetime) -> str | None:
    if not facility.road:
        return None
    near = book.nearby(facility, now - city.policy.incident_within)
    if near is None:
        return None
    if near.incident is None:
        book.join_incident(near, near.number)
    return near.incident or near.number


def _cleared(news: AlarmNews, known: StoredCase, book: CaseBook, practice: Practice, now: datetime) -> None:
    cleared = alarm_cleared(
        known.case,
        news.rule_id,
        active=book.active_alarms(known),
        standard=practice.standard(known.kind),
        city=practice.city,
        at=now,
    )
    book.save(known, cleared)
