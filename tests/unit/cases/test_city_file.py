import tomllib
from datetime import date, time
from pathlib import Path

import pytest

from cases.city import City, load_city, read_city
from cases.clocks import Allowance
from devices.errors import DescriptionError

GOOD = """
name = { en = "Testburg", zh = "测试市" }
timezone = "Asia/Shanghai"
night = { start = "22:00", end = "06:00" }
office_hours = [["08:00", "12:00"], ["14:00", "18:00"]]
holidays = ["2026-11-24"]
make_up_days = [2026-11-22]
[districts.east]
name = { en = "East", zh = "东区" }
fallback = "east-cg"
[units.east-cg]
name = { en = "East urban management", zh = "东区城管" }
[units.water]
name = { en = "Water company", zh = "自来水公司" }
webhook = "https://water.example/cases"
[component_owners]
"0101" = "water"
[deadlines.MH-01]
arrive = "20m urgent"
[lateness]
noise = "90s"
fume = "0s"
"""


def read(text: str) -> City:
    return read_city(tomllib.loads(text), "city.toml")


def problems(text: str) -> list[str]:
    with pytest.raises(DescriptionError) as wrong:
        read(text)
    return wrong.value.problems


def test_a_city_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_text(GOOD, encoding="utf-8")
    city = load_city(path)
    assert city.names["zh"] == "测试市"
    assert city.night == (time(22), time(6))
    assert city.calendar.holidays == {date(2026, 11, 24)}
    assert city.calendar.make_up_days == {date(2026, 11, 22)}
    assert city.districts["east"].fallback == "east-cg"
    assert city.units["water"].webhook == "https://water.example/cases"
    assert city.component_owners == {"0101": "water"}
    assert city.deadlines["MH-01"].arrive == Allowance.parse("20m urgent")
    assert city.deadlines["MH-01"].fix is None
    assert city.lateness == {"noise": 90_000_000}


def test_lists_of_days_owners_and_deadlines_may_be_left_out() -> None:
    shorter = GOOD.split("[component_owners]", maxsplit=1)[0].replace('holidays = ["2026-11-24"]\n', "")
    city = read(shorter.replace("make_up_days = [2026-11-22]\n", ""))
    assert not city.component_owners
    assert not city.deadlines
    assert not city.calendar.holidays


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('"Asia/Shanghai"', '"Asia/Shangai"', "timezone: 'Asia/Shangai' is unknown"),
        ('"Asia/Shanghai"', '"../etc"', "timezone: '../etc' is unknown"),
        ('end = "06:00"', 'end = "6:00"', "night.end: '6:00' is no time of day"),
        ('["08:00", "12:00"]', '["08:00", "25:00"]', "office_hours: '25:00' is no time of day"),
        ('["08:00", "12:00"]', '["08:00"]', "office_hours: "),
        ('["08:00", "12:00"]', '["12:00", "08:00"]', "office hours 12:00-08:00 end before they start"),
        ('["2026-11-24"]', '["24.11.2026"]', "holidays: "),
        ('["2026-11-24"]', '["2026-11-22"]', "2026-11-22 is listed as holiday and as make-up day"),
        (
            'fallback = "east-cg"',
            'fallback = "cg"',
            "districts.east.fallback: the unit 'cg' is not among [units]",
        ),
        ('fallback = "east-cg"', 'falback = "cg"', "districts.east: "),
        ('"0101" = "water"', '"0101" = "gas"', "component_owners.0101: the unit 'gas' is not among [units]"),
        ('"0101" = "water"', '"101" = "water"', "component_owners: '101' is no class"),
        ("https://water.example/cases", "water.example", "units.water.webhook: 'water.example' is no URL"),
        (', zh = "东区城管"', "", "units.east-cg.name: the name in 'zh' is missing"),
        ("[units.water]", '[units."wa/ter"]', "'wa/ter' cannot stand in a topic"),
        ("20m urgent", "20m", "deadlines.MH-01.arrive: '20m' is no allowance"),
        ('"90s"', '"90"', "lateness.noise: '90' is not a duration: write 30s, 10m"),
        ('"90s"', '"61m"', "lateness.noise: '61m' is too long: an alarm waits 1h at most"),
        ('"90s"', "90", "lateness.noise: Expected `str`"),
        ('timezone = "Asia/Shanghai"', "", "timezone is missing"),
        ("[component_owners]", "[component_owner]", "unknown key 'component_owner'; known are "),
    ],
)
def test_what_is_wrong_is_said_with_its_place(right: str, wrong: str, said: str) -> None:
    assert GOOD.count(right) == 1
    assert any(problem.startswith(said) for problem in problems(GOOD.replace(right, wrong)))


def test_all_mistakes_are_listed_at_once() -> None:
    text = GOOD.replace("Asia/Shanghai", "Nowhere").replace('= "water"', '= "gas"').replace("20m urgent", "soon")
    assert len(problems(text)) == 3


def test_a_file_that_is_no_toml_or_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    with pytest.raises(DescriptionError, match=r"city\.toml"):
        load_city(path)
    path.write_text("name = ", encoding="utf-8")
    with pytest.raises(DescriptionError, match=r"city\.toml"):
        load_city(path)
