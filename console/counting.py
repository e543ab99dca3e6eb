"""Every answer is told to somebody who counts: which route, which status, how long it took."""

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

OTHER = "other"  # files, and addresses that nothing answers


class Counted:
    """An application whose answers are counted; one that broke counts as 500.

    Args:
        app: The application.
        count: Told of each answer its route (the pattern that its address fitted, such as ``/cases/{number}``), its
            status and its seconds.
    """

    def __init__(self, app: ASGIApp, count: Callable[[str, int, float], None]) -> None:
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
