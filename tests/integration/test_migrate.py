import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from psycopg import Connection

from devices.errors import DescriptionError
from devices.kind import KINDS_FOLDER, Kind, load_kinds
from storage import migrate as migrating
from storage.capability import detect
from storage.connection import connect
from storage.errors import DatabaseUnavailableError, NotMigratedError, translated
from storage.migrate import MIGRATIONS, migrate
from storage.overview import overview
from storage.queries import load
from storage.reading_tables import table_name
from tests.integration.making import rows

COLUMNS = """
    SELECT column_name, data_type, coalesce(col_description(%s::regclass, ordinal_position::integer), '')
    FROM information_schema.columns WHERE table_name = %s
"""


def columns(connection: Connection, table: str) -> dict[str, tuple[str, str]]:
    return {name: (data_type, comment) for name, data_type, comment in rows(connection, COLUMNS, table, table)}


def views(dsn: str) -> list[str]:
    with connect(dsn) as connection:
        ((names,),) = rows(connection, "SELECT names FROM view_state")
    return list(names)


@pytest.fixture
def edited(tmp_path: Path) -> Callable[[str, str], dict[str, Kind]]:
    """The installed kinds after an edit of the manhole's description."""

    def edit(old: str, new: str) -> dict[str, Kind]:
        folder = tmp_path / "kinds"
        shutil.copytree(KINDS_FOLDER, folder)
        path = folder / "manhole" / "kind.toml"
        before = path.read_text(encoding="utf-8")
        assert old in before
        path.write_text(before.replace(old, new, 1), encoding="utf-8")
        return load_kinds(folder)

    return edit


@pytest.mark.each_server
def test_an_empty_database_gets_everything_and_each_step_is_said(empty_dsn: str, kinds: dict[str, Kind]) -> None:
    said: list[str] = []
    capability = migrate(empty_dsn, kinds, said.append)
    applied = [f"applied {path.stem}" for path in sorted(MIGRATIONS.glob("*.sql"))]
    tables = [f"created {table_name(kind)}" for kind in kinds.values()]
    # Roles belong to the server: another database's migration may have made them.
    made = [step for step in said if "role cityward" not in step]
    assert made == [*applied, "installed the job queue", *tables, f"made {len(views(empty_dsn))} views"]
    with connect(empty_dsn) as connection:
        assert rows(connection, "SHOW jit") == [("off",)], "compiling a board's query takes longer than it does"
    with connect(empty_dsn) as connection:
        assert detect(connection) is capability
        assert overview(connection).ledger.received == 0


def test_migrating_again_changes_nothing(dsn: str, connection: Connection, kinds: dict[str, Kind]) -> None:
    connection.execute("INSERT INTO rule_error (rule_id, at, detail) VALUES ('MH-01', now(), 'kept')")
    said: list[str] = []
    migrate(dsn, kinds, said.append)
    migrate(dsn, kinds, said.append)
    assert said == []
    assert rows(connection, "SELECT detail FROM rule_error") == [("kept",)]


@pytest.mark.each_server
def test_two_migrations_at_once_do_each_step_once(empty_dsn: str, kinds: dict[str, Kind]) -> None:
    said: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: migrate(empty_dsn, kinds, said.append), range(2))
    assert first is second
    said = [step for step in said if "role cityward" not in step]
    assert len(said) == len(set(said)) == len([*MIGRATIONS.glob("*.sql")]) + 1 + len(kinds) + 1


