"""Reports on cases that have lived: what is printed, closed, corrected, made again."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from openpyxl import load_workbook
from psycopg import errors

from cityward.cli import reports
from storage.connection import connect
from tests.integration.desk import FRIDAY, Desk
from tests.integration.lives import live
from tests.integration.making import KITCHEN, rows
from tests.integration.prompt import Command, Now
from tests.waiting import eventually

DAY = timedelta(days=1)
DECEMBER = FRIDAY + 13 * DAY


@pytest.fixture
def lived(desk: Desk, now: Now) -> dict[str, str]:
    made = live(desk)
    now.set(DECEMBER)
    return made


def parts(cityward: Command, *arguments: object) -> dict[str, list[dict[str, Any]]]:
    said = cityward("reports", *arguments, "--format", "json")
    assert said.exit_code == 0, said.exception
    found: dict[str, list[dict[str, Any]]] = json.loads(said.stdout_bytes)["parts"]
    return found


def scores(ranking: list[dict[str, Any]], column: str = "score") -> dict[str, float | None]:
    return {row["unit"]: row[column] for row in ranking}


@pytest.mark.each_server
def test_the_week_has_what_is_overdue_gravest_first_and_its_sheets(
    desk: Desk, cityward: Command, lived: dict[str, str], now: Now
) -> None:
    now.set(FRIDAY + 2 * DAY + timedelta(hours=6))  # Sunday evening: the week lasts still
    found = parts(cityward, "weekly", "--from", "2026-11-18")
    assert [(row["number"], row["colour"]) for row in found["overdue_cases"]] == [
        (lived["sent_back"], "red"), (lived["overdue"], "red"), (lived["reopened"], "yellow"),
    ]  # fmt: skip
    assert {row["unit"]: (row["open"], row["late_cases"]) for row in found["units"]} == {
        "drainage": (1, 0), "lighting": (3, 2), "west-cg": (1, 1), "bridges": (1, 0), "east-cg": (1, 0),
    }  # fmt: skip
    assert len(found["sheets"]) == rows(desk.connection, "SELECT count(*) FROM sheet")[0][0]
    desk.work(lived["overdue"], DECEMBER)
    now.set(DECEMBER)
    later = parts(cityward, "weekly", "--from", "2026-11-18")
    assert lived["overdue"] in {row["number"] for row in later["overdue_cases"]}, (
        "a week that is over is told as it was"
    )


@pytest.mark.each_server
def test_a_closed_month_is_kept_and_what_changes_later_stands_beside_it(
    desk: Desk, cityward: Command, lived: dict[str, str]
) -> None:
    open_month = parts(cityward, "month", "--month", "2026-11")
    assert "corrections" not in open_month
    assert cityward("reports", "close", "2026-11", "--by", "li").exit_code == 0
    closed = parts(cityward, "month", "--month", "2026-11")
    assert closed["corrections"] == []
    kept = scores(closed["units"])
    assert kept == scores(closed["units"], "score_now") == scores(open_month["units"])

    desk.work(lived["overdue"], DECEMBER)
    desk.moves(DECEMBER).accept(lived["reopened"])
    desk.moves(DECEMBER).campaign("cables", (DECEMBER + 10 * DAY).date(), [lived["reopened"]])
    again = parts(cityward, "month", "--month", "2026-11")
    assert scores(again["units"]) == kept
    assert {row["unit"] for row in again["units"] if row["score"] != row["score_now"]} == {"lighting"}
    corrections = {(row["number"], row["correction"]): (row["was"], row["is"]) for row in again["corrections"]}
    assert corrections[lived["overdue"], "handled"] == ("0", "1")
    assert corrections[lived["reopened"], "fix_by"] == ("2026-11-22", "2026-12-13")
    assert {number for number, _ in corrections} == {lived["overdue"], lived["reopened"]}
    quarter = parts(cityward, "quarter", "--quarter", "2026-Q4")
    assert scores(quarter["units"], "2026-11") == kept
    assert [row["closed_by"] for row in quarter["months"]] == ["", "li", ""]

    assert "make again what was kept" in cityward("reports", "check", "2026-11").output
    desk.connection.execute("ALTER TABLE case_event DISABLE TRIGGER only_added_to")
    desk.connection.execute("UPDATE case_event SET unit = 'drainage' WHERE unit = 'bridges'")
    assert str(cityward("reports", "check", "2026-11").exception).endswith("unit bridges, unit drainage")


@pytest.mark.each_server
def test_a_month_is_closed_once_it_is_over_and_for_good(
    desk: Desk, cityward: Command, lived: dict[str, str], now: Now
) -> None:
    assert lived
    assert "was not closed" in str(cityward("reports", "check", "2026-11").exception)
    assert cityward("reports", "close", "2026-11", "--by", "li").exit_code == 0
    assert "2026-11 was closed by li on 2026-12-03 17:30 already" in str(
        cityward("reports", "close", "2026-11", "--by", "wang").exception
    )
    assert "2026-12 is not over" in str(cityward("reports", "close", "2026-12").exception)
    now.set(FRIDAY)
    for change in ("UPDATE month_score SET score = 100", "DELETE FROM month_close"):
        with pytest.raises(errors.IntegrityConstraintViolation, match="only ever added to"):
            desk.connection.execute(change.encode())


@pytest.mark.each_server
def test_what_is_being_written_while_a_month_is_closed_is_counted_or_corrected_and_nothing_else(
    desk: Desk, cityward: Command, lived: dict[str, str], dsn: str
) -> None:
    """Whoever writes a history then is waited for."""
    with connect(dsn) as other, other.transaction():
        other.execute(
            "INSERT INTO case_event (case_id, event, state, at, actor, reason, unit, fix_by)"
            " SELECT case_id, 'finish', 'verifying', at, 'crew', '', unit, fix_by FROM case_event"
            " WHERE case_id = (SELECT id FROM dispatch_case WHERE number = %s) ORDER BY id DESC LIMIT 1",
            [lived["overdue"]],
        )
        closing = Thread(target=cityward, args=("reports", "close", "2026-11"))
        closing.start()
        eventually(
            lambda: rows(desk.connection, "SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0], "closing waits"
        )
    closing.join()
    counted = {row["unit"]: row["handled"] for row in parts(cityward, "month", "--month", "2026-11")["units"]}
    assert counted["lighting"] == 2
    assert cityward("reports", "check", "2026-11").exit_code == 0


@pytest.mark.each_server
def test_the_ledger_has_a_line_for_each_case_in_every_format(
    cityward: Command, lived: dict[str, str], tmp_path: Path
) -> None:
    asked = ("reports", "ledger", "--from", "2026-11-01", "--to", "2026-11-30")
    for name in ("ledger.csv", "ledger.xlsx"):
        assert cityward(*asked, "--out", tmp_path / name, "--language", "zh").exit_code == 0
    lines = [*csv.DictReader(io.StringIO((tmp_path / "ledger.csv").read_text("utf-8-sig")))]
    assert [line["案件编号"].strip() for line in lines] == [*lived.values()]
    assert {line["结案方式"] for line in lines} == {"", "遥测核查", "自行恢复"}
    sheet = load_workbook(tmp_path / "ledger.xlsx").active
    assert sheet is not None
    assert [str(cell.value) for cell in sheet["A"][4:]] == [*lived.values()]
    printed = cityward(*asked, "--unit", "bridges").output
    assert [number for number in lived.values() if number in printed] == [lived["reported"], lived["suspended"]]


def test_a_report_that_is_interrupted_leaves_the_file_that_was_there(
    desk: Desk, cityward: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert desk
    ledger = tmp_path / "ledger.csv"
    ledger.write_bytes(b"last month's")

    def interrupted(*stuff: Any) -> None:
        stuff[-1].write(b"half of")
        raise KeyboardInterrupt

    monkeypatch.setattr(reports, "write", interrupted)
    assert str(cityward("reports", "ledger", "--out", ledger).exception) == "stopped by Ctrl-C"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"ledger.csv": b"last month's"}


def test_the_watch_list_follows_the_rule_of_repeated_excess(desk: Desk, cityward: Command, now: Now) -> None:
    desk.alarm(("FU-02", KITCHEN), at=FRIDAY)
    desk.take_up(FRIDAY)
    now.set(FRIDAY + 9 * DAY)
    found = parts(cityward, "watchlist")
    assert [(row["figure"], row["restaurants"]) for row in found["counts"]] == [
        ("came_in", 1),
        ("went_out", 0),
        ("on_it", 1),
    ]
    (stay,) = found["watchlist_stays"]
    assert (stay["restaurant"], stay["days"], stay["number"]) == ("Kitchen 3", 9, desk.only_number())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["month", "--month", "soon"], "is no month"),
        (["weekly", "--from", "soon"], "is no date"),
        (["quarter", "--quarter", "2026-Q5"], "is no quarter"),
        (["ledger", "--from", "2026-11-02", "--to", "2026-11-01"], "ends before it begins"),
        (["ledger", "--format", "xlsx"], "XLSX goes into a file"),
        (["ledger", "--out", "ledger.pdf"], "give it the ending"),
        (["ledger", "--out", "nowhere/ledger.csv"], "No such file or directory"),
    ],
)
def test_what_cannot_be_made_says_what_can(desk: Desk, cityward: Command, arguments: list[str], words: str) -> None:
    assert desk
    assert words in str(cityward("reports", *arguments).exception)


@pytest.mark.each_server
def test_on_a_screen_a_report_is_tables_with_words(cityward: Command, lived: dict[str, str]) -> None:
    assert lived
    said = cityward("reports", "month", "--month", "2026-11").output
    assert said.startswith("Testburg · Monthly bulletin · 2026-11\n2026-11-01 - 2026-11-30 · as of 2026-12-03 17:30\n")
    for words in ("Units", "Drainage company", "90.0", "Targets", "bridges with a live sensor"):
        assert words in said
