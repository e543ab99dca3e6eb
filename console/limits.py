"""How much may be asked: requests of one visitor, bytes of one request. In memory, each console for itself."""

import math
import threading
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.errors import TooLarge, TooMany

MOST_KEYS = 20_000  # visitors, addresses, names remembered: some megabytes
LARGEST, LARGEST_WITH_PHOTOS = 256 * 1024, 12 * 1024 * 1024  # bytes
_WITH_PHOTOS = ("multipart/form-data", "image/")


def origin(address: str) -> str:
    """Where an address is, for counting: itself, or of an IPv6 address its /64, for that is what one household has."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((int(found), 64), strict=False))


class Limits:
    """So many requests a second for each key, and ``AT_ONCE`` seconds' worth of them at once; zero: no limit.

    A bucket for each key that fills up steadily and that each request takes one from. Does not: read a clock.
    """

    AT_ONCE = 10

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._most = max(per_second * self.AT_ONCE, 1.0)
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, key: str, now: float) -> None:
        """One request, at ``now`` in seconds of a clock that only goes forward.

        Raises:
            TooMany: saying when there is one again.
        """
        if not self._per_second:
            return
        with self._lock:
            left, then = self._buckets.get(key, (self._most, now))
            left = min(self._most, left + (now - then) * self._per_second)
            if left < 1.0:
                raise TooMany(math.ceil((1.0 - left) / self._per_second))
            self._buckets[key] = (left - 1.0, now)
            if len(self._buckets) > MOST_KEYS:
                self._forget(now)

    def _forget(self, now: float) -> None:
        """Drop whoever has a full bucket again, or who has asked least where that frees too little."""
        kept = {
            key: (left, then)
            for key, (left, then) in self._buckets.items()
            if left + (now - then) * self._per_second < self._most
        }
        fullest_last = sorted(kept.items(), key=lambda item: item[1][0])
        self._buckets = dict(fullest_last[: MOST_KEYS // 2])


class SizeLimit:
    """Takes no larger request than that, whether it says its size or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await self._app(scope, _counted(scope, receive) if scope["type"] == "http" else receive, send)


def _counted(scope: Scope, receive: Receive) -> Callable[[], Awaitable[Message]]:
    headers = Headers(scope=scope)
    most = LARGEST_WITH_PHOTOS if headers.get("content-type", "").startswith(_WITH_PHOTOS) else LARGEST
    announced = headers.get("content-length", "")
    heard = 0

    async def counted() -> Message:
        nonlocal heard
        if announced.isdecimal() and int(announced) > most:
            raise TooLarge(most)
        message = await receive()
        heard += len(message.get("body", b""))
        if heard > most:
            raise TooLarge(most)
        return message

    return counted
