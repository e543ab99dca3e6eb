"""A console that really listens, on the database of the test."""

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from psycopg import Connection

from cases.words import Language
from cityward import wiring
from cityward.explanation import explanation
from console.access import Role
from console.app import create_app
from console.context import Context
from console.signing import Session, Signing
from devices.kind import Kind
from storage import console_store
from storage.alarm_list import AlarmRow
from storage.pool import Pool
from storage.registry_store import load_city
from tests.installed import installed_rules
from tests.waiting import PATIENCE, eventually


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@contextmanager
def serving(context: Context) -> Iterator[str]:
    """The console's address while it serves, in a thread, on a port of its own."""
    app, proxy = create_app(context), "127.0.0.1"  # the test, where it says that it speaks for somebody else
    configured = uvicorn.Config(app, port=0, log_config=None, access_log=False, forwarded_allow_ips=proxy)
    server = uvicorn.Server(configured)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: server.started, "the console listens")
        yield "http://127.0.0.1:{1}".format(*server.servers[0].sockets[0].getsockname())
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def signing(connection: Connection, time: Time) -> Signing:
    return Signing(console_store.signing_key(connection, time.now()))


@pytest.fixture
def context(
    dsn: str, connection: Connection, registry: object, kinds: dict[str, Kind], time: Time, signing: Signing
) -> Iterator[Context]:
    """What a console of the small city works with."""
    del registry  # the city is imported
    rules = installed_rules()
    practice, by_id = wiring.practice(load_city(connection), rules, kinds), {rule.id: rule for rule in rules}

    def explain(at: Connection, alarm: AlarmRow) -> Mapping[str, Any]:
        return explanation(at, kinds, alarm)

    with Pool(dsn, size=4, name="console test") as pool:
        yield Context(pool, time, practice, kinds, by_id, signing, Language.EN, explain, secure=False)


@pytest.fixture
def site(context: Context) -> Iterator[str]:
    """The address of a console of the small city."""
    with serving(context) as address:
        yield address


@pytest.fixture
def console(site: str) -> Iterator[httpx.Client]:
    """A browser without a picture."""
    with httpx.Client(base_url=site, timeout=PATIENCE) as client:
        yield client


SignedIn = Callable[..., Session]


@pytest.fixture
def signed_in(connection: Connection, time: Time) -> SignedIn:
    """``signed_in(Role.OPERATOR)``: the session of a new person; ``signed_in(unit="drainage")``: of a crew's link."""

    def begin(role: Role | None = None, *, unit: str = "", language: Language = Language.EN) -> Session:
        until = int((time.at + timedelta(hours=12)).timestamp())
        if role is None:
            return Session("", 1, unit, secrets.token_urlsafe(), until)
        name = f"{role}-{secrets.token_hex(3)}"
        console_store.save(
            connection,
            username=name,
            full_name=name.title(),
            role=role,
            unit=unit,
            language=language,
            password_hash="none that fits",  # noqa: S106
            at=time.at,
        )
        return Session(name, 1, unit, secrets.token_urlsafe(), until)

    return begin
