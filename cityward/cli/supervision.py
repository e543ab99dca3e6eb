"""Commands about supervision sheets and units."""

from typing import Annotated

import typer

from cases.words import Language
from cityward import wiring
from cityward.cli.cases import moves_by, refuse_with_help
from cityward.cli.context import database, head, heads, load_settings, out, table
from cityward.cli.showing_cases import sheet_rows
from storage.case_list import list_sheets, list_units
from storage.registry_store import load_city

sheets_app = typer.Typer(no_args_is_help=True)
units_app = typer.Typer(no_args_is_help=True)


@sheets_app.command("list")
def sheets(
    unit: Annotated[str, typer.Option(help="Only sheets to this unit.")] = "",
    colour: Annotated[int | None, typer.Option(min=1, max=3, help="1 white, 2 yellow, 3 red.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that were answered too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """Supervision sheets that wait for an answer, the longest first."""
    settings = load_settings()
    with database(settings) as connection:
        found = list_sheets(connection, unit=unit or None, colour=colour, everything=everything, limit=limit)
        zone = load_city(connection).calendar.timezone
    out.print(sheet_rows(found, zone, wiring.clock(settings).now(), settings.language))


@sheets_app.command("answer")
def answer(
    sheet: Annotated[str, typer.Argument(help="The sheet's number, such as Y2026-00012.", show_default=False)],
    text: Annotated[str, typer.Argument(help="What the unit says to it.", show_default=False)],
    by: Annotated[str, typer.Option("--by", help="Who answers; without it the user of this computer.")] = "",
) -> None:
    """Answer a supervision sheet; the answer stays on the case's record."""
    with moves_by(by) as moves:
        refuse_with_help(sheet, moves.answer_sheet(sheet, text))
    out.print(f"{sheet}: answered.")


@units_app.command("list")
def units() -> None:
    """Units with their open cases, those past their deadline, and sheets without an answer."""
    settings = load_settings()
    with database(settings) as connection:
        found = list_units(connection, wiring.clock(settings).now())
    rows = [
        (each.unit_id, each.name_zh if settings.language is Language.ZH else each.name_en, each.open, each.overdue,
         each.unanswered)
        for each in found
    ]  # fmt: skip
    headings = heads(settings.language, "unit", "name", "open_cases", "overdue", "unanswered_sheets")
    out.print(table(head(settings.language, "units", count=len(rows)), headings, rows))
