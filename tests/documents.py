"""What README, docs and examples say: commands with their words, links, paths."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("docs", "devices", "examples")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in ROOT.glob(f"{folder}/**/*.md"))])
# Those that are read one after the other, in a city that runs.
TUTORIALS = [ROOT / "docs" / f"{name}.md" for name in ("tutorial-device", "tutorial-rule", "quarantine", "howto")]
COMMENT = re.compile(r"\s+#\s.*$")
_INLINE = re.compile(r"`((?:[A-Z_]+=\S+ )*cityward\s[^`]+)`")


@dataclass(frozen=True, slots=True)
class Said:
    """A command line in a page. ``whole`` where it stands in a block, to be typed as it is."""

    page: Path
    line: int
    text: str
    whole: bool

    @property
    def words(self) -> list[str]:
        """What follows the word ``cityward``, without what the shell takes."""
        text = re.split(r"\s(?:[|<>]|2>|&&)|\s&$", COMMENT.sub("", self.text))[0]
        text = re.sub(r"\$\([^)]*\)", "2026-11-22", text.replace("…", ""))
        words = shlex.split(text)
        return words[words.index("cityward") + 1 :]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}: {self.text}"


def blocks(page: Path) -> Iterator[tuple[int, str, list[str]]]:
    """First line, language and lines of each block of code, fenced or indented."""
    language, begins, fence = "", 0, False
    lines: list[str] = []
    before = ""  # an indented line after words is more of them
    for number, line in enumerate([*page.read_text(encoding="utf-8").splitlines(), ""], 1):
        if line.startswith("```"):
            if fence:
                yield begins, language, lines
            fence, language, begins, lines = not fence, line[3:].strip(), number + 1, []
        elif fence:
            lines.append(line)
        elif line.startswith("    ") and line.strip() and (lines or not before):
            begins = begins if lines else number
            lines.append(line[4:])
        elif lines:
            yield begins, "", lines
            lines = []
        before = line.strip()


def commands(page: Path) -> Iterator[Said]:
    """Every command line of ``cityward``: in blocks, and in backquotes within sentences."""
    for begins, language, lines in blocks(page):
        if language not in {"", "console", "sh", "text"}:
            continue
        typed_lines = language == "text" or any(line.startswith("$ ") for line in lines)
        for number, line in enumerate(lines, begins):
            if typed_lines and not line.startswith("$ "):
                continue
            text = line.removeprefix("$ ").strip()
            if re.match(r"([A-Z_]+=\S+ |docker.* |\S*/)*cityward ", text):
                yield Said(page, number, text, whole=True)
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if not line.startswith("    "):
            for text in _INLINE.findall(line):
                yield Said(page, number, text, whole=False)
