import tomllib
from datetime import datetime

import pytest

from cases.city import City, read_city
from cases.history import Occurrence
from cases.lifecycle import Event
from devices.errors import DescriptionError
from notify.recipients import Happening, recipients
from tests.unit.cases.sample import SHANGHAI

DOCUMENT = """
name = { en = "Testburg", zh = "测试市" }
timezone = "Asia/Shanghai"
night = { start = "22:00", end = "06:00" }
office_hours = [["08:00", "12:00"]]
leadership = ["mayor"]
[districts.east]
name = { en = "East", zh = "东区" }
fallback = "east-cg"
contacts = ["east duty"]
[units.east-cg]
name = { en = "East", zh = "东区" }
[units.water]
name = { en = "Water company", zh = "自来水公司" }
webhook = "https://water.example/cases"
lead = ["chief"]
shifts = [
    { start = "08:00", end = "18:00", days = ["working"], contacts = ["day"] },
    { start = "18:00", end = "08:00", days = ["working"], contacts = ["night"] },
    { start = "09:00", end = "17:00", days = ["sun"], contacts = ["sunday"] },
]
[contacts]
mayor = { name = { en = "x", zh = "x" }, url = "json://x" }
"east duty" = { name = { en = "x", zh = "x" }, url = "json://x" }
chief = { name = { en = "x", zh = "x" }, url = "json://x" }
day = { name = { en = "x", zh = "x" }, url = "json://x" }
night = { name = { en = "x", zh = "x" }, url = "json://x", language = "en" }
sunday = { name = { en = "x", zh = "x" }, url = "json://x" }
"""
UNIT = ["mqtt water", "webhook https://water.example/cases"]


def city(text: str = DOCUMENT) -> City:
    return read_city(tomllib.loads(text), "city.toml")


def told(event: Event | Occurrence, detail: str = "", at: str = "20T12:00", severity: int = 3) -> list[str]:
    happening = Happening(
        event=event, detail=detail, unit="water", joint=("east-cg",), district="east", severity=severity
    )
    moment = datetime.fromisoformat(f"2026-11-{at}").replace(tzinfo=SHANGHAI)
    return [f"{each.channel} {each.target}" for each in recipients(happening, city(), moment)]


@pytest.mark.parametrize(
    ("at", "on_duty"),
    [
        ("20T08:00", ["person day"]),
        ("20T17:59", ["person day"]),
        ("20T18:00", ["person night"]),
        ("21T07:59", ["person night"]),  # Friday's shift goes on into Saturday
        ("21T12:00", []),
        ("22T12:00", ["person sunday"]),
    ],
)
def test_whose_shift_it_is_hears_of_a_new_case(at: str, on_duty: list[str]) -> None:
    assert told(Event.DISPATCH, at=at) == [*UNIT, *on_duty, "mqtt east-cg"]


def test_where_it_is_nobodys_shift_the_lead_hears_of_danger_to_life() -> None:
    assert "person chief" in told(Event.DISPATCH, at="21T12:00", severity=4)
    assert "person chief" not in told(Event.DISPATCH, at="21T12:00")


@pytest.mark.parametrize(
    ("event", "detail", "who"),
    [
        (Occurrence.UNATTENDED, "lead", ["person chief"]),
        (Occurrence.UNATTENDED, "district", ["mqtt east-cg", "person east duty"]),
        (Occurrence.UNATTENDED, "leadership", ["person mayor"]),
        (Occurrence.SHEET, "white", [*UNIT, "person day"]),
        (Occurrence.SHEET, "yellow", [*UNIT, "person day", "mqtt east-cg", "person east duty"]),
        (Occurrence.SHEET, "red", [*UNIT, "person day", "mqtt east-cg", "person east duty", "person mayor"]),
        (Event.ACCEPT, "", []),
    ],
)
def test_what_is_late_goes_up_the_chain(event: Event | Occurrence, detail: str, who: list[str]) -> None:
    assert told(event, detail) == who


def test_a_city_file_says_which_contact_and_which_hour_is_wrong() -> None:
    wrong = DOCUMENT.replace('leadership = ["mayor"]', 'leadership = ["king"]').replace('"09:00"', '"9"')
    with pytest.raises(DescriptionError) as refused:
        city(wrong.replace('["sun"]', '["someday"]'))
    assert "leadership: the contact 'king' is not among [contacts]" in refused.value.problems
    assert any("shifts, number 3: '9' is no time of day" in problem for problem in refused.value.problems)
    assert any("'someday' is no day" in problem for problem in refused.value.problems)
