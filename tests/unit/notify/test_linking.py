import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import pytest

from cases.city import City, Unit
from cases.people import Shift
from cases.words import Language
from notify.linking import Place, place_of
from notify.message import as_json, render_all
from notify.outbox import Notification, NotificationStore
from notify.stages import Link
from tests.unit.cases.sample import CITY as BARE
from tests.unit.cases.sample import NAME
from tests.unit.notify.test_notify_message import MESSAGE

HOOK = "https://water.example/cases"
WATER = Unit(NAME, webhook=HOOK, lead=["li"], shifts=[Shift("08:00", "18:00", ["wang"])])
CITY: City = replace(BARE, units={**BARE.units, "water": WATER})
NUMBER = MESSAGE.case_number
NOON = datetime.fromisoformat("2026-11-20T12:00:00+08:00")


def told(channel: str, target: str, event: str = "dispatch", detail: str = "") -> Notification:
    return Notification(channel, target, replace(MESSAGE, event=event, detail=detail), created_at=NOON)


@pytest.mark.parametrize(
    ("notification", "unit"),
    [
        (told("mqtt", "water"), "water"),
        (told("mqtt", "gas"), "gas"),
        (told("mqtt", "east-cg", "sheet", "red"), ""),
        (told("mqtt", "water", "sheet", "red"), "water"),
        (told("webhook", HOOK), "water"),
        (told("webhook", "https://gone.example"), ""),
        (told("person", "wang"), "water"),
        (told("person", "li", "unattended", "lead"), "water"),
        (told("person", "mayor", "unattended", "leadership"), ""),
    ],
)
def test_a_crews_key_goes_to_the_units_own_people_alone(notification: Notification, unit: str) -> None:
    assert place_of(notification, CITY) == Place(unit, NUMBER)


def test_a_message_about_many_leads_to_all_of_them() -> None:
    many = replace(told("mqtt", "water"), others=(MESSAGE,))
    assert place_of(many, CITY) == Place("water", "")


class Shelf:
    async def city(self) -> City:
        return CITY


class Links:
    async def to(self, place: Place, since: datetime) -> str:
        return f"https://console.example/{place.unit}/{since:%H%M}"


def test_the_link_is_the_same_when_it_is_sent_again_and_the_last_line_of_what_people_read() -> None:
    async def twice() -> list[Any]:
        stage = Link(cast("NotificationStore", Shelf()), Links())
        return [await stage(told("person", "wang")) for _ in range(2)]

    first, second = asyncio.run(twice())
    assert first.link == second.link == "https://console.example/water/1200"
    assert render_all(MESSAGE, (), Language.ZH, first.link).splitlines()[-1] == f"处理：{first.link}"  # noqa: RUF001
    assert b'"link":"https://console.example/water/1200"' in as_json(MESSAGE, (), first.link)
