"""A city and its cases for tests, in a line each."""

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from cases.calendars import WorkCalendar
from cases.case import Case, Step
from cases.city import City, District, Unit
from cases.lifecycle import Refusal
from cases.opening import CasePlan, open_case
from cases.policy import Policy
from cases.routing import Assignment, Reason

NAME = {"en": "x", "zh": "x"}
SHANGHAI = ZoneInfo("Asia/Shanghai")
FRIDAY = datetime(2026, 11, 20, 2, tzinfo=UTC)  # 10:00 in Shanghai
PLAN = CasePlan.parse(problem="cover_open", arrive="30m urgent", fix="2h urgent")


def city(**policy: Any) -> City:
    return City(
        names=NAME,
        night=(time(22), time(6)),
        calendar=WorkCalendar(SHANGHAI, ((time(8), time(12)), (time(14), time(18)))),
        districts={"east": District(NAME, fallback="east-cg")},
        units={unit: Unit(NAME) for unit in ("east-cg", "water", "gas", "city-cg")},
        component_owners={},
        deadlines={},
        policy=Policy(**{"arbiter": "city-cg", **policy}),
    )


CITY = city()


def opened(plan: CasePlan = PLAN, *, severity: int = 3, at: datetime = FRIDAY, reason: Reason = Reason.OWNER) -> Case:
    """A case as it is opened for the water company."""
    new = open_case(
        number="4201022026112000001",
        rule="MH-01",
        plan=plan,
        severity=severity,
        assignment=Assignment("water", reason),
        at=at,
        city=CITY,
    )
    return new.step.case


def taken(step: Step | Refusal) -> Case:
    """The case after a step that no guard refused."""
    assert isinstance(step, Step)
    return step.case


def said(step: Step | Refusal) -> list[tuple[str, str]]:
    """What a step writes into the history: event and reason."""
    assert isinstance(step, Step)
    return [(entry.event.value, entry.reason) for entry in step.entries]
