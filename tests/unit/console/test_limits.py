"""How much may be asked."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from console import limits
from console.errors import TooLarge, TooMany
from console.limits import Limits, SizeLimit
from console.pages import signing_in


def test_so_many_at_once_and_then_steadily() -> None:
    ours = Limits(2.0)
    for _ in range(20):
        ours.take("ann", 0.0)
    with pytest.raises(TooMany) as refused:
        ours.take("ann", 0.0)
    assert refused.value.headers == {"Retry-After": "1"}
    ours.take("ben", 0.0)
    ours.take("ann", 0.5)
    with pytest.raises(TooMany):
        ours.take("ann", 0.6)


def test_no_limit_is_zero() -> None:
    for _ in range(100):
        Limits(0).take("ann", 0.0)


@given(st.lists(st.floats(0, 10), max_size=200))
def test_never_more_than_what_the_time_allows(pauses: list[float]) -> None:
    ours, now, taken = Limits(1.0), 0.0, 0
    for pause in pauses:
        now += pause
        try:
            ours.take("ann", now)
        except TooMany:
            continue
        taken += 1
    assert taken <= Limits.AT_ONCE + now + 1e-6


def test_a_crowd_of_addresses_takes_no_more_memory_and_frees_no_busy_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KEYS", 100)
    ours = Limits(1.0)
    for _ in range(10):
        ours.take("busy", 0.0)
    for number in range(1000):
        ours.take(f"address {number}", 0.0)
    assert len(ours._buckets) <= 101  # noqa: SLF001 - memory is what this is about
    with pytest.raises(TooMany):
        ours.take("busy", 0.0)


def test_guesses_at_made_up_names_take_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_in, "MOST_KEYS", 100)
    tries, now = signing_in.Tries(), datetime(2026, 11, 21, tzinfo=UTC)
    for number in range(1000):
        tries.note(f"name {number}", now)
    for _ in range(signing_in.TRIES):
        assert not tries.too_many("ann", now)
        tries.note("ann", now)
    assert len(tries._failed) == 100  # noqa: SLF001 - memory is what this is about
    assert tries.too_many("ann", now)


@pytest.mark.parametrize(
    ("headers", "bodies", "taken"),
    [
        ([], [b"x" * 1000], True),
        ([(b"content-length", b"999999999")], [b""], False),
        ([], [b"x" * 200_000, b"x" * 200_000], False),
        ([(b"content-type", b"multipart/form-data; boundary=x")], [b"x" * 200_000, b"x" * 200_000], True),
        ([(b"content-type", b"image/jpeg"), (b"content-length", b"99999999")], [b""], False),
    ],
)
def test_a_request_that_is_too_large_is_not_read(
    headers: list[tuple[bytes, bytes]], bodies: list[bytes], *, taken: bool
) -> None:
    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["more_body"]:
            pass

    left = iter(bodies)

    async def receive() -> Message:
        body = next(left)
        return {"type": "http.request", "body": body, "more_body": body is not bodies[-1]}

    async def send(_message: Message) -> None:
        raise AssertionError

    async def ask() -> None:
        await SizeLimit(app)({"type": "http", "headers": headers}, receive, send)

    if taken:
        asyncio.run(ask())
    else:
        with pytest.raises(TooLarge):
            asyncio.run(ask())
