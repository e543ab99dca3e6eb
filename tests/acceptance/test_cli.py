"""The command line as it meets people: it teaches itself, and what is wrong is said in a clear line."""

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import Connection
from pydantic import ValidationError
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command
from typer.testing import CliRunner

from cityward.cli import app
from cityward.cli.context import CommandError, load_settings
from cityward.settings import Settings
from devices.kind import Kind
from devices.registry import Registry
from tests.fix_processes import Command
from tests.integration.desk import FRIDAY, Desk
from tests.integration.making import COVER_EAST
from tests.waiting import PATIENCE

GAS = Path(__file__).parents[1] / "kinds" / "gas"
Words = tuple[str, ...]
Explained = TyperCommand | TyperGroup


def commands(command: object, path: Words = ()) -> Iterator[tuple[Words, Explained]]:
    """Every command that shows itself, with the words that call it, groups included."""
    assert isinstance(command, Explained), f"{path}: another kind of command"
    if command.hidden:
        return
    yield path, command
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from commands(inner, (*path, name))


COMMANDS = dict(commands(get_command(app)))
each_command = pytest.mark.parametrize("path", COMMANDS, ids=lambda path: " ".join(path) or "cityward")


@each_command
def test_every_command_explains_itself(path: Words) -> None:
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert "Usage:" in shown.output
    assert (COMMANDS[path].help or "").splitlines()[0] in shown.output


@each_command
def test_every_option_and_argument_is_explained(path: Words) -> None:
    parameters = [each for each in COMMANDS[path].params if isinstance(each, TyperOption | TyperArgument)]
    assert len(parameters) == len(COMMANDS[path].params)
    assert [each.name for each in parameters if not each.help] == []


def test_a_command_loads_what_it_needs_and_no_other_command() -> None:
    loads = "from cityward.cli import main; main()"
    looks = "print([name for name in sys.modules if name.startswith(('cityward.cli.', 'benchmarks'))])"
    script = f"import sys, atexit; atexit.register(lambda: {looks}); sys.argv[1:] = ['permits', '--help']; {loads}"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE, check=True)
    loaded = shown.stdout.splitlines()[-1]
    assert "cityward.cli.permits" in loaded
    assert "benchmarks.commands" not in loaded
    assert "cityward.cli.simulating" not in loaded


def test_the_command_starts_as_a_process(own_process: Command) -> None:
    shown = own_process("--help")
    assert (shown.code, shown.err) == (0, "")
    for path in COMMANDS:
        if len(path) == 1:
            assert path[0] in shown.out


def test_every_setting_is_shown_with_its_value_and_its_meaning(command: Command) -> None:
    shown = command("settings", CITYWARD_WATCHDOG_S="77.5", COLUMNS="300")
    assert shown.code == 0
    assert "77.5" in shown.out
    for name, field in Settings.model_fields.items():
        assert f"CITYWARD_{name.upper()}" in shown.out
        if name != "clock":
            assert field.description
            assert field.description in shown.out


def test_no_password_is_shown_with_the_settings(command: Command) -> None:
    for database in ("postgresql://cityward:hush@db/cityward", "host=db user=cityward password='hu sh' dbname=x"):
        settings = {"CITYWARD_BROKER_URL": "mqtt://collector:hush@broker", "CITYWARD_DATABASE_URL": database}
        shown = command("settings", COLUMNS="300", **settings)
        assert "hush" not in shown.out + shown.err
        assert "hu sh" not in shown.out + shown.err
        assert "mqtt://collector:***@broker" in shown.out
        assert "cityward:***@db/cityward" in shown.out or "password=*** dbname=x" in shown.out


@pytest.mark.parametrize(
    "wrong",
    [
        {"CITYWARD_BROKER_URL": "mqtt://collector:hush@[broker"},
        {"CITYWARD_BROKER_URL": "http://collector:hush@broker"},
        {"CITYWARD_BROKER_URL": "mqtt://collector:hush@broker", "CITYWARD_WATCHDOG_S": "often"},
    ],
    ids=["brackets", "scheme", "another setting"],
)
def test_no_error_of_settings_tells_a_password(command: Command, wrong: dict[str, str]) -> None:
    refused = command("rules", "list", **wrong)
    assert refused.code == 1
    assert "hush" not in refused.out + refused.err


