"""A real PostgreSQL: embedded, or any server named by CITYWARD_TEST_DSN; a database of its own for each test."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from cityward import embedded
from devices.kind import Kind, load_kinds
from storage.capability import Capability, detect
from storage.connection import connect
from storage.migrate import migrate


def _shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers of a run."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The DSN of a server on which databases may be created."""
    named = os.environ.get("CITYWARD_TEST_DSN")
    if named:
        yield named
        return
    with embedded.database(_shared_folder(tmp_path_factory) / "embedded") as url:
        with connect(url) as connection:
            # Tests kill processes, not machines: what the operating system holds is safe enough.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield url


@pytest.fixture(scope="session")
def kinds() -> dict[str, Kind]:
    return load_kinds()


@contextmanager
def new_database(server: str, purpose: str, *, template: str = "template1") -> Iterator[str]:
    """The DSN of a database that is dropped in the end, with whoever is still connected to it."""
    name = f"cityward_{purpose}_{uuid.uuid4().hex[:12]}"
    with connect(server) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        try:
            yield make_conninfo(server, dbname=name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def template(server: str, kinds: dict[str, Kind]) -> Iterator[str]:
    """The name of a migrated database to copy."""
    with new_database(server, "template") as dsn:
        migrate(dsn, kinds, lambda _step: None)
        with connect(dsn) as migrated:
            if detect(migrated) is not Capability.PLAIN:
                # TimescaleDB's scheduler keeps a connection, and a database in use cannot be copied.
                migrated.execute("SELECT _timescaledb_functions.stop_background_workers()")
        yield str(conninfo_to_dict(dsn)["dbname"])


@pytest.fixture
def empty_dsn(server: str) -> Iterator[str]:
    """A database in which nothing has been migrated."""
    with new_database(server, "empty") as dsn:
        yield dsn


@pytest.fixture
def dsn(server: str, template: str) -> Iterator[str]:
    """A migrated, empty database for one test."""
    with new_database(server, "test", template=template) as dsn:
        yield dsn


@pytest.fixture
def connection(dsn: str) -> Iterator[Connection]:
    with connect(dsn, name="cityward test") as opened:
        yield opened
