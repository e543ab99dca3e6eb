"""Every answer is told to somebody who counts: which route, which status, how long it took."""

import time
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

OTHER = "other"  # files, and addresses that nothing answers


class Count(Protocol):
    """Who counts."""

    def __call__(self, route: str, status: int, seconds: float) -> None:
        """One answer; ``route`` is the pattern that the address fitted, such as ``/cases/{number}``."""


class Counted:
    """An application whose answers are counted; one that broke counts as 500."""

    def __init__(self, app: ASGIApp, count: Count) -> None:
        self._app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            route = getattr(scope.get("route"), "path", "") or OTHER
            self._count(route, status, time.perf_counter() - began)
