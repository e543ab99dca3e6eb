import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import Connection

from devices.kind import Kind
from storage import reading_writer
from storage.connection import connect
from storage.queries import FOLDER, load
from tests.fix_postgres import new_database

pytestmark = pytest.mark.each_server

ROOT = Path(__file__).parents[2]
AREAS = sorted(path.stem for path in FOLDER.glob("*.sql"))
TEMPLATES = "readings"  # completed for each kind; the others are whole
QUERIES = [(area, name) for area in AREAS if area != TEMPLATES for name in load(area)]
PARAMETER = re.compile(rb"%\((\w+)\)[sb]")
EMPTY_COPY = b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\xff\xff"


@pytest.fixture(scope="module")
def migrated(server: str, template: str) -> Iterator[Connection]:
    with new_database(server, "queries", template=template) as dsn, connect(dsn) as connection:
        yield connection


def numbered(query: bytes) -> bytes:
    """The query with PostgreSQL's own parameters, $1 and so on."""
    order = list(dict.fromkeys(PARAMETER.findall(query)))
    return PARAMETER.sub(lambda found: b"$%d" % (order.index(found[1]) + 1), query)


def described(query: bytes) -> bool:
    return len(query.splitlines()[0].removeprefix(b"--").strip()) > 10 and query.startswith(b"-- ")


def in_python() -> Iterator[tuple[str, set[str], set[str]]]:
    """For each module that loads queries: its path, the areas it loads, every text in it."""
    for path in sorted((ROOT / "storage").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        loaded = {
            node.args[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "load"
            and node.args
            and isinstance(node.args[0], ast.Constant)
        }
        texts = {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        if loaded:
            yield path.name, {str(area) for area in loaded}, {text for text in texts if isinstance(text, str)}


@pytest.mark.parametrize(("area", "name"), QUERIES, ids=[f"{area}.{name}" for area, name in QUERIES])
def test_the_server_understands_every_query(migrated: Connection, area: str, name: str) -> None:
    query = load(area)[name]
    assert b"{" not in PARAMETER.sub(b"", query).replace(b"'{}'", b""), "a template outside readings.sql"
    migrated.execute(f'PREPARE "{area}.{name}" AS '.encode() + numbered(query))


def test_the_server_understands_every_template_for_every_kind(migrated: Connection, kinds: dict[str, Kind]) -> None:
    """COPY and temporary tables cannot be prepared: they are done."""
    executed = {"create_staging", "drop_staging", "copy_in", "copy_staging"}
    prepared = load(TEMPLATES).keys() - executed
    assert prepared
    assert executed < load(TEMPLATES).keys()
    for kind in kinds.values():
        queries = {name: reading_writer._query(name, kind) for name in load(TEMPLATES)}  # noqa: SLF001
        with migrated.transaction(force_rollback=True), migrated.cursor() as cursor:
            cursor.execute(queries["create_staging"])
            for name in ("copy_in", "copy_staging"):
                with cursor.copy(queries[name]) as copy:
                    copy.write(EMPTY_COPY)
            for name in prepared:
                cursor.execute(f'PREPARE "{kind.name}.{name}" AS '.encode() + numbered(queries[name]))
            cursor.execute(queries["drop_staging"])


@pytest.mark.parametrize("area", AREAS)
def test_every_query_says_what_it_does(area: str) -> None:
    assert load(area)
    assert [name for name, query in load(area).items() if not described(query)] == []


@pytest.mark.parametrize("area", AREAS)
def test_every_query_is_used(area: str) -> None:
    used = {text for _, areas, texts in in_python() if area in areas for text in texts}
    assert sorted(load(area).keys() - used) == []


def test_no_module_names_a_query_that_is_not_there() -> None:
    named = re.compile(r'(?:\b_[A-Z]+\[|_query\(|load\("\w+"\)\[|_execute\()"(\w+)"')
    missing = []
    for module, areas, _ in in_python():
        there = {name for area in areas for name in load(area)}
        text = next((ROOT / "storage").rglob(module)).read_text(encoding="utf-8")
        missing += [f"{module}: {name}" for name in named.findall(text) if name not in there]
    assert missing == []


@pytest.mark.parametrize("area", AREAS)
def test_no_query_hides_another(area: str) -> None:
    """By the same name, or by a name line that the loader does not take for one."""
    lines = (FOLDER / f"{area}.sql").read_bytes().splitlines()
    assert sum(line.lstrip().startswith((b"-- name", b"--name")) for line in lines) == len(load(area))


@pytest.mark.parametrize("area", AREAS)
def test_what_queries_share_is_shared(area: str) -> None:
    """A part that stands in fewer than two queries is none; a line that the loader passes over is a slip."""
    text = (FOLDER / f"{area}.sql").read_text(encoding="utf-8")
    parts = re.findall(r"^-- part: (\w+)$", text, re.MULTILINE)
    assert [part for part in parts if len(re.findall(rf"^-- with {part}$", text, re.MULTILINE)) < 2] == []
    slip = re.compile(rb"^\s*--\s*(with|part):? +\w+ *$", re.MULTILINE)
    assert [name for name, query in load(area).items() if slip.search(query)] == []
