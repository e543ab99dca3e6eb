"""Tells from the log that a proxy stands before the console whose word is not taken: its visitors all count as one."""

from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

_log = structlog.get_logger(__name__)


class UnnamedProxy:
    """Says so once. Where the server believes a proxy, it has put one of the forwarded addresses in its place."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._said = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and not self._said:
            forwarded = ",".join(Headers(scope=scope).getlist("X-Forwarded-For"))
            address = scope["client"][0] if scope.get("client") else ""
            if forwarded and _host(address) not in {_host(each) for each in forwarded.split(",")}:
                self._said = True
                _log.warning(
                    "unnamed_proxy",
                    address=address,
                    hint="whoever comes through it counts as one visitor; name it in console_proxy",
                )
        await self._app(scope, receive, send)


def _host(text: str) -> object:
    """The address, which proxies write with a port or without; what is none as it is written."""
    for read in (str.strip, lambda text: urlsplit(f"//{text.strip()}").hostname or ""):
        with suppress(ValueError):
            return ip_address(read(text))
    return text
