"""The committed boards are those that the code makes, and each is complete in both languages."""

import json
from pathlib import Path
from typing import Any

import pytest

from cases.words import Language
from grafana.boards import BOARDS
from grafana.building import WIDTH, documents
from grafana.pushing import BOARDS_FOLDER
from grafana.queries import queries

MADE = dict(documents(BOARDS))


@pytest.mark.parametrize("path", sorted(MADE), ids=str)
def test_the_committed_board_is_the_one_that_the_code_makes(path: Path) -> None:
    assert (BOARDS_FOLDER / path).read_text(encoding="utf-8") == MADE[path], "stale: run python -m grafana"


def test_nothing_else_is_committed_beside_the_boards() -> None:
    assert {path.relative_to(BOARDS_FOLDER) for path in BOARDS_FOLDER.rglob("*.json")} == set(MADE)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_every_panel_of_a_board_has_a_query_and_every_query_a_panel(board: Any) -> None:
    names = [panel.name for panel in board.panels]
    assert len(names) == len(set(names))
    assert set(names) == set(queries(board.uid))


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_rows_of_panels_fill_the_width(board: Any) -> None:
    for row in board.rows:
        used = 0
        for panel in row.panels:
            used = panel.width if used + panel.width > WIDTH else used + panel.width
        assert used == WIDTH, f"{row.title.en}: the last line of panels leaves {WIDTH - used} columns empty"


@pytest.mark.parametrize("path", sorted(MADE), ids=str)
def test_panels_have_numbers_of_their_own_and_do_not_overlap(path: Path) -> None:
    panels = json.loads(MADE[path])["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at.get("x", 0) + dx, at.get("y", 0) + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_two_sets_differ_in_words_only() -> None:
    for path, text in MADE.items():
        other = MADE[Path(Language.ZH if path.parts[0] == Language.EN else Language.EN) / path.name]
        assert _queries(text) == _queries(other)


def _queries(text: str) -> list[str]:
    return [target["rawSql"] for panel in json.loads(text)["panels"] for target in panel.get("targets", ())]
