"""SV-01, the rule that looks at cases: its tests run beside those of the packs, and can fail."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cases.supervision_testing import run_tests
from cityward.cli import app
from cityward.cli.context import CommandError
from rules.packs import PackError

SOUND = """\
- name: too late
  opened: 2026-11-20 10:00
  fix: 10h natural
  expect: [{ at: "20:00", colour: yellow }]
"""


def test_its_own_tests_pass_and_none_is_missing() -> None:
    outcomes, lacking = run_tests()
    assert [each.problems for each in outcomes if each.problems] == []
    assert lacking == []


def test_what_is_not_as_expected_is_said_with_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "supervision.tests.yaml"
    path.write_text(SOUND.replace("yellow", "white, sheets: 5"), encoding="utf-8")
    (outcome,), lacking = run_tests(path)
    assert outcome.problems == (
        (
            "supervision.tests.yaml:1: SV-01: too late: at 20:00 "
            "expected white, found yellow and expected sheets 5, found 2"
        ),
    )
    assert [line.removeprefix("supervision.tests.yaml: SV-01: ") for line in lacking] == [
        "no test in which none is issued", "no test in which a case with sheets is closed",
        "no test in which the dispatcher is away when a sheet is due",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("fix: soon", "'soon' is no allowance"),
        ("opened: today", "'today' is no time"),
        ("does: [{ at: '11:00', do: dance }]", "Invalid enum value 'dance'"),
        ("does: [{ at: '11:00', do: accept }, { at: '12:00', do: suspend, pause: tea }]", "pause 'tea' is not one of"),
        ("does: [{ at: '11:00', do: close }]", "cannot"),
        ("colour: red", "unknown field `colour`"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "supervision.tests.yaml"
    kept = [each for each in SOUND.splitlines() if not each.startswith(f"  {line.split(':', maxsplit=1)[0]}:")]
    path.write_text("\n".join([*kept, f"  {line}"]), encoding="utf-8")
    with pytest.raises(PackError, match=problem) as refused:
        run_tests(path)
    assert str(refused.value).startswith("supervision.tests.yaml:1: too late: ")


def test_the_command_runs_them_alone_by_name_and_with_a_pack() -> None:
    alone = CliRunner().invoke(app, ["rules", "test", "supervision"])
    assert alone.output == f"{len(run_tests()[0])} tests of 1 rule, nothing wrong.\n"
    with pytest.raises(CommandError, match="no pack 'supervisio'"):
        raise CliRunner().invoke(app, ["rules", "test", "supervisio"]).exception or AssertionError
