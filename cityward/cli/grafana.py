"""Commands that bring the boards to a Grafana that is there."""

from typing import Annotated

import typer
from rich.syntax import Syntax

from cases.words import Language
from cityward.cli.context import CommandError, load_settings, out
from grafana.pushing import SOURCE_UID, Fate, Grafana, Outcome, committed

grafana_app = typer.Typer(no_args_is_help=True)

_Url = Annotated[str, typer.Option(help="Grafana's address; without it the setting grafana_url.")]
_Languages = Annotated[list[Language], typer.Option("--language", help="Which set of boards; may be repeated.")]
_Folder = Annotated[str, typer.Option(help="uid of a folder that is there, instead of a folder of our own.")]
_Source = Annotated[str, typer.Option(help="uid of the PostgreSQL data source that the boards shall ask.")]
_BOTH = [Language.EN, Language.ZH]


@grafana_app.command("push")
def push(url: _Url = "", language: _Languages = _BOTH, folder: _Folder = "", source: _Source = SOURCE_UID) -> None:
    """Bring the boards to Grafana; again changes nothing.

    Boards that were changed in Grafana are overwritten: look with "cityward grafana diff" before. Needs Grafana 11 or
    newer, a service account's token with the role Editor (setting grafana_token), and a PostgreSQL data source.
    """
    with _grafana(url) as grafana:
        grafana.check(source)
        for each in language:
            place = grafana.folder(each, folder)
            for board, outcome in grafana.compared(committed(each, source)):
                if outcome.fate is not Fate.UNCHANGED:
                    grafana.save(board, place)
                out.print(_line(outcome))


@grafana_app.command("diff")
def diff(url: _Url = "", language: _Languages = _BOTH, source: _Source = SOURCE_UID) -> None:
    """Show what a push would change. Ends with 1 if anything would."""
    same = True
    with _grafana(url) as grafana:
        grafana.check(source)
        for each in language:
            for _, outcome in grafana.compared(committed(each, source)):
                same = same and outcome.fate is Fate.UNCHANGED
                out.print(_line(outcome))
                if outcome.lines:
                    out.print(Syntax("\n".join(outcome.lines), "diff", background_color="default"))
    raise typer.Exit(0 if same else 1)


def _grafana(url: str) -> Grafana:
    settings = load_settings()
    address = url or settings.grafana_url
    if not address:
        raise CommandError("which Grafana? Give --url, or the setting grafana_url (CITYWARD_GRAFANA_URL)")
    return Grafana(address, settings.grafana_token.get_secret_value())


def _line(outcome: Outcome) -> str:
    return f"{outcome.fate:<10} {outcome.uid:<28} {outcome.title}"
