"""Notifications as HTTP POST to the URL that a unit gives in city.toml."""

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus

import httpx

from notify.errors import NotReachedError, UndeliverableError
from notify.message import Message, as_json
from notify.outbox import Notification

TIMEOUT_S = 10.0
REST_S = 30.0
_WORTH_ANOTHER_TRY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


class WebhookChannel:
    """Posts the message's JSON to the notification's target, the URL that its unit had when it was written.

    ``Idempotency-Key`` is the notification's id: after a crash the same notification can arrive twice. An
    answer 2xx is a delivery; 4xx is final but for 408 and 429; anything else is tried again.

    A URL that does not answer rests for ``REST_S``, then one message tries it. Else the messages for one dead
    receiver would fill the channel's slots with waiting, and those for the living would wait behind them.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        timeout_s: float = TIMEOUT_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._timeout_s = timeout_s
        self._monotonic = monotonic
        self._rests_until: dict[str, float] = {}

    async def send(self, notification: Notification) -> None:
        """Post once; see ``Channel.send``."""
        message, url = notification.message, notification.target
        self._take_turn(url)
        try:
            answer = await self._post(url, message, as_json(message, notification.others, notification.link))
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise UndeliverableError(f"the webhook of {message.unit!r} is no URL to post to: {error}") from error
        except (httpx.HTTPError, TimeoutError) as error:
            self._rests_until[url] = self._monotonic() + REST_S
            # Some of these errors, a timeout for one, have no text of their own.
            raise NotReachedError(f"{type(error).__name__}: {error}") from error
        self._rests_until.pop(url, None)
        if answer.is_success:
            return
        said = f"HTTP {answer.status_code} {answer.reason_phrase}"
        if answer.is_client_error and answer.status_code not in _WORTH_ANOTHER_TRY:
            raise UndeliverableError(said)
        raise NotReachedError(said, _retry_after(answer))

    async def _post(self, url: str, message: Message, content: bytes) -> httpx.Response:
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": str(message.notification_id),
        }
        # One limit for all: httpx has one a step, and a receiver that drips could hold a slot for long.
        async with asyncio.timeout(self._timeout_s):
            return await self._client.post(url, content=content, headers=headers, timeout=None)

    def _take_turn(self, url: str) -> None:
        until = self._rests_until.get(url)
        if until is None:
            return
        now = self._monotonic()
        if now < until:
            raise NotReachedError("the receiver did not answer a moment ago", until - now)
        # This message tries; until it knows, the others wait.
        self._rests_until[url] = now + REST_S


def _retry_after(answer: httpx.Response) -> float | None:
    """Seconds of a Retry-After header; its other form, a date, is left to our own back-off."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None
