"""A proxy before the console that the settings do not name."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from console.proxies import UnnamedProxy


async def nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """The application."""


async def receive() -> Message:
    raise AssertionError


async def send(_message: Message) -> None:
    raise AssertionError


@pytest.mark.parametrize(
    ("address", "forwarded", "said"),
    [
        ("10.0.0.5", [b"203.0.113.7"], True),
        ("203.0.113.7", [b"junk", b"203.0.113.7:4711"], False),  # the server has believed the proxy
        ("2001:db8::7", [b"10.1.1.1, [2001:DB8::7]:4711"], False),
        ("2001:db8::7", [b"2001:db8:0::7"], False),
        ("203.0.113.7", [], False),
        ("10.0.0.5", [b"10.0.0.55"], True),  # only begins alike
        ("10.0.0.5", [b"110.0.0.5:80, [broken"], True),
    ],
)
def test_it_is_told_once(address: str, forwarded: list[bytes], *, said: bool) -> None:
    app = UnnamedProxy(nothing)
    scope = {
        "type": "http",
        "client": (address, 1),
        "headers": [(b"x-forwarded-for", value) for value in forwarded],
    }
    with capture_logs() as logs:
        for _ in range(2):
            asyncio.run(app(scope, receive, send))
    assert [line["address"] for line in logs] == ([address] if said else [])
