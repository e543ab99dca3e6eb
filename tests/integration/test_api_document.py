"""What docs/api.md tells people to type works, as it stands there."""

import shlex
from datetime import timedelta
from pathlib import Path

import httpx
from psycopg import Connection

from console.access import Role
from storage import console_tokens
from tests.fix_console import Time
from tests.integration.desk import Desk
from tests.integration.making import COVER_EAST

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"


def typed(line: str, site: str, token: str) -> httpx.Request:
    """The request that curl would send."""
    words = iter(shlex.split(line.replace("$CITYWARD", site).replace("$TOKEN", token))[1:])
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


def test_every_example_of_the_document_works(site: str, connection: Connection, desk: Desk, time: Time) -> None:
    desk.alarm(("MH-01", COVER_EAST), at=time.at)
    desk.take_up(time.at)
    until = time.at + timedelta(days=1)
    token = console_tokens.add(connection, "duty-desk", role=Role.SUPERVISOR, unit="", expires_at=until, at=time.at)
    lines = [line.strip() for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("    curl ")]
    assert len(lines) > 15
    with httpx.Client() as client:
        for line in lines:
            answer = client.send(typed(line, site, str(token)))
            assert answer.is_success, (line, answer.text)
