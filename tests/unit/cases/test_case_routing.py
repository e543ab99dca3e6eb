from datetime import time
from zoneinfo import ZoneInfo

import pytest

from cases.calendars import WorkCalendar
from cases.city import City, District, Unit
from cases.errors import NobodyResponsible
from cases.routing import Assignment, Reason, Role, responsible_unit

NAME = {"en": "x", "zh": "x"}
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
        to=to,
    )
    assert found == Assignment(unit, reason)


def test_nobody_answers_for_an_unknown_district_and_the_error_says_what_to_add() -> None:
    with pytest.raises(NobodyResponsible, match=r"add \[districts\.west\]"):
        responsible_unit(maintainer="", owner="", component_class="0114", district="west", city=CITY)


def test_a_known_owner_is_enough_even_where_the_district_is_unknown() -> None:
    found = responsible_unit(maintainer="", owner="gas", component_class="", district="west", city=CITY)
    assert found.unit == "gas"
