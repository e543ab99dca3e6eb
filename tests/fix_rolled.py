"""Stores that keep roll-ups in their own ways: plain views, and continuous aggregates on each TimescaleDB at hand."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from psycopg import Connection, sql

from devices.kind import Kind
from storage.capability import Capability
from storage.connection import connect
from storage.errors import RefreshRunningError
from storage.migrate import migrate
from storage.reading_tables import table_name
from storage.rollups import catch_up, refresh
from tests.fix_postgres import NAMED, OnServer, new_database
from tests.fix_timescale import SERVERS, need_timescale
from tests.waiting import eventually

LONG_AGO, FAR = "2020-01-01 00:00+00", "2040-01-01 00:00+00"
REGISTERED = datetime(2036, 11, 18, tzinfo=UTC)
STORES = ["plain", *SERVERS]
on_timescale = pytest.mark.parametrize("rolled", SERVERS, indirect=True)


@dataclass(frozen=True, slots=True)
class Store:
    """A migrated database and how its roll-ups are brought up to date; ``name`` is one of ``STORES``."""

    name: str
    dsn: str
    connection: Connection
    kinds: Mapping[str, Kind]
    capability: Capability

    def settle(self) -> None:
        """As if the regular refresh had been everywhere."""
        if self.capability is Capability.COMMUNITY:
            eventually(self._refreshed, "refreshed, the database's own jobs being done")

    def _refreshed(self) -> bool:
        try:
            refresh(self.connection, self.kinds.values(), LONG_AGO, FAR)
            self.connection.execute("CALL settle_days(%s)", [FAR])
        except RefreshRunningError:
            return False
        return True

    def catch_up(self) -> None:
        """As if the job for very late readings had run."""
        if self.capability is Capability.COMMUNITY:
            catch_up(self.connection)

    def device(self, device_id: str, kind: str, **fields: object) -> int:
        """Register a device in district ``d`` near Changzhou; its number."""
        row = {
            "device_id": device_id, "kind": kind, "name": "", "district": "d", "grid": "g", "lon": 119.97, "lat": 31.8,
            "road": "Ring Road", "road_class": "main", "component_class": "", "circuit": "", "cabinet": "",
            "gateway": "", "limits": "{}", "attributes": "{}", "registered_at": REGISTERED, **fields,
        }  # fmt: skip
        self.connection.execute("INSERT INTO unit VALUES ('u', 'u', 'u') ON CONFLICT DO NOTHING")
        self.connection.execute("INSERT INTO district SELECT %s, 'd', 'd' ON CONFLICT DO NOTHING", [row["district"]])
        names = sql.SQL(", ").join(map(sql.Identifier, row))
        values = sql.SQL(", ").join(map(sql.Placeholder, row))
        made = self.connection.execute(
            sql.SQL("INSERT INTO device ({}) VALUES ({}) RETURNING id").format(names, values), row
        ).fetchone()
        assert made is not None
        return int(made[0])

    def clear(self) -> None:
        """Nothing was ever stored: PGlite has one database for all tests."""
        names = [*map(table_name, self.kinds.values()), "device", "district", "unit", "city", "late_day", "ledger"]
        tables = sql.SQL(", ").join(map(sql.Identifier, names))
        self.connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(tables))
        self.settle()


@pytest.fixture(scope="session", params=STORES)
def rolled(
    request: pytest.FixtureRequest, kinds: dict[str, Kind], template_on: OnServer
) -> Iterator[tuple[str, str, Capability]]:
    """A migrated database for all tests of a run."""
    with ExitStack() as stack:
        if request.param == "pglite":
            dsn = request.getfixturevalue("pglite")
        else:
            server = NAMED if request.param == "server" else request.getfixturevalue("embedded_server")
            dsn = stack.enter_context(new_database(server, "rolled", template=template_on(server)))
        capability = migrate(dsn, kinds, lambda _step: None)
        if request.param == "server":
            need_timescale(capability)
        assert (capability is Capability.PLAIN) == (request.param == "plain")
        yield request.param, dsn, capability


@pytest.fixture
def store(rolled: tuple[str, str, Capability], kinds: dict[str, Kind]) -> Iterator[Store]:
    name, dsn, capability = rolled
    with connect(dsn, name="cityward test") as connection:
        connection.prepare_threshold = None  # PGlite forgets prepared statements when another client comes
        made = Store(name, dsn, connection, kinds, capability)
        try:
            yield made
        finally:
            made.clear()
