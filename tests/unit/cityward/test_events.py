"""What processes log: an event's name and fields, each name explained where operators look."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every line of code that logs, as ``module:line``."""
    for path in (path for folder in ROOT.glob("*/__init__.py") for path in folder.parent.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if path.is_relative_to(ROOT / "tests") or "_log." not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="_log"), attr=level)) if level in LEVELS:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_every_line_of_the_log_is_a_name_and_fields() -> None:
    found = dict(calls())
    assert len(found) > 15
    for where, call in found.items():
        match call.args:
            case [ast.Constant(value=str(name))]:
                assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name), f"{where}: {name!r}"
            case _:
                raise AssertionError(f"{where}: an event has a name, all else is a field")


def test_every_event_is_explained_to_operators() -> None:
    said = {call.args[0].value for _, call in calls() if isinstance(call.args[0], ast.Constant)}
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = page[page.index("| event | level |") :].partition("\n\n")[0]
    explained = {name for line in table.splitlines() for name in re.findall(r"`([a-z_]+)`", line.split("|")[1])}
    assert said == explained, "docs/operations.md, What to watch, is stale"
