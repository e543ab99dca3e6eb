"""``cityward rules test`` as people meet it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cityward.cli import app
from cityward.cli.context import CommandError

RUNNER = CliRunner()


def test_a_shipped_pack_is_named_without_its_folder() -> None:
    result = RUNNER.invoke(app, ["rules", "test", "noise"])
    assert result.exit_code == 0, result.output
    assert result.output.endswith("rules, nothing wrong.\n")


def test_what_fails_and_what_is_missing_is_listed_and_counted(tmp_path: Path) -> None:
    (tmp_path / "loud.yaml").write_text(
        "- {id: X-01, name: {en: loud, zh: 吵}, kind: noise, raise: laeq > 60, severity: minor, "
        "case: {problem: test, fix: 1d work}, source: a test}",
        encoding="utf-8",
    )
    (tmp_path / "loud.tests.yaml").write_text(
        "- {name: quiet, rule: X-01, at: 2026-11-20 12:00, every: 1m, series: {laeq: 50 x3}, "
        "expect: [{at: '12:02', state: active}]}",
        encoding="utf-8",
    )
    result = RUNNER.invoke(app, ["rules", "test", str(tmp_path / "loud.yaml")])
    assert isinstance(result.exception, CommandError)
    assert str(result.exception).splitlines() == [
        "loud.tests.yaml:1: X-01: quiet: at 12:02 expected active, found normal; it went: nothing",
        "loud.tests.yaml: X-01: no test in which it raises",
        "loud.tests.yaml: X-01: no test in which it clears",
        "1 of 1 tests fail, 2 are missing",
    ]


def test_a_pack_that_is_not_there_is_looked_for_in_places_that_are_named() -> None:
    result = RUNNER.invoke(app, ["rules", "test", "manhol"])
    with pytest.raises(CommandError, match=r"no pack 'manhol': neither a file, nor a folder, nor in .*packs"):
        raise result.exception or AssertionError
