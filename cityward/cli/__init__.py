"""The command line: what operators need at a prompt. Every command teaches itself by ``--help``."""

import sys

import typer

from cases.errors import CaseError
from cityward.cli import cases, city, processes, rules, status
from cityward.cli.context import CommandError, err
from devices.errors import DescriptionError
from ingest.errors import BrokerRefusedError, RetryableError
from rules.packs import PackError
from storage.case_book import UnknownCaseError
from storage.errors import NotMigratedError
from storage.registry_store import NoCityError

app = typer.Typer(
    help="From a sensor reading over MQTT to a crew at the manhole. Start with: cityward demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("demo")(processes.demo)
app.command("collect")(processes.collect)
app.command("dispatch")(processes.dispatch)
app.command("simulate")(processes.simulate)
app.command("migrate")(processes.migrate)
app.command("status")(status.status)
app.command("settings")(status.settings)
app.add_typer(city.city_app, name="city", help="The city file: districts, units, owners, hours, deadlines.")
app.add_typer(city.devices_app, name="devices", help="The registry of devices.")
app.add_typer(rules.rules_app, name="rules", help="Rule packs.")
app.add_typer(cases.cases_app, name="cases", help="Cases: who must do what by when.")

# What a person can mend; anything else is a defect and shows its traceback.
_EXPLAINED = (
    CommandError,
    DescriptionError,
    PackError,
    CaseError,
    UnknownCaseError,
    NotMigratedError,
    NoCityError,
    RetryableError,
    BrokerRefusedError,
)


def main() -> None:
    """Run a command; an error that a person can mend is one clear message and exit code 1."""
    try:
        app()
    except _EXPLAINED as error:
        err.print(f"[red]cityward:[/red] {error}", markup=True, soft_wrap=True)
        sys.exit(1)
