"""The rules in words."""

from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cases.supervision_testing import run_tests
from cityward.cli import app, context
from cityward.cli.context import CommandError
from cityward.cli.rules import page
from devices.kind import load_kinds
from rules.catalogue import duration
from rules.durations import parse_duration
from rules.packs import PACKS_FOLDER, load_packs
from rules.testing import read_tests

PAGE = Path(__file__).parents[3] / "docs" / "rules-catalogue.md"
RUNNER = CliRunner()
# What a city's facilities need rules for: nine of covers, eight of restaurants, six of noise, seven of lamps, seven of
# bridges, two indicators of the city, and the colours of cases.
NEEDED = [
    f"{group}-{number:02}"
    for group, count in {"MH": 9, "FU": 8, "NO": 6, "SL": 7, "BR": 7, "KP": 2, "SV": 1}.items()
    for number in range(1, count + 1)
]


@pytest.fixture(autouse=True)
def folder_without_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Somebody's cityward.toml in the clone may name packs of their own."""
    monkeypatch.chdir(tmp_path)


def test_the_catalogue_says_what_the_packs_say() -> None:
    kinds = load_kinds()
    assert PAGE.read_text(encoding="utf-8") == page(load_packs(kinds), kinds), (
        "stale: run cityward rules catalogue > docs/rules-catalogue.md"
    )


def test_all_forty_rules_are_listed_and_each_has_tests_that_raise_do_not_raise_and_clear() -> None:
    """A test runs the tests of each pack and finds none of these missing, nor one with a gap where there is a delay."""
    kinds = load_kinds()
    tests = Counter(test.rule.id for test in read_tests(kinds, PACKS_FOLDER))
    outcomes, lacking = run_tests()
    assert lacking == []
    tests["SV-01"] = len(outcomes)
    text = page(load_packs(kinds), kinds)
    assert len(NEEDED) == 40
    assert [rule for rule in NEEDED if f"### {rule} " not in text or tests[rule] < 2] == []


def test_a_rule_is_shown_with_limits_sources_and_tests() -> None:
    shown = RUNNER.invoke(app, ["rules", "show", "FU-01"]).output
    assert "judges each window of 10 min, numbers only where `fan_runs`" in shown
    assert "`limit.fume`: by `local_standard` national 2, beijing 1" in shown
    assert "- a wok spike of two minutes is not an excess (fume.tests.yaml:" in shown


def test_a_rule_that_is_not_there_is_named_with_those_that_are() -> None:
    result = RUNNER.invoke(app, ["rules", "show", "MH-99"])
    with pytest.raises(CommandError, match="no rule 'MH-99'; there are BR-01, BR-02"):
        raise result.exception or AssertionError


def test_the_rule_that_looks_at_cases_is_shown_with_its_tests() -> None:
    shown = RUNNER.invoke(app, ["rules", "show", "SV-01"]).output
    assert "white when 80 % of the time to fix is used" in " ".join(shown.split())
    assert "- nobody takes on what endangers life, which is red at once" in shown


def test_the_list_names_the_rule_that_looks_at_cases() -> None:
    assert "SV-01" in RUNNER.invoke(app, ["rules", "list"]).output


def test_the_list_keeps_words_whole_on_a_narrow_terminal_and_names_what_had_to_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(context.out, "width", 80)
    lines = RUNNER.invoke(app, ["rules", "list"]).output.splitlines()
    assert "severity" in lines[1].split()
    assert any(line.startswith("BR-01") and "structure_over_limit" in line for line in lines)
    assert lines[-1].startswith("No room for version")
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(("written", "said"), [("90m", "90 min"), ("2h", "2 h"), ("49h", "49 h"), ("7d", "7 d")])
def test_a_duration_is_said_in_the_largest_unit_that_fits(written: str, said: str) -> None:
    assert duration(parse_duration(written)) == said