def test_pydantic_itself_does_not_repeat_what_was_set() -> None:
    """A traceback of a program that reads the settings itself would show it."""
    with pytest.raises(ValidationError) as refused:
        Settings(broker_url="http://collector:hush@broker")
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("words", [("migrate",), ("rules", "check"), ("rules", "list")], ids=" ".join)
def test_a_codec_that_cannot_be_is_found_before_a_collector_starts(
    command: Command, tmp_path: Path, words: Words
) -> None:
    (tmp_path / "kinds").mkdir()
    shutil.copytree(GAS, tmp_path / "kinds" / "gas")
    with (tmp_path / "kinds" / "gas" / "kind.toml").open("a", encoding="utf-8") as file:
        file.write("\n[codecs.hj212.weekly]\n")
    refused = command(*words, CITYWARD_KINDS_DIRS=json.dumps([str(tmp_path / "kinds")]))
    assert refused.code == 1
    assert (
        "kinds/gas/kind.toml: codecs.hj212.weekly: the tables are realtime, minute, hour, day"
        in refused.err.replace("\n", "")
    )


def test_the_sample_of_settings_is_toml_also_without_its_comment_signs(command: Command) -> None:
    shown = command("settings", "--toml", COLUMNS="60")
    assert shown.code == 0
    assert tomllib.loads(shown.out).keys() == {"clock"}
    lines = shown.out.splitlines()
    in_force = [line.removeprefix("# ") for line in lines if " = " in line or line.startswith("[")]
    assert tomllib.loads("\n".join(in_force)).keys() == Settings.model_fields.keys()
    assert [line for line in lines if line and not line.startswith(("#", "["))] == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"CITYWARD_WATCHDOG_S": "-1"}, "watchdog_s: Input should be greater than 0"),
        ({"CITYWARD_LANGUAGE": "fr"}, "language: Input should be 'en' or 'zh'"),
        ({"CITYWARD_BROKER_URL": "http://x"}, "broker_url: the URL of a broker is mqtt://"),
        (
            {"CITYWARD_DATABSE_URL": "postgresql://db/city"},
            "CITYWARD_DATABSE_URL: there is no such setting; did you mean database_url?",
        ),
        ({"CITYWARD_CLOCK__FACTOR": "fast"}, "clock.factor: Input should be a valid number"),
        ({"CITYWARD_CLOCK__ANCHOR": "2026-11-20T12:00:00"}, "clock.anchor: Input should have timezone info"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_a_wrong_setting_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: dict[str, str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CommandError) as refused:
        load_settings()
    heading, problem = str(refused.value).splitlines()
    assert heading == "settings (cityward.toml or CITYWARD_*):"
    assert problem.startswith(f"  {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('databse_url = "x"', "databse_url: there is no such setting; did you mean database_url?"),
        ("watchdog_s = ", "cityward.toml: Invalid value (at end of document)"),
        ("watchdog_s = 0", "watchdog_s: Input should be greater than 0"),
    ],
    ids=["unknown", "not TOML", "impossible"],
)
def test_a_wrong_settings_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "cityward.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError) as refused:
        load_settings()
    assert said in str(refused.value)


def test_a_command_with_a_wrong_setting_ends_with_what_is_wrong_and_nothing_else(own_process: Command) -> None:
    refused = own_process("rules", "list", CITYWARD_WATCHDOG_S="often")
    assert (refused.code, refused.out) == (1, "")
    heading, problem = refused.err.splitlines()
    assert heading == "cityward: settings (cityward.toml or CITYWARD_*):"
    assert problem.startswith("  watchdog_s: Input should be a valid number")


def test_the_rules_that_come_along_have_nothing_wrong(command: Command) -> None:
    checked = command("rules", "check")
    assert (checked.code, checked.err) == (0, "")
    assert "rules, nothing wrong." in checked.out


