"""TimescaleDB: compiled to WASM, in a Node process of our own; and the server that CITYWARD_TEST_DSN names."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from psycopg import Connection

from devices.kind import Kind
from storage.capability import Capability
from storage.connection import connect
from storage.migrate import migrate
from tests.fix_postgres import NAMED, OnServer, new_database
from tests.needing import missing

RIG = Path(__file__).parent / "pglite"
NODE = shutil.which("node")
SERVERS = ["pglite", "server"] if NAMED else ["pglite"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on PGlite begin: they stay with one worker then, and others do not wait for the slowest in the end."""
    items.sort(key=lambda item: "[pglite" not in item.nodeid)


@dataclass(frozen=True, slots=True)
class Migrated:
    """A migrated database on a server with TimescaleDB, and what ``migrate`` says of it."""

    dsn: str
    capability: Capability


def need_timescale(capability: Capability) -> None:
    """The server that is named may lack it."""
    if capability is Capability.PLAIN:
        missing("TimescaleDB at CITYWARD_TEST_DSN", "install it there, or name another server")


@pytest.fixture(scope="session", params=SERVERS)
def timescale(request: pytest.FixtureRequest, kinds: dict[str, Kind], template_on: OnServer) -> Iterator[Migrated]:
    with ExitStack() as stack:
        if request.param == "pglite":
            dsn = request.getfixturevalue("pglite")
        else:
            dsn = stack.enter_context(new_database(NAMED, "timescale", template=template_on(NAMED)))
        capability = migrate(dsn, kinds, lambda _step: None)
        need_timescale(capability)
        yield Migrated(dsn, capability)


@pytest.fixture
def hypertables(timescale: Migrated) -> Iterator[Connection]:
    """A connection in a transaction that is taken back: PGlite has one database for all tests."""
    with connect(timescale.dsn) as connection, connection.transaction(force_rollback=True):
        yield connection


@pytest.fixture(scope="session")
def pglite() -> Iterator[str]:
    """The DSN of a PGlite that ends with us, whatever ends us: its standard input is our pipe."""
    if NODE is None or not (RIG / "node_modules").is_dir():
        missing("TimescaleDB in WASM", "install Node, then npm ci --prefix tests/pglite")
    process = subprocess.Popen([NODE, "serve.mjs"], cwd=RIG, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        where = process.stdout.readline().removeprefix("listening ").strip()
        assert where, f"serve.mjs ended with {process.wait()}"
        yield f"postgresql://postgres@{where}/template1?sslmode=disable"
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
