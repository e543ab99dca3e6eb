"""The database's disk is full: said once, nothing acknowledged, nothing lost, and work goes on by itself."""

import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.servers import Postgres, account
from cityward.clock import Clock
from devices.broker import Broker
from devices.kind import Kind
from devices.registry_csv import read_registry
from storage.connection import Connection, connect
from storage.migrate import migrate
from storage.overview import ledger
from storage.registry_store import import_city, import_devices, load_registry
from tests.fix_broker import one_broker
from tests.fix_city import CITY, DEVICES, IMPORTED, payload, plain_client, topic_of
from tests.fix_processes import Starter
from tests.needing import missing
from tests.waiting import eventually

METER = "4201020308000004"
# The longest file that the server may write: as long as a file of its log, which is written already.
ROOM = 16 * 1024 * 1024


class Disk:
    """A server of one's own whose files may be forbidden to grow; what it then says is what a full disk says."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self.dsn = server.dsn

    def fill(self) -> None:
        """The table of noise readings is as long as a file may be."""
        with connect(self.dsn) as connection:
            connection.execute("""
                INSERT INTO reading_noise (ts, device, received_at, quality, type)
                SELECT '2020-01-01'::timestamptz + n * interval '1 s', 1, now(), 0, 0
                FROM generate_series(1, 260000) AS n
            """)
            (length,) = connection.execute("SELECT pg_relation_size('reading_noise')").fetchone() or (0,)
            assert length > ROOM
        self._limit(str(length))

    def make_room(self) -> None:
        self._limit("unlimited")

    def _limit(self, length: str) -> None:
        """For the server and, as they inherit it, for connections made from now on."""
        user = account()
        subprocess.run(
            ["prlimit", "--pid", str(self._server.pid), f"--fsize={length}:"],
            check=True,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )


def wait(so: Callable[[], bool], what: str) -> None:
    eventually(so, what)


@pytest.fixture
def disk(open_folder: Path, kinds: dict[str, Kind], tmp_path: Path) -> Iterator[Disk]:
    if shutil.which("prlimit") is None:
        missing("prlimit", "limits that another process is given need Linux and util-linux")
    folder = open_folder / f"disk-{tmp_path.name}"
    folder.mkdir()
    folder.chmod(0o711)
    server = Postgres(folder / "postgres", account(), wait, fsync="off")
    server.start()
    try:
        migrate(server.dsn, kinds, lambda _step: None)
        with connect(server.dsn) as connection:
            city = import_city(connection, tomllib.loads(CITY.read_text(encoding="utf-8")), str(CITY), IMPORTED)
            devices = read_registry(DEVICES, kinds, units=city.units, districts=city.districts)
            import_devices(connection, devices, str(DEVICES), IMPORTED)
        yield Disk(server)
    finally:
        server.stop()


def said(log: str, word: str) -> list[str]:
    return [line for line in log.splitlines() if f"] {word} " in line]


def stored(connection: Connection, since: datetime) -> list[int]:
    found = connection.execute("SELECT seq FROM reading_noise WHERE ts >= %s ORDER BY seq", [since])
    return [int(seq) for (seq,) in found]


@one_broker
def test_a_full_disk_is_waited_for_and_said_once(
    disk: Disk, start_without_broker: Starter, broker: Broker, kinds: dict[str, Kind]
) -> None:
    began = Clock().now().replace(microsecond=0)
    disk.fill()
    with connect(disk.dsn) as connection, plain_client(broker, "meter") as meter:
        collector = start_without_broker("collect", CITYWARD_BROKER_URL=broker.url, CITYWARD_DATABASE_URL=disk.dsn)
        collector.says("collecting")
        topic = topic_of(load_registry(connection, kinds), METER)
        meter.publish_all([(topic, payload(began + timedelta(milliseconds=n), seq=n, leq=50)) for n in range(500)])
        collector.says("no room in the database")
        tries = "SELECT count(*) FROM pg_stat_database WHERE datname = current_database() AND xact_rollback > %s"
        (before,) = connection.execute(
            "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone() or (0,)
        eventually(lambda: connection.execute(tries, [before + 2]).fetchone() == (1,), "it tries again and again")
        book = ledger(connection)
        assert book.received == book.stored == len(stored(connection, began)) < 500, "what the last page had room for"

        disk.make_room()
        eventually(lambda: ledger(connection).stored == 500, "all stored")
        collector.says("resumed")
        assert stored(connection, began) == list(range(500))
        assert (ledger(connection).duplicate, ledger(connection).quarantined) == (0, 0)
        assert collector.stop() == 0
    log = collector.log()
    assert [len(said(log, word)) for word in ("collecting", "waiting", "resumed")] == [1, 1, 1], log
    assert "Traceback" not in log
