"""The page that ``make run`` draws: on a narrow or low terminal too it says what is wrong, who must go and by when."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len
from rich.console import Console

from cases.words import Language
from cityward.clock import Clock
from cityward.live_page import Page
from devices.kind import Kind
from ingest.messages import Ledger
from storage.case_list import CaseRow
from storage.overview import KindTotals, Overview

NOW = datetime(2026, 11, 22, 14, 12, 55, tzinfo=UTC)
CASE = CaseRow(
    id=1, number="9901012026112200010", kind="bridge", name="解放路高架桥01 (viaduct, strain)", road="",
    district="jiangan", problem="bridge_over_limit", severity=4, state="dispatched", open=True, unit="bridges",
    name_en="Bridge maintenance contractor", name_zh="桥梁养护公司", reason="", opened_at=NOW, arrive_by=None,
    fix_by=NOW + timedelta(hours=1, minutes=59), arrived_at=None, done_at=None, closed_at=None,
    rework=0, colour=0, delay=None, paused_at=None, incident=None, parent=None, device_id="9901012026000001", grid="",
)  # fmt: skip


class Stopped(Clock):
    def now(self) -> datetime:
        return NOW


def drawn(kinds: dict[str, Kind], columns: int, lines: int) -> list[str]:
    page = Page(
        Stopped(), ZoneInfo("Asia/Shanghai"), Language.EN, kinds, broker="127.0.0.1:1883", database="postgresql://city",
        console="http://127.0.0.1:8080/enter/qRspcO09_lkOgLTl",
    )  # fmt: skip
    now = Overview(Ledger(14920, 14751, 141, 28), {"group": KindTotals()}, {4: 1}, {}, {}, [], [], [])
    file = StringIO()
    Console(width=columns, height=lines, file=file, force_terminal=True, color_system=None).print(
        page.render(now, [CASE] * 12, 14920)
    )
    return file.getvalue().splitlines()


@pytest.mark.parametrize("columns", [60, 80, 100, 130, 200])
def test_however_narrow_the_terminal_a_case_has_who_and_by_when(kinds: dict[str, Kind], columns: int) -> None:
    lines = drawn(kinds, columns, 60)
    assert max(map(cell_len, lines)) <= columns
    heading = next(line for line in lines if line.startswith("newest cases"))
    assert "responsible" in heading
    assert heading.rstrip().endswith("left")
    cases = [line for line in lines if line.startswith(CASE.number)]
    assert len(cases) == 12
    assert all("Bridge" in line and line.rstrip().endswith("01:59") for line in cases)


@pytest.mark.parametrize(("lines", "cases"), [(18, 6), (24, 12), (10, 3)])
def test_a_low_terminal_has_fewer_cases_and_is_not_overrun(kinds: dict[str, Kind], lines: int, cases: int) -> None:
    page = drawn(kinds, 130, lines)
    assert sum(line.startswith(CASE.number) for line in page) == cases
    assert len(page) <= max(lines, 15)
    assert not page[-1].strip(), "what is echoed after a full line would begin another"


def test_the_page_tells_the_citys_time_and_names_kinds_as_people_do(kinds: dict[str, Kind]) -> None:
    page = "\n".join(drawn(kinds, 80, 24))
    assert "2026-11-22 22:12:55" in page
    assert "Group " in page
