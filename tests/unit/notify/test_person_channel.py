"""Against a service of our own, registered with apprise as any other: no sockets."""

import asyncio
from dataclasses import replace
from typing import Any

import apprise
import pytest

from cases.city import City
from cases.people import Contact
from cases.words import Language
from notify.channels.person import PersonChannel
from notify.errors import NotReachedError, UndeliverableError
from notify.message import Message
from notify.outbox import Notification
from tests.unit.cases.sample import CITY, NAME

READ: list[tuple[str, str, str]] = []


@apprise.decorators.notify(on="pigeon")  # type: ignore[no-untyped-call, untyped-decorator]
def pigeon(body: str, title: str, notify_type: str, *_: Any, **details: Any) -> bool:
    del notify_type
    READ.append((details["meta"]["host"], title, body))
    return bool(details["meta"]["host"] != "lame")


def sent(url: str, *, language: Language = Language.EN, environment: dict[str, str] | None = None) -> None:
    contacts = {"wang": Contact(NAME, url, language)}

    async def city() -> City:
        return replace(CITY, contacts=contacts)

    message = Message(
        notification_id=7,
        case_number="4201022026112000017",
        district="east",
        unit="water",
        event="dispatch",
        severity=4,
        problem="cover_open",
        device_id="cover-1",
        facility="Cover 1",
        road="Jiefang Road",
    )
    READ.clear()
    asyncio.run(PersonChannel(city, environment or {}).send(Notification("person", "wang", message)))


def test_a_person_reads_the_text_in_their_language() -> None:
    sent("pigeon://roof")
    assert READ == [
        (
            "roof",
            "[critical] New case 4201022026112000017: manhole cover open",
            "Where: Cover 1, Jiefang Road\nDevice: cover-1",
        )
    ]
    sent("pigeon://roof", language=Language.ZH)
    assert "井盖开启" in READ[0][1]


def test_what_is_secret_in_a_url_comes_from_the_environment() -> None:
    sent("pigeon://${PIGEON}", environment={"PIGEON": "loft"})
    assert READ[0][0] == "loft"
    with pytest.raises(UndeliverableError, match="needs PIGEON in the environment"):
        sent("pigeon://${PIGEON}")


def test_a_service_that_does_not_take_it_is_asked_again() -> None:
    with pytest.raises(NotReachedError, match="'wang' did not take it"):
        sent("pigeon://lame")


def test_a_url_that_cannot_be_read_is_final() -> None:
    with pytest.raises(UndeliverableError, match="none that apprise can read"):
        sent("carrier-pigeon")


def test_a_contact_that_left_the_file_is_final() -> None:
    async def city() -> City:
        return CITY

    with pytest.raises(UndeliverableError, match="'wang' is not in the city's file"):
        asyncio.run(PersonChannel(city, {}).send(Notification("person", "wang", None)))  # type: ignore[arg-type]
