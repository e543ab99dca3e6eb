"""Views for people and dashboards: each stands in a .sql file beside this module, under ``-- name: …``.

The comment under the name is the view's own: what it is and whose definition it follows. Views may read those before
them. They are made after the tables of readings and their roll-ups, and made anew whenever one of them changes.
"""

import re
from pathlib import Path

from storage.rollups import View

FOLDER = Path(__file__).parent
AREAS = ("registry", "lighting", "noise", "fume", "bridge", "manhole", "data", "alarms", "cases", "boards")
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def load_views() -> list[View]:
    """All of them, in the order in which they can be made."""
    return [view for area in AREAS for view in _area(area)]


def _area(area: str) -> list[View]:
    parts = _NAME.split((FOLDER / f"{area}.sql").read_text(encoding="utf-8"))
    return [_view(name, text) for name, text in zip(parts[1::2], parts[2::2], strict=True)]


def _view(name: str, text: str) -> View:
    lines = text.strip().splitlines()
    end = next(position for position, line in enumerate(lines) if not line.startswith("--"))
    doc = " ".join(line.removeprefix("--").strip() for line in lines[:end])
    return View(name, "\n".join(lines[end:]), doc)
