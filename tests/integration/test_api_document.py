"""What pages tell people to ask the API works, as it stands there, and is answered as they show."""

import shlex
from collections.abc import Iterator
from datetime import timedelta

import httpx
from psycopg import Connection

from console.access import Role
from storage import console_tokens
from tests.documents import PAGES, blocks
from tests.fix_console import Time
from tests.integration.desk import Desk
from tests.integration.making import COVER_EAST
from tests.waiting import PATIENCE
from tests.walking import split


def typed(line: str, site: str, token: str) -> httpx.Request:
    """The request that curl would send."""
    words = iter(
        shlex.split(line.replace("$CITYWARD", site).replace("http://127.0.0.1:8080", site).replace("$TOKEN", token))[1:]
    )
    headers, said, url = {}, [], ""
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word in {"-d", "--data-urlencode"}:
            said.append(next(words))
        else:
            url = word
    if not said:
        return httpx.Request("GET", url, headers=headers)
    if "Content-Type" in headers:
        return httpx.Request("POST", url, headers=headers, content=said[0])
    return httpx.Request("POST", url, headers=headers, data=dict(each.split("=", 1) for each in said))


def lines() -> Iterator[tuple[str, str]]:
    """Every request of every page, and the answer where one is shown; docs/api.md first, whose requests are a story."""
    for page in sorted(PAGES, key=lambda page: page.name != "api.md"):
        for _, language, block in blocks(page):
            if language == "console":
                yield from ((command, shown[0]) for command, shown in split(block) if command.startswith("curl "))
            elif not language:
                yield from ((line, "") for line in block if line.startswith("curl "))


def test_every_request_that_a_page_shows_is_answered(site: str, connection: Connection, desk: Desk, time: Time) -> None:
    desk.alarm(("MH-01", COVER_EAST), at=time.at)
    desk.take_up(time.at)
    until = time.at + timedelta(days=1)
    token = console_tokens.add(connection, "duty-desk", role=Role.SUPERVISOR, unit="", expires_at=until, at=time.at)
    with httpx.Client(timeout=PATIENCE) as client:
        for line, shown in lines():
            answer = client.send(typed(line, site, str(token)))
            assert answer.is_success or shown, (line, answer.text)
            assert not shown or answer.text == shown
