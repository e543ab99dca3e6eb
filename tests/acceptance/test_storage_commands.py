import json
import subprocess
import sys
from pathlib import Path

from psycopg import Connection

from devices.kind import Kind
from storage.capability import Capability, detect
from tests.fix_city import CITY


def cityward(dsn: str, folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cityward", *arguments],
        env={
            "CITYWARD_DATABASE_URL": dsn,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "COLUMNS": "200",
            **environment,
        },
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_report_is_a_table_for_people_and_lines_for_programs(
    dsn: str, connection: Connection, kinds: dict[str, Kind], tmp_path: Path
) -> None:
    shown = cityward(dsn, tmp_path, "storage", "report")
    assert shown.returncode == 0, shown.stderr
    capability = detect(connection)
    assert str(capability) in shown.stdout
    assert ("Missing: " in shown.stdout) == (capability is not Capability.COMMUNITY)
    lines = [json.loads(line) for line in cityward(dsn, tmp_path, "storage", "report", "--json").stdout.splitlines()]
    assert {f"reading_{kind}" for kind in kinds} <= {line["table"] for line in lines}
    assert all(line["rows"] == 0 and line["bytes_per_row"] is None for line in lines)


def test_a_refresh_says_what_it_needs(dsn: str, connection: Connection, tmp_path: Path) -> None:
    done = cityward(dsn, tmp_path, "storage", "refresh")
    assert done.returncode == 0, done.stderr
    half = cityward(dsn, tmp_path, "storage", "refresh", "--since", "2026-11-01")
    if detect(connection) is Capability.COMMUNITY:
        assert (half.returncode, "give both --since and --until" in half.stderr) == (1, True)
    else:
        assert "always up to date" in half.stdout


def test_a_city_elsewhere_says_that_days_must_be_cut_anew(dsn: str, tmp_path: Path) -> None:
    text = CITY.read_text(encoding="utf-8")
    assert 'timezone = "Asia/Shanghai"' in text
    (tmp_path / "city.toml").write_text(text.replace("Asia/Shanghai", "Asia/Kolkata"), encoding="utf-8")
    moved = cityward(dsn, tmp_path, "city", "import", "city.toml")
    assert "run cityward migrate" in moved.stdout, moved.stderr
    assert "views" in cityward(dsn, tmp_path, "migrate").stdout
    assert "run cityward migrate" not in cityward(dsn, tmp_path, "city", "import", "city.toml").stdout


def test_a_setting_for_an_unknown_kind_is_refused_by_name(dsn: str, tmp_path: Path) -> None:
    refused = cityward(dsn, tmp_path, "migrate", CITYWARD_KEEP_READINGS_DAYS='{"noize": 30}')
    assert refused.returncode == 1
    assert "keep_readings_days: 'noize' is no kind; there are bridge, fume" in refused.stderr
