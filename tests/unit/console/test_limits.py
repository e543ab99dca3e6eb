"""How much may be asked."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event, Semaphore

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from console import guesses, limits, passwords
from console.errors import TooLarge, TooMany
from console.limits import Limits, SizeLimit, origin
from tests.waiting import eventually


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
    monkeypatch.setattr(guesses, "MOST_KEYS", 100)
    failures, now = guesses.Failures(5, timedelta(minutes=5)), datetime(2026, 11, 21, tzinfo=UTC)
    for number in range(1000):
        failures.note(f"name {number}", now)
    for _ in range(5):
        assert not failures.too_many("ann", now)
        failures.note("ann", now)
    assert len(failures._failed) == 100  # noqa: SLF001 - memory is what this is about
    assert failures.too_many("ann", now)


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:0:7:1:2:3:4", "2001:db8:0:7::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_an_address_of_version_6_counts_with_its_neighbours(address: str, where: str) -> None:
    assert origin(address) == where


def test_passwords_are_checked_two_at_a_time_and_no_more_than_ten_wait_or_are_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checking, go_on = Semaphore(0), Event()

    def verify(_hasher: PasswordHasher, _kept: str, _password: str) -> bool:
        checking.release()
        return go_on.wait(timeout=60)

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    most = passwords.CHECKED + passwords.WAITING
    with ThreadPoolExecutor(most) as pool:
        asked = [pool.submit(passwords.matches, "x", "y") for _ in range(most)]
        for _ in range(passwords.CHECKED):
            assert checking.acquire(timeout=60)
        eventually(lambda: not passwords._taken._value, "all have asked")  # noqa: SLF001
        with pytest.raises(passwords.BusyError):
            passwords.matches("x", "y")
        assert not checking.acquire(blocking=False), "the others wait"
        go_on.set()
        assert all(each.result() for each in asked)
    assert passwords.matches("x", "y"), "there is room again"


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
