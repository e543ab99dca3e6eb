"""Links that open a unit's page: in messages, from the prompt, and ended."""

import asyncio
from datetime import datetime, timedelta

import httpx
import pytest

from console.links import ConsoleLinks
from notify.linking import Place
from storage.outbox import NotificationStore
from tests.fix_console import Time
from tests.integration.prompt import Command

NUMBER = "4201022026112100001"


def link_in_a_message(dsn: str, console: httpx.Client, unit: str, since: datetime) -> str:
    async def made() -> str:
        async with NotificationStore(dsn) as store:
            return await ConsoleLinks(str(console.base_url), timedelta(days=1), store).to(Place(unit, NUMBER), since)

    return asyncio.run(made())


def opens(console: httpx.Client, link: str) -> str:
    """Where a link leads; empty if nowhere."""
    return str(console.get(link).headers.get("location", ""))


def test_a_link_in_a_message_opens_its_case_for_as_long_as_the_city_lets_it(
    dsn: str, console: httpx.Client, time: Time
) -> None:
    link = link_in_a_message(dsn, console, "drainage", time.at)
    assert len(link.partition("/c/")[2]) < 130, "it fits into two short messages"
    assert opens(console, link) == f"/crew/{NUMBER}"
    time.at += timedelta(hours=25)
    assert opens(console, link) == ""


def test_links_of_a_unit_end_all_at_once_and_those_of_others_do_not(
    dsn: str, console: httpx.Client, time: Time, cityward: Command
) -> None:
    mine, others = (link_in_a_message(dsn, console, unit, time.at) for unit in ("drainage", "lighting"))
    assert "all links are over" in cityward("users", "revoke-links", "drainage").output
    assert (opens(console, mine), opens(console, others)) == ("", f"/crew/{NUMBER}")
    assert opens(console, link_in_a_message(dsn, console, "drainage", time.at)) == f"/crew/{NUMBER}"
    assert "not in the city file" in str(cityward("users", "revoke-links", "sewers").exception)


def test_a_link_is_made_at_the_prompt(
    console: httpx.Client, cityward: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "set console_url" in str(cityward("users", "link", "drainage").exception)
    monkeypatch.setenv("CITYWARD_CONSOLE_URL", str(console.base_url))
    assert opens(console, cityward("users", "link", "drainage").output.strip()) == "/crew"
