"""Every page but those of the tutorials' city, read in the small city at the end of a weekend: what is typed works."""

import gzip
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from devices.kind import Kind
from rules.rule import Severity
from storage.connection import connect
from storage.registry_store import load_registry
from tests.documents import PAGES, ROOT, TUTORIALS, commands
from tests.fix_city import CITY, DEVICES, IMPORTED, payload, topic_of
from tests.fix_postgres import new_database, new_template
from tests.integration.collecting import collect
from tests.integration.desk import FRIDAY, Desk
from tests.integration.lives import live
from tests.integration.making import COVER_EAST, LAMP
from tests.walking import Walker

METER = "4201020308000004"
SATURDAY, SUNDAY, DECEMBER = (FRIDAY + timedelta(days=days) for days in (1, 2, 13))
STRANGER = "city/east/manhole/4201020102000099/up"
SETTINGS = {"CITYWARD_CONSOLE_URL": "https://city.example.org"}  # links need it
READ = [page for page in PAGES if page not in TUTORIALS and any(said.whole for said in commands(page))]


@pytest.fixture(scope="module")
def weekend(server: str, city_template: str, kinds: dict[str, Kind]) -> Iterator[str]:
    """The name of a database to copy: the small city with what pages speak of by number."""

    def fill(dsn: str) -> None:
        with connect(dsn) as connection:
            _live(connection, dsn, kinds)

    with new_template(server, fill, template=city_template) as name:
        yield name


def _live(connection: Connection, dsn: str, kinds: dict[str, Kind]) -> None:
    registry = load_registry(connection, kinds)
    connection.execute("UPDATE device SET registered_at = %s", [IMPORTED])
    desk = Desk(connection, registry, kinds)
    live(desk)
    connection.execute("ALTER TABLE alarm ALTER COLUMN id RESTART WITH 17")
    desk.alarm(("MH-03", COVER_EAST), ("NO-01", METER), at=SATURDAY, severity=Severity.MINOR)
    desk.take_up(SATURDAY)
    for hours in range(24, 49, 6):
        desk.look(FRIDAY + timedelta(hours=hours))
    connection.execute("UPDATE alarm SET held = 'latch' WHERE id = 18")
    well: list[tuple[str, dict[str, Any]]] = [
        (COVER_EAST, {"tilt": 1}),
        (METER, {"laeq": 40}),
        (LAMP, {"voltage": 230}),
    ]
    heard = [
        (topic_of(registry, device), payload(FRIDAY + seq * timedelta(seconds=1), seq=seq, **metrics))
        for device, metrics in well
        for seq in (1, 2, 5)
    ]
    refused = [(STRANGER, payload(FRIDAY, seq=seq, tilt=0.5)) for seq in range(1, 10)]
    collect(connection, dsn, kinds, (FRIDAY + timedelta(minutes=1), heard + refused))
    for device, _ in well:
        desk.measure(device, SATURDAY)


@pytest.fixture
def reader(server: str, weekend: str, tmp_path: Path) -> Iterator[Walker]:
    """Somebody with the files that the pages name."""
    shutil.copy(CITY, tmp_path)
    shutil.copy(DEVICES, tmp_path)
    shutil.copytree(ROOT / "rules" / "packs", tmp_path / "my" / "packs")
    with gzip.open(tmp_path / "readings.csv.gz", "wt") as file:
        file.write(f"device_id,ts,laeq\n{METER},2026-11-20T14:30:00+08:00,55\n")
    with (
        new_database(server, "page", template=weekend) as dsn,
        Walker(tmp_path, SETTINGS | {"CITYWARD_DATABASE_URL": dsn}, begins=tmp_path) as made,
    ):
        yield made


@pytest.mark.parametrize("page", READ, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_tells_to_type_works_and_says_what_is_shown_there(page: Path, reader: Walker) -> None:
    reader.has_clock_at(DECEMBER if page.name == "reports.md" else SUNDAY)
    reader.reads(page)
