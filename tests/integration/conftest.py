"""What several integration tests need."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import Connection
from typer.testing import CliRunner

from cityward.cli import app
from cityward.cli.context import out
from devices.kind import Kind
from devices.registry import Registry
from storage.registry_store import import_devices, load_registry
from tests.integration.collecting import collect
from tests.integration.desk import Desk
from tests.integration.making import rows
from tests.integration.playing import NINE, City, lamp
from tests.integration.prompt import Command, Now
from tests.integration.quarantining import Collect

STORED = r"""
    SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relname LIKE 'reading\_%%' AND pg_relation_size(oid) > 0 ORDER BY relname
"""


@pytest.fixture
def connection(request: pytest.FixtureRequest, connection: Connection) -> Iterator[Connection]:
    yield connection
    if request.node.get_closest_marker("each_server") is None and not connection.closed:
        stored = rows(connection, STORED)
        assert not stored, f"{stored} hold readings: mark this test each_server, so that it runs on TimescaleDB too"


@pytest.fixture
def desk(connection: Connection, registry: Registry, kinds: dict[str, Kind]) -> Desk:
    return Desk(connection, registry, kinds)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Now:
    return Now(monkeypatch)


@pytest.fixture
def cityward(dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, now: Now) -> Command:
    """``cityward("alarms", "list")``: the command in the small city, in a folder of its own."""
    assert now
    monkeypatch.setenv("CITYWARD_DATABASE_URL", dsn)
    monkeypatch.setattr(out, "_width", 250)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def collects(connection: Connection, dsn: str, kinds: dict[str, Kind], registry: Registry) -> Collect:
    """``collects((at, [(topic, payload), …]), …)``: a collector's life in the small city."""
    assert registry.devices
    return lambda *batches, partition="all": collect(connection, dsn, kinds, *batches, partition=partition)


@pytest.fixture
def evening(connection: Connection, registry: Registry, kinds: dict[str, Kind], tmp_path: Path) -> City:
    """The small city, whose clock is set by hand."""
    del registry  # imported
    return City(connection, kinds, tmp_path)


@pytest.fixture
def lamp_road(connection: Connection, evening: City) -> City:
    """The same with a main road of twelve lamps on one circuit."""
    import_devices(connection, [lamp(number) for number in range(12)], "test", NINE)
    evening.registry = load_registry(connection, evening.kinds)
    return evening
