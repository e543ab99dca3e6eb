"""A real PostgreSQL, embedded; a database of its own for each test.

What stores readings is ``each_server``: it runs on the server that CITYWARD_TEST_DSN names too, such as a TimescaleDB.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path

import pytest
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from cityward import embedded
from devices.kind import Kind, load_kinds
from storage.connection import connect
from storage.migrate import migrate

FOLDER = "CITYWARD_TEST_FOLDER"
ROOM = 4 * 1024**3  # bytes
NAMED = os.environ.get("CITYWARD_TEST_DSN", "")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if NAMED and metafunc.definition.get_closest_marker("each_server") and "server" in metafunc.fixturenames:
        metafunc.parametrize("server", ["embedded", "named"], indirect=True, scope="session")


def pytest_configure() -> None:
    """One folder for all workers of a run.

    Not pytest's own: each pytest that starts closes that to all users but its own, and where root runs the tests,
    PostgreSQL is another.
    """
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="cityward-test-", dir=_in_memory())


def pytest_unconfigure() -> None:
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        shutil.rmtree(os.environ.pop(FOLDER))


def _in_memory() -> Path | None:
    """Where copying a database takes a tenth of the time, on a machine that has the room."""
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder of its own there
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > ROOM else None


@pytest.fixture(scope="session")
def open_folder() -> Path:
    """A folder that servers running as users of their own can reach, one for all workers."""
    return Path(os.environ[FOLDER])


@pytest.fixture(scope="session")
def embedded_server(open_folder: Path) -> Iterator[str]:
    with embedded.database(open_folder / "embedded") as url:
        with connect(url) as connection:
            # Tests kill processes, not machines: what the operating system holds is safe enough.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield url


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, embedded_server: str) -> str:
    """The DSN of a server on which databases may be created."""
    return NAMED if getattr(request, "param", "embedded") == "named" else embedded_server


@pytest.fixture(scope="session")
def kinds() -> dict[str, Kind]:
    return load_kinds()


@contextmanager
def new_database(server: str, purpose: str, *, template: str = "template0") -> Iterator[str]:
    """The DSN of a database that is dropped in the end, with whoever is still connected to it.

    It is a copy of template0, which nobody can be connected to, or of a database of ours.
    """
    name = f"cityward_{purpose}_{uuid.uuid4().hex[:12]}"
    with connect(server) as connection:
        # Files copied whole, as before PostgreSQL 15, not page by page through its log: half the time.
        whole = sql.SQL("STRATEGY file_copy" if connection.info.server_version >= 150_000 else "")
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} {}").format(sql.Identifier(name), sql.Identifier(template), whole)
        )
        try:
            yield make_conninfo(server, dbname=name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def new_template(server: str, fill: Callable[[str], object], *, template: str = "template0") -> Iterator[str]:
    """The name of a database to copy, once it is filled."""
    with new_database(server, "template", template=template) as dsn:
        fill(dsn)
        name = str(conninfo_to_dict(dsn)["dbname"])
        with connect(server) as connection:
            # A database in use cannot be copied, and TimescaleDB's scheduler would come back to it.
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
            connection.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", [name]
            )
        yield name


OnServer = Callable[[str], str]


@pytest.fixture(scope="session")
def template_on(embedded_server: str, kinds: dict[str, Kind]) -> Iterator[OnServer]:
    """The name of a migrated database to copy, made once on each server."""
    del embedded_server  # it ends after what is on it
    with ExitStack() as stack:

        @cache
        def made(server: str) -> str:
            fill = partial(migrate, kinds=kinds, say=lambda _step: None)
            return stack.enter_context(new_template(server, fill))

        yield made


@pytest.fixture(scope="session")
def template(server: str, template_on: OnServer) -> str:
    return template_on(server)


@pytest.fixture
def empty_dsn(server: str) -> Iterator[str]:
    """A database in which nothing has been migrated."""
    with new_database(server, "empty") as dsn:
        yield dsn


@pytest.fixture
def dsn(request: pytest.FixtureRequest, server: str) -> Iterator[str]:
    """A migrated database for one test: with the small city where the test asks for its ``registry``, else empty."""
    template = request.getfixturevalue("city_template" if "registry" in request.fixturenames else "template")
    with new_database(server, "test", template=template) as dsn:
        yield dsn


@pytest.fixture
def connection(dsn: str) -> Iterator[Connection]:
    with connect(dsn, name="cityward test") as opened:
        yield opened
