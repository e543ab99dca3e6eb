"""Tests of the one rule that looks at cases, SV-01: what happens to a case, and which sheets must come of it. Pure.

They stand in ``cases/supervision.tests.yaml`` and run in virtual time on what looks after the city's cases: a case is
looked at whenever ``next_look`` says so, unless the dispatcher is away.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Literal

import msgspec
import yaml

from cases import handling, supervision
from cases.calendars import WorkCalendar
from cases.case import Case, Finding, Step, step
from cases.checking import fail
from cases.city import City, District, Unit
from cases.errors import CaseError
from cases.lifecycle import OPEN_STATES, Event
from cases.opening import CasePlan, open_case
from cases.routing import Assignment, Reason
from devices.moments import moment
from devices.shapes import convert
from rules.packs import PackError, documents
from rules.rule import Severity
from rules.testing_story import ZONE, clock_of, start_of

TESTS = Path(supervision.__file__).with_name("supervision.tests.yaml")
_CLOSED = "closed"
_CREW = "a crew"
_CHECKED_FOR = timedelta(hours=6)
_NAME = {"en": "a test", "zh": "试验"}
_CITY = City(
    names=_NAME,
    night=(time(22), time(6)),
    calendar=WorkCalendar(ZONE, ((time(8), time(12)), (time(14), time(18)))),
    districts={"east": District(_NAME, fallback="unit")},
    units={"unit": Unit(_NAME)},
    component_owners={},
    deadlines={},
)


class _Does(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    at: str
    do: Literal["accept", "arrive", "make_safe", "finish", "fail_check", "close", "suspend", "resume"]
    pause: str = ""


class _Away(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    from_: str
    to: str


class _Expect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    at: str
    colour: Literal["", "none", "white", "yellow", "red", "closed"] = ""
    sheets: int | None = None


class _Test(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    opened: str
    fix: str
    expect: list[_Expect]
    arrive: str = ""
    severity: Literal["notice", "minor", "major", "critical"] = "major"
    does: list[_Does] = []
    away: _Away | None = None


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """What a test found: what was expected otherwise, how many sheets there were, how the case ended."""

    name: str
    problems: tuple[str, ...]
    sheets: int
    closed: bool
    away: bool


def run_tests(path: Path = TESTS) -> tuple[list[CaseOutcome], list[str]]:
    """The outcome of every test, and what tests are missing.

    Raises:
        PackError: listing what cannot be read.
    """
    problems: list[str] = []
    outcomes = []
    for line, document in documents(path, problems, yaml.CBaseLoader):
        where = f"{path.name}:{line}"
        try:
            outcomes.append(_run(convert(document, _Test, strict=False), where))
        except (ValueError, msgspec.ValidationError, CaseError) as error:
            problems.append(f"{where}: {document.get('name', 'test')}: {error}")
    if problems:
        raise PackError(problems)
    return outcomes, [f"{path.name}: {supervision.RULE_ID}: {case}" for case in _missing(outcomes)]


def _missing(outcomes: Sequence[CaseOutcome]) -> Iterator[str]:
    if not any(each.sheets for each in outcomes):
        yield "no test in which a sheet is issued"
    if all(each.sheets for each in outcomes):
        yield "no test in which none is issued"
    if not any(each.sheets and each.closed for each in outcomes):
        yield "no test in which a case with sheets is closed"
    if not any(each.away and each.sheets for each in outcomes):
        yield "no test in which the dispatcher is away when a sheet is due"


def _run(test: _Test, where: str) -> CaseOutcome:
    start = start_of(test.opened)

    def at(text: str) -> datetime:
        return moment(clock_of(text, start))

    life = _Life(_opened(test, at(test.opened)), (at(test.away.from_), at(test.away.to)) if test.away else None)
    # What is done at a moment comes before what is expected then.
    events: list[tuple[datetime, int, _Does | _Expect]] = [
        *((at(each.at), 0, each) for each in test.does), *((at(each.at), 1, each) for each in test.expect),
    ]  # fmt: skip
    problems = []
    for now, _, event in sorted(events, key=lambda each: each[:2]):
        life.wait(now)
        if isinstance(event, _Does):
            life.happens(event, now)
        else:
            wrong = list(_disappointed(event, life))
            if wrong:
                problems.append(f"{where}: {supervision.RULE_ID}: {test.name}: at {event.at} {' and '.join(wrong)}")
    return CaseOutcome(test.name, tuple(problems), life.sheets, life.colour == _CLOSED, test.away is not None)


def _disappointed(expected: _Expect, life: "_Life") -> Iterator[str]:
    if expected.colour and expected.colour != life.colour:
        yield f"expected {expected.colour}, found {life.colour}"
    if expected.sheets is not None and expected.sheets != life.sheets:
        yield f"expected sheets {expected.sheets}, found {life.sheets}"


def _opened(test: _Test, at: datetime) -> Case:
    plan = CasePlan.parse(problem="a test", fix=test.fix, arrive=test.arrive)
    severity = int(Severity[test.severity.upper()])
    assignment = Assignment("unit", Reason.OWNER)
    new = open_case(number="", rule="", plan=plan, severity=severity, assignment=assignment, at=at, city=_CITY)
    return new.step.case


class _Life:
    """A case as time goes by, looked after by a dispatcher who may be away for a while."""

    def __init__(self, case: Case, away: tuple[datetime, datetime] | None) -> None:
        self._case = case
        self._away = away
        self.sheets = 0

    @property
    def colour(self) -> str:
        """Of the gravest sheet, or closed."""
        return self._case.colour.name.lower() if self._case.state in OPEN_STATES else _CLOSED

    def wait(self, until: datetime) -> None:
        """Look at the case whenever there is something to do."""
        while (due := supervision.next_look(self._case)) is not None and (look := self._there(due)) <= until:
            before = self._case
            self._take(supervision.look(self._case, _CITY, at=look))
            if self._case == before:
                break

    def happens(self, event: _Does, at: datetime) -> None:
        """Somebody does something, which the dispatcher looks at."""
        self._take(_DEEDS[event.do](self._case, event, at))
        self.wait(at)

    def _there(self, due: datetime) -> datetime:
        """When the dispatcher gets to look."""
        return self._away[1] if self._away and self._away[0] <= due < self._away[1] else due

    def _take(self, taken: Step) -> None:
        self._case = taken.case
        self.sheets += len(taken.sheets)


def _suspended(case: Case, event: _Does, at: datetime) -> Step:
    taken = handling.suspend(case, event.pause, city=_CITY, at=at, actor=_CREW)
    if not isinstance(taken, Step):
        raise ValueError(f"does: suspend: pause {event.pause!r} is not one of {', '.join(_CITY.policy.pauses)}")  # noqa: TRY004 - a mistake in a test's file
    return taken


def _finished(case: Case, _event: _Does, at: datetime) -> Step:
    return handling.finish(case, at=at, actor=_CREW, result="done", found=Finding.FOUND, until=at + _CHECKED_FOR)


def _closed(case: Case, _event: _Does, at: datetime) -> Step:
    return step(case, Event.CLOSE, at=at, actor=_CREW, closed_at=at)


_DEEDS: Mapping[str, Callable[[Case, _Does, datetime], Step]] = {
    "accept": lambda case, _event, at: handling.accept(case, at=at, actor=_CREW),
    "arrive": lambda case, _event, at: handling.arrive(case, at=at, actor=_CREW),
    "make_safe": lambda case, _event, at: handling.make_safe(case, at=at, actor=_CREW),
    "finish": _finished,
    "fail_check": lambda case, _event, at: fail(case, city=_CITY, at=at, actor=_CREW, reason="a test"),
    "close": _closed,
    "suspend": _suspended,
    "resume": lambda case, _event, at: handling.resume(case, calendar=_CITY.calendar, at=at, actor=_CREW),
}
