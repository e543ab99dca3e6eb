"""The page of tables and views says what a migrated database says of itself."""

import runpy

from psycopg import Connection

from tests.documents import ROOT


def test_the_page_of_tables_is_what_the_database_says(connection: Connection) -> None:
    there = (ROOT / "docs" / "reference-tables.md").read_text(encoding="utf-8")
    made = runpy.run_path(str(ROOT / "docs" / "reference.py"))["tables"](connection)
    assert there == made, "stale: run python docs/reference.py"


def test_every_table_that_people_may_ask_says_what_it_is(connection: Connection) -> None:
    page = runpy.run_path(str(ROOT / "docs" / "reference.py"))["tables"](connection)
    tables = page.split("\n## ")[2:]
    silent = [table.split("\n", 1)[0] for table in tables if table.split("\n\n")[1].startswith("| column")]
    assert [name for name in silent if not name.startswith("reading_")] == []
