"""What README and docs name is there: commands with their options, links, files, libraries."""

import re
import tomllib
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from cityward.cli import app
from tests.documents import PAGES, ROOT, Said, commands

CITYWARD = get_command(app)
USAGE: type[Exception] = typer.BadParameter.mro()[1]  # of all that can be wrong with what is typed
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def resolve(words: list[str]) -> tuple[TyperCommand | TyperGroup, list[str]]:
    """The command that the words call, and what is left for it."""
    command, left = CITYWARD, list(words)
    while isinstance(command, TyperGroup) and left and not left[0].startswith("-"):
        if left[0] not in command.commands:
            raise LookupError(f"there is no {left[0]!r}; there are {', '.join(command.commands)}")
        command = command.commands[left.pop(0)]
    assert isinstance(command, TyperCommand | TyperGroup)
    return command, left


def misunderstood(said: Said) -> str:
    """What the command line would say against the words; nothing is run."""
    try:
        command, left = resolve(["100" if word in {"D", "N"} else word for word in said.words])
        if not isinstance(command, TyperGroup) and "--help" not in left:
            command.make_context(said.text, left)
    except LookupError as error:
        return str(error)
    except USAGE as error:
        # Files of the example's are not here; within a sentence a command may be named without all of its words.
        forgiven = "does not exist" in str(error) or (not said.whole and type(error).__name__ == "MissingParameter")
        return "" if forgiven else str(error)
    return ""


@each_page
def test_every_command_of_a_page_is_one_that_there_is(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "a password")
    wrong = {said: misunderstood(said) for said in commands(page)}
    assert [f"{said}: {problem}" for said, problem in wrong.items() if problem] == []


def anchors(page: Path) -> set[str]:
    """What a link into a page may name, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@each_page
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


@each_page
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    """Names such as `ingest/loop.py` within sentences; only those that begin with a folder of the project."""
    folders = "|".join(each.name for each in ROOT.iterdir() if each.is_dir() and not each.name.startswith("."))
    named = re.findall(rf"[`( ]((?:{folders})/[\w./-]*\w/?)`", page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_readme_gives_a_reason_for_every_library_that_is_needed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split(r"[>=\[]", each)[0] for each in project["dependencies"]}
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("## Built on")[1].split("\n## ")[0]
    named = {"psycopg" if name == "psycopg 3" else name.lower() for row in table.splitlines() if row.startswith("| ")
             for name in row.split(" | ")[1].split(", ")}  # fmt: skip
    assert needed - named == set()