def test_a_migration_that_was_killed_is_taken_up_where_it_was(
    empty_dsn: str, kinds: dict[str, Kind], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *rest = sorted(MIGRATIONS.glob("*.sql"))
    shutil.copy(first, tmp_path)
    with monkeypatch.context() as only_the_first:
        only_the_first.setattr(migrating, "MIGRATIONS", tmp_path)
        migrate(empty_dsn, {}, lambda _step: None)
    said: list[str] = []
    migrate(empty_dsn, kinds, said.append)
    assert [step for step in said if "role cityward" not in step] == [
        *(f"applied {path.stem}" for path in rest),
        *(f"created {table_name(kind)}" for kind in kinds.values()),
        f"made {len(views(empty_dsn))} views",
    ]


def test_a_lock_that_a_killed_migration_left_is_broken(empty_dsn: str, kinds: dict[str, Kind]) -> None:
    with connect(empty_dsn) as connection:
        # What yoyo holds while it makes its own tables; no process of this number lives.
        connection.execute("CREATE TABLE yoyo_lock (locked integer PRIMARY KEY, ctime timestamp, pid integer NOT NULL)")
        connection.execute("INSERT INTO yoyo_lock VALUES (1, now(), 4194305)")
        migrate(empty_dsn, kinds, lambda _step: None)
        assert overview(connection).ledger.received == 0


@pytest.mark.each_server
def test_a_new_metric_becomes_a_column_and_old_readings_stay(
    dsn: str, connection: Connection, edited: Callable[[str, str], dict[str, Kind]]
) -> None:
    connection.execute(
        "INSERT INTO reading_manhole (ts, device, received_at, quality, type, tilt) VALUES (now(), 1, now(), 0, 0, 7)"
    )
    metric = '[metrics.o2]\ntype = "real"\nunit = "%vol"\nrange = [0, 25]\ndoc = "Oxygen."\n\n[limits.tilt]'
    said: list[str] = []
    migrate(dsn, edited("[limits.tilt]", metric), said.append)
    assert said[0] == "added reading_manhole.o2"
    assert columns(connection, "reading_manhole")["o2"] == ("real", "%vol: Oxygen.")
    assert rows(connection, "SELECT tilt, o2 FROM reading_manhole") == [(7.0, None)]


def test_a_changed_type_is_refused_and_nothing_is_changed(
    dsn: str, connection: Connection, edited: Callable[[str, str], dict[str, Kind]]
) -> None:
    changed = edited('[metrics.tilt]\ntype = "real"', '[metrics.tilt]\ntype = "double"')
    before = columns(connection, "reading_manhole")
    with pytest.raises(DescriptionError) as refused:
        migrate(dsn, changed, lambda _step: None)
    assert "manhole/kind.toml" in str(refused.value)
    assert "metric tilt is double, but reading_manhole.tilt is real" in str(refused.value)
    assert columns(connection, "reading_manhole") == before


def test_comments_tell_the_unit_of_every_metric_and_the_words_of_every_enumeration(
    connection: Connection, kinds: dict[str, Kind]
) -> None:
    for kind in kinds.values():
        comments = columns(connection, table_name(kind))
        for metric in kind.metrics:
            assert comments[metric.name][1].startswith(f"{metric.unit}: {metric.doc}")
            for code, word in enumerate(metric.values):
                assert f"{code} {word}" in comments[metric.name][1]


def test_a_database_that_is_not_migrated_is_named_with_the_way_out(empty_dsn: str) -> None:
    where = "db.example:5432/city"
    with pytest.raises(NotMigratedError) as refused, connect(empty_dsn) as connection, translated(where):
        connection.execute(load("registry")["load_city"])
    assert str(refused.value) == f'{where} is not migrated (relation "city" does not exist): run cityward migrate'


def test_who_works_while_a_migration_changes_a_table_starts_over(dsn: str, connection: Connection) -> None:
    asked = "SELECT * FROM ledger WHERE partition = %s"
    with connect(dsn) as worker:
        for _ in range(worker.prepare_threshold or 0):
            worker.execute(asked, ["all"])
        worker.execute(asked, ["all"])
        connection.execute("ALTER TABLE ledger ADD COLUMN more integer")
        with pytest.raises(DatabaseUnavailableError, match="cached plan must not change"), translated("db"):
            worker.execute(asked, ["all"])


def test_what_the_database_says_is_told_without_the_statement(dsn: str, connection: Connection) -> None:
    with connect(dsn) as other, connection.transaction():
        connection.execute("LOCK TABLE ledger")
        other.execute("SET lock_timeout = 1")
        with pytest.raises(DatabaseUnavailableError) as told, translated("db"):
            other.execute("SELECT count(*) FROM ledger")
    assert str(told.value) == "no database at db: canceling statement due to lock timeout"
