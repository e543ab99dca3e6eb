import asyncio
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from notify.channels.webhook import WebhookChannel
from notify.errors import NotReachedError, UndeliverableError
from notify.message import as_json
from notify.outbox import Notification
from tests.unit.notify.sample import MESSAGE

URLS = {
    "water": "https://water.example/cases",
    "power": "https://power.example/cases",
    "heat": "ftp://heat.example",
    "odd": "https://[1/",
}
WAITING = Notification("webhook", URLS["water"], MESSAGE)


def send(answer: Callable[[httpx.Request], httpx.Response], unit: str = "water") -> None:
    message = replace(MESSAGE, unit=unit)

    async def once() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            await WebhookChannel(client).send(Notification("webhook", URLS[unit], message))

    asyncio.run(once())


def status(code: int, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(code, headers={k.replace("_", "-"): v for k, v in headers.items()})


def test_the_message_is_posted_as_json_with_its_id_as_key() -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(202)

    send(answer)
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "https://water.example/cases")
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Idempotency-Key"] == "17"
    assert request.content == as_json(MESSAGE)


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 422])
def test_a_refusal_is_final(code: int) -> None:
    with pytest.raises(UndeliverableError, match=f"HTTP {code}"):
        send(status(code))


@pytest.mark.parametrize("code", [302, 408, 429, 500, 502, 503])
def test_anything_that_may_pass_is_tried_again(code: int) -> None:
    with pytest.raises(NotReachedError, match=f"HTTP {code}") as later:
        send(status(code))
    assert later.value.after is None


@pytest.mark.parametrize(("text", "after"), [("120", 120.0), ("Fri, 20 Nov 2026 12:00:00 GMT", None), ("-1", None)])
def test_the_wait_that_the_receiver_asks_for_is_handed_on(text: str, after: float | None) -> None:
    with pytest.raises(NotReachedError) as later:
        send(status(503, Retry_After=text))
    assert later.value.after == after


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ReadTimeout("")])
def test_a_receiver_that_is_away_is_tried_again(error: httpx.HTTPError) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(NotReachedError, match=type(error).__name__):
        send(answer)


@pytest.mark.parametrize("unit", ["heat", "odd"])
def test_a_unit_without_a_usable_url_is_not_tried_again(unit: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.UnsupportedProtocol(str(request.url))

    with pytest.raises(UndeliverableError, match=unit):
        send(answer, unit)


class DeadReceiver:
    """Does not answer until it is repaired; a message can be sent to it at a time of our choice."""

    def __init__(self) -> None:
        self.asked = 0
        self.repaired = False
        self.now = 1000.0
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        self.channel = WebhookChannel(client, monotonic=lambda: self.now)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if not self.repaired and request.url.host == "water.example":
            raise httpx.ConnectTimeout("")
        return httpx.Response(200)

    def send(self, at: float, unit: str = "water") -> float | None:
        """The wait asked for, None where the message was delivered."""
        self.now = 1000.0 + at
        try:
            asyncio.run(self.channel.send(Notification("webhook", URLS[unit], MESSAGE)))
        except NotReachedError as later:
            return later.after or 0.0
        return None


def test_a_receiver_that_did_not_answer_rests_before_it_is_asked_again() -> None:
    dead = DeadReceiver()
    assert [dead.send(at) for at in (0, 1, 20)] == [0.0, 29.0, 10.0]
    assert dead.asked == 1


def test_after_the_rest_one_message_tries_and_sends_it_to_rest_again() -> None:
    dead = DeadReceiver()
    assert [dead.send(at) for at in (0, 30, 31)] == [0.0, 0.0, 29.0]
    assert dead.asked == 2


def test_while_one_message_tries_the_others_do_not_wait_for_it() -> None:
    asked = []
    seconds = iter([0.0, 30.0, 30.0, 60.0])

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        await asyncio.sleep(0)
        raise httpx.ConnectTimeout("")

    async def scenario() -> str:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            channel = WebhookChannel(client, monotonic=lambda: next(seconds))
            await asyncio.gather(channel.send(WAITING), return_exceptions=True)
            first, second = channel.send(WAITING), channel.send(WAITING)
            return str((await asyncio.gather(first, second, return_exceptions=True))[1])

    assert "a moment ago" in asyncio.run(scenario())
    assert len(asked) == 2


def test_a_receiver_that_answers_again_gets_everything_at_once() -> None:
    dead = DeadReceiver()
    dead.send(0)
    dead.repaired = True
    assert [dead.send(at) for at in (30, 30, 31)] == [None, None, None]


def test_a_dead_receiver_does_not_hold_up_its_neighbours() -> None:
    dead = DeadReceiver()
    dead.send(0)
    assert dead.send(1, unit="power") is None


def test_a_receiver_that_drips_is_given_up() -> None:
    async def drip(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def once() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(drip)) as client:
            await WebhookChannel(client, timeout_s=0.01).send(WAITING)

    with pytest.raises(NotReachedError, match="TimeoutError"):
        asyncio.run(once())