def test_everything_wrong_with_a_folder_of_packs_is_listed(command: Command, tmp_path: Path) -> None:
    good = """
- id: MH-01
  name: { en: Open, zh: 开 }
  kind: manhole
  raise: tilt > 15
  severity: major
  case: { problem: cover_open, fix: 2h urgent }
  source: here
"""
    (tmp_path / "one.yaml").write_text(good.replace("tilt", "tlit"), encoding="utf-8")
    (tmp_path / "two.yaml").write_text(f"# A comment.\n{good.replace('manhole', 'manhloe')}", encoding="utf-8")
    (tmp_path / "three.yaml").write_text("rules: [", encoding="utf-8")
    refused = command("rules", "check", str(tmp_path))
    assert (refused.code, refused.out) == (1, "")
    assert "one.yaml:5:10: MH-01: raise: " in refused.err
    assert "did you mean" in refused.err
    assert "two.yaml:5:9: MH-01: kind: unknown kind 'manhloe'" in refused.err
    assert "three.yaml:1:9: not YAML" in refused.err

    for path in tmp_path.glob("*.yaml"):
        path.unlink()
    texts = good.replace("2h urgent", "2 hours"), good.replace("MH-01", "AM-01"), good.replace("MH-01", "SV-01")
    (tmp_path / "one.yaml").write_text("".join(texts), encoding="utf-8")
    refused = command("rules", "check", str(tmp_path))
    assert refused.code == 1
    assert "one.yaml:7:37: MH-01: case: fix: '2 hours' is no allowance" in refused.err
    assert "one.yaml:10:7: AM-01: id: Cityward has a rule of this id itself" in refused.err
    assert "one.yaml:18:7: SV-01: id: " in refused.err


@pytest.mark.parametrize("action", ["show", "accept", "arrive", "safe"])
@pytest.mark.usefixtures("registry")
def test_a_case_that_does_not_exist_is_named(command: Command, action: str) -> None:
    refused = command("cases", action, "4201022026112099999")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == ("cityward: there is no case 4201022026112099999; cityward cases list shows the open ones\n")


def test_a_database_that_is_not_there_is_named(command: Command) -> None:
    refused = command("status", CITYWARD_DATABASE_URL="postgresql://somebody:secret@127.0.0.1:1/city")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == "cityward: no database at 127.0.0.1:1/city: Connection refused\n"


def test_a_database_without_tables_is_told_what_to_do_and_migrate_does_it(command: Command, empty_dsn: str) -> None:
    refused = command("status", CITYWARD_DATABASE_URL=empty_dsn)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.endswith(": run cityward migrate\n")
    migrated = command("migrate", CITYWARD_DATABASE_URL=empty_dsn)
    assert (migrated.code, migrated.err) == (0, "")
    assert "Database ready." in migrated.out
    shown = command("status", CITYWARD_DATABASE_URL=empty_dsn)
    assert shown.code == 0
    assert "Ledger: 0 received = 0 stored + 0 duplicate + 0 quarantined" in shown.out
    assert "nobody: start cityward collect" in shown.out


def test_an_unknown_partition_is_named_with_those_that_there_are(command: Command) -> None:
    refused = command("collect", "--partition", "north")
    assert refused.code == 1
    assert refused.err == "cityward: --partition: 'north' is not in the settings; there are all\n"


def test_cases_are_shown_in_the_language_of_the_settings(
    connection: Connection, registry: Registry, kinds: dict[str, Kind], command: Command
) -> None:
    desk = Desk(connection, registry, kinds)
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    for language, words in {
        "en": ["manhole cover open", "Drainage company", "dispatched", "major"],
        "zh": ["井盖开启", "排水公司", "已派遣", "重要"],
    }.items():
        for shown in (
            command("cases", "list", CITYWARD_LANGUAGE=language),
            command("cases", "show", desk.only_number(), CITYWARD_LANGUAGE=language),
        ):
            assert (shown.code, shown.err) == (0, "")
            assert [word for word in words if word not in shown.out] == []


def test_what_people_have_written_is_shown_as_it_is(
    connection: Connection, registry: Registry, kinds: dict[str, Kind], command: Command
) -> None:
    """Brackets and colons mean something to the library that draws tables, and nothing to a road."""
    connection.execute("UPDATE device SET name = '[east] gate [/] :door:', road = '[bold]Ring[/bold] 3'")
    desk = Desk(connection, registry, kinds)
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    desk.moves(FRIDAY).accept(desk.only_number(), "[/]")
    for shown in (command("cases", "list"), command("cases", "show", desk.only_number()), command("devices", "list")):
        assert (shown.code, shown.err) == (0, "")
        assert "[east] gate [/] :door:" in shown.out
        assert "[bold]Ring[/bold] 3" in shown.out
