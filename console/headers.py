"""What every answer says about itself: nothing runs, loads or frames but what the console itself serves."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# MapLibre works in a worker made of a file of ours and draws on canvases; the rest needs no exception.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:{tiles}; font-src 'self'; "
    "connect-src 'self'{tiles}; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Referrer-Policy": "same-origin",  # a crew's link is a key
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=()",
}


def safety(map_style: str) -> Mapping[str, str]:
    """What an answer says; the map's style of this address may bring tiles, signs and letters from its own server."""
    at = urlsplit(map_style)
    policy = _POLICY.format(tiles=f" {at.scheme}://{at.netloc}" if at.netloc else "")
    return {**HEADERS, "Content-Security-Policy": policy}


class SafetyHeaders:
    """Adds them; an answer about people and cases is kept by nobody but who asked.

    Args:
        app: What answers.
        map_style: The address of a map's style.
    """

    def __init__(self, app: ASGIApp, map_style: str = "") -> None:
        self._app = app
        self._headers = safety(map_style)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                if "Cache-Control" not in headers:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)
