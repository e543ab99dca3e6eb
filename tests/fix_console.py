"""A console that really listens, on the database of the test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest
import uvicorn
from psycopg import Connection

from cases.words import Language
from console.app import create_app
from console.context import Context
from console.signing import Signing
from storage import console_store
from storage.pool import Pool
from storage.registry_store import load_city
from tests.waiting import eventually


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@contextmanager
def serving(context: Context) -> Iterator[str]:
    """The console's address while it serves, in a thread, on a port of its own."""
    server = uvicorn.Server(uvicorn.Config(create_app(context), port=0, log_config=None, access_log=False))
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
def console(dsn: str, connection: Connection, registry: object, time: Time, signing: Signing) -> Iterator[httpx.Client]:
    """A browser without a picture, at the console of the small city."""
    del registry  # the city is imported
    with Pool(dsn, size=4, name="console test") as pool:
        context = Context(pool, time, load_city(connection), signing, Language.EN, secure=False)
        with serving(context) as address, httpx.Client(base_url=address) as client:
            yield client
