"""Commands about rules."""

from pathlib import Path
from typing import Annotated

import typer

from cityward import wiring
from cityward.cli.context import load_settings, out, table
from rules.packs import load_packs

rules_app = typer.Typer(no_args_is_help=True)


@rules_app.command("check")
def check(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of packs; without it those in force.", show_default=False)
    ] = None,
) -> None:
    """Read rule packs and say everything that is wrong with them, by file, line and rule."""
    settings = load_settings()
    kinds = wiring.kinds(settings)
    rules = load_packs(kinds, folder) if folder else wiring.rules(settings, kinds)
    wiring.case_plans(rules)
    out.print(f"{len(rules)} rules, nothing wrong.")


@rules_app.command("list")
def list_rules() -> None:
    """The rules in force."""
    settings = load_settings()
    rows = [
        (rule.id, rule.kind, rule.input, rule.names[settings.language], rule.severity.name.lower(),
         rule.case.problem, rule.case.arrive or "-", rule.case.fix, rule.version)
        for rule in wiring.rules(settings, wiring.kinds(settings))
    ]  # fmt: skip
    headings = ["rule", "kind", "input", "name", "severity", "problem", "arrive", "fix", "version"]
    out.print(table(f"{len(rows)} rules", headings, rows))
