"""cityward rules backtest over files: no database, no city, a story made by hand."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from cityward.cli import app
from cityward.cli.context import CommandError

RUNNER = CliRunner()
PACK = """\
- id: X-01
  name: {en: Loud, zh: 噪声过大}
  kind: noise
  raise: laeq > limit.day
  severity: minor
  case: {problem: noise, fix: 1d work}
  source: a test
- id: X-02
  name: {en: Meter silent, zh: 离线}
  kind: noise
  input: silence
  raise: [{silent: 1h}]
  severity: minor
  case: {problem: device_offline, fix: 1d work}
  source: a test
- id: X-03
  name: {en: Loud everywhere, zh: 多处}
  kind: noise
  input: group
  group: district
  window: 1h
  member: max(laeq) > 60
  raise: hits >= 2
  severity: major
  case: {problem: noise_everywhere, fix: 1d work}
  source: a test
- id: X-04
  name: {en: Nights, zh: 夜间}
  kind: noise
  input: job
  group: district
  at: "07:30"
  measure: night_compliance
  raise: night_compliance < 0.5
  severity: minor
  case: {problem: night_compliance, fix: 1d work}
  source: a test
- id: X-05
  name: {en: Loud hour, zh: 小时}
  kind: noise
  input: window
  window: 1h
  raise: energy_mean(laeq) > 60
  severity: minor
  case: {problem: noise_hour, fix: 1d work}
  source: a test
"""
DEVICES = "device_id,kind,name,district,lon,lat,attr.noise_zone\n" + "".join(
    f"meter-{number},noise,Meter {number},east,114.3,30.6,2\n" for number in (1, 2, 3)
)
START = datetime(2026, 11, 20, 8, tzinfo=ZoneInfo("Asia/Shanghai"))
FILES = ("--file", "readings.csv", "--devices", "devices.csv")
Backtest = Callable[..., Any]


def sent() -> Iterator[str]:
    """Six hours: one meter that hovers about its limit, one with three bangs, one that falls silent, a stranger."""
    yield "device_id,ts,laeq"
    for minute in range(360):
        at = START + timedelta(minutes=minute)
        yield f"meter-1,{at},{62.0 if minute % 20 < 12 else 58.5}"
        yield f"meter-2,{at},{70 if minute in {65, 195, 325} else 45}"
        if minute < 120:
            yield f"meter-3,{at},45"
        yield f"stranger,{at},45"


@pytest.fixture
def backtest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backtest:
    """The command with the story's files, in a folder without a configuration; what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "x.yaml").write_text(PACK, encoding="utf-8")
    (tmp_path / "devices.csv").write_text(DEVICES, encoding="utf-8")
    (tmp_path / "readings.csv").write_text("\n".join(sent()) + "\n", encoding="utf-8")

    def run(*arguments: str, pack: str = "packs/x.yaml") -> str:
        result = RUNNER.invoke(app, ["rules", "backtest", pack, *FILES, *arguments])
        if result.exception:
            raise result.exception
        return result.stdout

    return run


def test_files_alone_tell_alarms_of_readings_windows_groups_and_silence(backtest: Backtest) -> None:
    told = json.loads(backtest("--json"))
    alarms = {rule: of["alarms"] for rule, of in told["rules"].items()}
    assert alarms == {"X-01": 18 + 3, "X-02": 1, "X-03": 3, "X-05": 1}
    assert (told["passed_over"], told["unknown_devices"], told["doubles"]) == (["X-04"], {"stranger": 360}, 0)
    assert (told["alarms_in_force"], told["only_tried"], told["readings"]) == (0, sum(alarms.values()), 840)
    assert told["from"] == "2026-11-20T00:00:00+00:00"


def test_hints_and_advice_are_those_of_the_story(backtest: Backtest) -> None:
    told = json.loads(backtest("--json", "--rule", "X-01"))
    rule = told["rules"]["X-01"]
    assert rule["hints"] == ["comes_back", "one_device"]
    assert (rule["came_back"], rule["fleeting"], rule["busiest"]) == (17, 3, {"device": "meter-1", "alarms": 18})
    assert rule["cases"] == 1 + 3, "what comes back within two hours joins the open case"
    hovering, bangs = told["worst"]
    assert (hovering["device"], hovering["metric"], hovering["deadband"]) == ("meter-1", "laeq", 3.5)
    assert (bangs["device"], bangs["delay_s"], bangs["spared"]) == ("meter-2", 60.0, 3)


def test_a_limit_that_is_tried_is_set_against_the_same_rules_with_the_one_in_force(backtest: Backtest) -> None:
    told = json.loads(backtest("--json", "--limit", "day=59", "--limit", "night=40", "--rule", "NO-01", pack="noise"))
    assert set(told["rules"]) <= {"NO-01"}
    assert told["only_in_force"] == 0


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Not registered, and left out: 1 device with 360 readings: stranger", "Passed over: X-04.",
                "X-01: most come back within an hour: a wider deadband?", "3.5 (laeq)", "Only with these"]),
        ("zh", ["stranger", "X-04", "多数在 1 小时内再次出现", "噪声过大", "仅试验规则"]),
    ],
)  # fmt: skip
def test_people_read_it_in_their_language(
    backtest: Backtest, monkeypatch: pytest.MonkeyPatch, language: str, words: list[str]
) -> None:
    monkeypatch.setenv("CITYWARD_LANGUAGE", language)
    shown = backtest()
    for word in words:
        assert word in shown


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--devices", "devices.csv"], "--devices goes with --file, and --city with --devices"),
        (["--file", "readings.csv", "--city", "devices.csv"], "--city with --devices"),
        (["--from", "2026-11-20"], "give --from and --to, or a --file"),
        (["--file", "readings.csv", "--devices", "devices.csv", "--from", "2026-11-21"], "--to: must be later"),
        (["--file", "none.csv", "--devices", "devices.csv"], "--file: has no reading of a registered device"),
        ([*FILES, "--limit", "tlt=10"], "no kind has a limit called tlt"),
        ([*FILES, "--limit", "tilt=low"], "'tilt=low' is not NAME=NUMBER"),
        ([*FILES, "--rule", "FU-01"], "no FU-01 among X-01, X-02, X-03, X-04, X-05"),
        ([*FILES, "--device", "nobody"], "no device nobody"),
        ([*FILES, "--district", "north"], "no device in 'north'"),
    ],
)
def test_what_does_not_go_together_is_said(
    backtest: Backtest, tmp_path: Path, arguments: list[str], problem: str
) -> None:
    del backtest
    (tmp_path / "none.csv").write_text("device_id,ts,laeq\nstranger,2026-11-20,1\n", encoding="utf-8")
    result = RUNNER.invoke(app, ["rules", "backtest", "packs", *arguments])
    assert problem in str(result.exception)


def test_a_pack_is_named_by_its_kind_its_file_or_its_folder(backtest: Backtest) -> None:
    with pytest.raises(CommandError, match=r"no pack 'noises': neither a file, nor a folder, nor in .*, nor a kind"):
        backtest(pack="noises")
    assert json.loads(backtest("--json", pack="packs"))["rules"] == json.loads(backtest("--json"))["rules"]
    assert json.loads(backtest("--json", pack="city"))["passed_over"] == ["KP-01", "KP-02", "KP-03", "KP-04", "KP-05"]


def test_a_group_that_is_asked_about_by_a_member_is_judged_with_all_members(backtest: Backtest) -> None:
    told = json.loads(backtest("--json", "--rule", "X-03", "--device", "meter-2"))
    assert told["rules"]["X-03"]["alarms"] == 3
    assert told["readings"] == 840
