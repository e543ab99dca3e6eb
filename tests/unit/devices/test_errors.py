"""One tree of errors: whatever a person is to read stands below ``CitywardError``, under one of two verbs."""

import ast
from collections.abc import Iterator
from pathlib import Path

from devices.errors import CitywardError, Permanent, Retryable

ROOT = Path(__file__).parents[3]
# Never seen by a person: what a parser says to its caller, who makes a problem, a rejection or one of ours of it.
WITHIN = {
    "MqttError": "ingest/mqtt",
    "_Refusal": "devices/codecs",
    "_NotFiniteError": "devices/codecs",
    "_NoneThereError": "simulators",
    "BusyError": "console",
}


def declared() -> Iterator[tuple[str, str]]:
    """Every class of ours that is an Exception directly, and its folder."""
    folders = sorted(path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests")
    for path in (path for folder in folders for path in folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "(Exception)" in text:
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ClassDef) and [ast.unparse(base) for base in node.bases] == ["Exception"]:
                    yield node.name, str(path.parent.relative_to(ROOT))


def test_there_is_one_tree_with_two_verbs() -> None:
    assert {Retryable, Permanent} == {*CitywardError.__subclasses__()}
    assert dict(declared()) == {"CitywardError": "devices", **WITHIN}
