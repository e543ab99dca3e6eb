"""Reports without a database: days, rankings, the watch list, files."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from alarms.lifecycle import Event
from cases.indicators import Counts
from cases.policy import Colour
from cases.reports import periods
from cases.reports.document import Cell, Column, Name, Part, Report, Shape, heading
from cases.reports.files import Format, write
from cases.reports.ledger import COLUMNS
from cases.reports.monthly import Target
from cases.reports.scores import Scored, added, ranked
from cases.reports.watchlist import WatchEvent, stays, watchlist
from cases.reports.weekly import IssuedSheet, weekly
from cases.words import Language, Section, vocabulary

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)
DAY = timedelta(days=1)
NOTHING = Counts(**dict.fromkeys(Counts.__slots__, 0))


@pytest.mark.parametrize(
    ("period", "name", "first", "last"),
    [
        (periods.week(date(2026, 12, 31)), "2026-W53", "2026-12-28", "2027-01-03"),
        (periods.month(date(2028, 2, 29)), "2028-02", "2028-02-01", "2028-02-29"),
        (periods.quarter(date(2026, 12, 31)), "2026-Q4", "2026-10-01", "2026-12-31"),
        (periods.read_month("2026-12"), "2026-12", "2026-12-01", "2026-12-31"),
        (periods.read_quarter("2026q1"), "2026-Q1", "2026-01-01", "2026-03-31"),
        (periods.before(periods.read_month("2026-01")), "2025-12", "2025-12-01", "2025-12-31"),
    ],
)
def test_weeks_months_and_quarters(period: periods.Period, name: str, first: str, last: str) -> None:
    assert (period.name, str(period.first), str(period.last)) == (name, first, last)


def test_a_period_lasts_from_local_midnight_to_local_midnight() -> None:
    october = periods.read_month("2026-10")
    assert october.moments(SHANGHAI) == (datetime(2026, 9, 30, 16, tzinfo=UTC), datetime(2026, 10, 31, 16, tzinfo=UTC))
    begin, end = october.moments(ZoneInfo("Europe/Berlin"))
    assert end - begin == 31 * DAY + timedelta(hours=1), "clocks are put back"


@given(st.dates(date(1971, 1, 1), date(2100, 1, 1)))
def test_a_quarter_is_its_three_months(day: date) -> None:
    quarter = periods.quarter(day)
    months = periods.months(quarter)
    assert len(months) == 3
    assert (months[0].first, months[2].last) == (quarter.first, quarter.last)
    assert periods.month(day) in months


@pytest.mark.parametrize("text", ["2026-13", "26-1", "2026-00", "November", "", "0000-01"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no month: write for example 2026-11"):
        periods.read_month(text)


def test_a_time_in_which_no_city_works_is_refused() -> None:
    for read, texts in (
        (periods.read_day, ("0001-01-01", "9999-12-31")),
        (periods.read_month, ("9999-12",)),
        (periods.read_quarter, ("9999-Q4",)),
    ):
        for text in texts:
            with pytest.raises(ValueError, match="write for example 2026"):
                read(text)


def test_the_best_come_first_equals_share_a_rank_and_nobody_is_ranked_for_nothing() -> None:
    def scored(key: str, score: float | None) -> Scored:
        return Scored(Name(key), NOTHING, score)

    rows = ranked([scored("d", None), scored("b", 80.0), scored("c", 70.0), scored("a", 80.0)])
    assert [(rank, row.name.key) for rank, row in rows] == [(1, "a"), (1, "b"), (3, "c"), (None, "d")]


def test_months_add_up() -> None:
    assert added([replace(NOTHING, handled=2, points=-1), replace(NOTHING, handled=3)]) == replace(
        NOTHING, handled=5, points=-1
    )
    assert added([]) == NOTHING


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target("lit_rate", "percent", 98.0, 98.0), "yes"),
        (Target("lit_rate", "percent", 97.9, 98.0), "no"),
        (Target("area_noise", "decibel", 60.0, 60.0, below=True), "no"),
        (Target("area_noise", "decibel", None, 60.0, below=True), ""),
    ],
)
def test_a_target_is_met_or_not_or_nothing_is_known(target: Target, met: str) -> None:
    assert target.met == met


def happened(restaurant: str, event: Event, day: int) -> WatchEvent:
    return WatchEvent(restaurant, restaurant.title(), "east", "Market Street", event, NOON + day * DAY, "")


def test_a_restaurant_is_on_the_list_from_its_alarm_to_the_end_of_it() -> None:
    events = [
        happened("wok", Event.RAISED, 0),
        happened("bar", Event.RAISED, 1),
        happened("wok", Event.REPEATED, 2),
        happened("wok", Event.CLEARED, 9),
        happened("wok", Event.CLEARED, 10),
        happened("wok", Event.RAISED, 20),
    ]
    found = [(stay.first.restaurant, (stay.out_at - NOON).days if stay.out_at else None) for stay in stays(events)]
    assert found == [("wok", 9), ("bar", None), ("wok", None)]
    counts, listed = watchlist(events, {}, NOON + 5 * DAY, NOON + 15 * DAY, NOON + 30 * DAY)
    assert list(counts.rows) == [("came_in", 0), ("went_out", 1), ("on_it", 1)]
    assert [(row[0], row[4], row[5]) for row in listed.rows] == [("Wok", NOON + 9 * DAY, 9), ("Bar", None, 14)]


def test_a_sheet_without_an_answer_waits_once_its_time_is_over() -> None:
    sheet = IssuedSheet("Y2026-00001", "1", "drainage", Colour.YELLOW, "overdue", -1, NOON, NOON + DAY, None, "")
    late = replace(sheet, number="Y2026-00002", answered_at=NOON + 3 * DAY, answer="done")
    units, _, sheets = weekly([], [sheet, late], {"drainage": Name("drainage", "Drainage")}, NOON + 2 * DAY)
    assert list(units.rows) == [(Name("drainage", "Drainage"), 0, 0, 0, 2, 0, 2, -2)]
    assert [row[7:9] for row in sheets.rows] == [(None, ""), (None, "")], "the answer came after the week"


def report(*rows: tuple[Cell, ...], columns: tuple[Column, ...] = (Column("facility"),)) -> Report:
    parts = [Part("cases", columns, rows)]
    return Report(
        "ledger",
        "2026-11",
        Name("city", "Testburg", "测试市"),
        SHANGHAI,
        date(2026, 11, 1),
        date(2026, 11, 30),
        NOON,
        parts,
    )


def written(made: Report, form: Format, language: Language = Language.EN) -> bytes:
    stream = io.BytesIO()
    write(made, form, language, stream)
    return stream.getvalue()


DANGER = [
    "=1+1", "+86 27", "-x", "@SUM(A1)", "\tx", "\n=1",
    "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)", '=HYPERLINK("http://x","y")',
]  # fmt: skip


@pytest.mark.parametrize("text", DANGER)
def test_nothing_that_people_or_devices_wrote_becomes_a_formula(text: str) -> None:
    (_, (cell,)) = csv.reader(io.StringIO(written(report((text,)), Format.CSV).decode("utf-8-sig")))
    assert cell == f"'{text}"
    sheet = load_workbook(io.BytesIO(written(report((text,)), Format.XLSX))).active
    assert sheet is not None
    assert (sheet["A5"].value, sheet["A5"].data_type) == (text, "s")


def test_numbers_keep_their_digits_and_words_their_language() -> None:
    columns = (
        Column("number"), Column("unit"), Column("problem", Shape.WORD, Section.PROBLEMS),
        Column("colour", Shape.WORD, Section.COLOURS), Column("on_time", Shape.SHARE), Column("points", Shape.COUNT),
        Column("fix_by", Shape.MOMENT), Column("late", Shape.SPAN), Column("score", Shape.SCORE),
    )  # fmt: skip
    unit = Name("drainage", "Drainage company", "排水公司")
    row = ("4201022026112000001", unit, "cover_open", Colour.RED, 0.875, -2, NOON, timedelta(hours=26), None)
    made = report(row, columns=columns)
    data = written(made, Format.CSV, Language.ZH)
    assert data.startswith(b"\xef\xbb\xbf")
    head, line = csv.reader(io.StringIO(data.decode("utf-8-sig")))
    assert head[:2] == ["案件编号", "责任单位"]
    assert line == [
        "4201022026112000001\t", "排水公司", "井盖开启", "红色", "0.8750", "-2", "2026-11-20 12:00", "26.0", ""
    ]  # fmt: skip
    sheet = load_workbook(io.BytesIO(written(made, Format.XLSX, Language.ZH))).active
    assert sheet is not None
    local = datetime(2026, 11, 20, 12)  # noqa: DTZ001 - a sheet knows no zones
    assert [cell.value for cell in sheet[5]] == [
        "4201022026112000001", "排水公司", "井盖开启", "红色", 0.875, -2, local, 26, None
    ]  # fmt: skip
    assert sheet["A1"].value == "测试市 · 案件台账 · 2026-11"
    assert (sheet["E5"].number_format, sheet.freeze_panes) == ("0.0%", "A5")
    document = json.loads(written(made, Format.JSON))
    assert document["parts"]["cases"] == [
        {
            "number": "4201022026112000001", "unit": "drainage", "problem": "cover_open", "colour": "red",
            "on_time": 0.875, "points": -2, "fix_by": "2026-11-20T04:00:00Z", "late": 26.0, "score": None,
        }
    ]  # fmt: skip


def test_a_large_count_keeps_its_digits() -> None:
    data = written(report((1_234_567,), columns=(Column("handled", Shape.COUNT),)), Format.CSV)
    assert data.decode("utf-8-sig").split() == [heading("handled", Language.EN), "1234567"]


@settings(max_examples=15)  # a workbook takes its time
@given(st.lists(st.text(), min_size=5, max_size=20))
def test_any_text_goes_into_every_format(texts: list[str]) -> None:
    made = report(*((text.encode("utf-8", "ignore").decode(),) for text in texts))
    assert len(json.loads(written(made, Format.JSON))["parts"]["cases"]) == len(texts)
    written(made, Format.CSV)
    sheet = load_workbook(io.BytesIO(written(made, Format.XLSX)), read_only=True).active
    assert sheet is not None


def test_every_heading_is_said_in_both_languages() -> None:
    known = vocabulary()[Section.REPORTS]
    assert [column.key for column in COLUMNS if column.key not in known] == []
    assert heading("ledger", Language.ZH) == "案件台账"
