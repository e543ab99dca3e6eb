from dataclasses import replace
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from cases.calendars import WorkCalendar
from cases.city import City, District, Unit
from cases.errors import NobodyResponsible
from cases.policy import Contract, Policy
from cases.routing import Assignment, Reason, Role, responsible_unit

NAME = {"en": "x", "zh": "x"}
DAY = date(2026, 11, 20)
CITY = City(
    names=NAME,
    night=(time(22), time(6)),
    calendar=WorkCalendar(ZoneInfo("Asia/Shanghai"), ((time(8), time(12)),)),
    districts={"east": District(NAME, fallback="east-cg")},
    units={unit: Unit(NAME) for unit in ("east-cg", "water", "gas", "sensors")},
    component_owners={"0101": "water"},
    deadlines={},
)


@pytest.mark.parametrize(
    ("maintainer", "owner", "component_class", "to", "unit", "reason"),
    [
        ("sensors", "gas", "0101", Role.MAINTAINER, "sensors", Reason.MAINTAINER),
        ("", "gas", "0101", Role.MAINTAINER, "gas", Reason.OWNER),
        ("", "", "0101", Role.MAINTAINER, "water", Reason.COMPONENT_CLASS),
        ("", "", "0114", Role.MAINTAINER, "east-cg", Reason.DISTRICT_FALLBACK),
        ("", "", "", Role.MAINTAINER, "east-cg", Reason.DISTRICT_FALLBACK),
        # A unit that the city's file does not know is passed over.
        ("gone", "gas", "0101", Role.MAINTAINER, "gas", Reason.OWNER),
        ("gone", "gone too", "0101", Role.MAINTAINER, "water", Reason.COMPONENT_CLASS),
        # A rule may begin with the owner.
        ("sensors", "gas", "0101", Role.OWNER, "gas", Reason.OWNER),
        ("sensors", "", "0101", Role.OWNER, "water", Reason.COMPONENT_CLASS),
        ("sensors", "", "0114", Role.OWNER, "east-cg", Reason.DISTRICT_FALLBACK),
    ],
)
def test_a_case_goes_to_the_first_known_of_maintainer_owner_class_and_district(
    maintainer: str, owner: str, component_class: str, to: Role, unit: str, reason: Reason
) -> None:
    found = responsible_unit(
        maintainer=maintainer,
        owner=owner,
        component_class=component_class,
        district="east",
        city=CITY,
        day=DAY,
        to=to,
    )
    assert found == Assignment(unit, reason)


def test_nobody_answers_for_an_unknown_district_and_the_error_says_what_to_add() -> None:
    with pytest.raises(NobodyResponsible, match=r"add \[districts\.west\]"):
        responsible_unit(maintainer="", owner="", component_class="0114", district="west", city=CITY, day=DAY)


def test_a_known_owner_is_enough_even_where_the_district_is_unknown() -> None:
    found = responsible_unit(maintainer="", owner="gas", component_class="", district="west", city=CITY, day=DAY)
    assert found.unit == "gas"


def routed(
    policy: Policy, *, owner: str = "", component_class: str = "", problem: str = "", day: date = DAY
) -> Assignment:
    return responsible_unit(
        maintainer="",
        owner=owner,
        component_class=component_class,
        district="east",
        city=replace(CITY, policy=policy),
        day=day,
        problem=problem,
    )


@pytest.mark.parametrize(("days", "unit"), [(-1, "gas"), (0, "sensors"), (30, "sensors"), (31, "gas")])
def test_a_contractor_maintains_for_the_owner_from_first_to_last_day(days: int, unit: str) -> None:
    contract = Contract("sensors", "gas", DAY, DAY + timedelta(days=30))
    found = routed(Policy(contracts=(contract,)), owner="gas", day=DAY + timedelta(days=days))
    assert found.unit == unit


def test_a_contract_may_be_for_some_classes_and_districts_only() -> None:
    contract = Contract("sensors", "water", DAY, DAY, frozenset({"0101"}), frozenset({"east"}))
    policy = Policy(contracts=(contract,))
    assert routed(policy, component_class="0101") == Assignment("sensors", Reason.CONTRACTOR)
    assert routed(policy, owner="water").unit == "water"
    elsewhere = Policy(contracts=(replace(contract, districts=frozenset({"west"})),))
    assert routed(elsewhere, component_class="0101").unit == "water"


def test_what_nobody_owns_goes_to_the_district_as_ownerless() -> None:
    policy = Policy(ownerless_classes=frozenset({"0114"}))
    assert routed(policy, component_class="0114") == Assignment("east-cg", Reason.OWNERLESS)
    assert routed(policy, component_class="0114", owner="gas").reason is Reason.OWNER


def test_of_several_who_answer_jointly_the_first_leads() -> None:
    policy = Policy(joint={"fume": ("east-cg", "gas", "water")})
    assert routed(policy, owner="sensors", problem="fume") == Assignment("east-cg", Reason.LEAD, ("gas", "water"))


def test_whoever_is_found_for_the_facility_leads_if_it_is_one_of_them() -> None:
    policy = Policy(joint={"fume": ("east-cg", "gas", "water")})
    assert routed(policy, owner="gas", problem="fume") == Assignment("gas", Reason.OWNER, ("east-cg", "water"))
