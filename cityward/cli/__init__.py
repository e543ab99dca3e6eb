"""The command line: what operators need at a prompt. Every command teaches itself by ``--help``."""

import sys

import typer
from rich.markup import escape

from cityward.cli import (
    adopting,
    alarms,
    backtest,
    bench,
    cases,
    city,
    completeness,
    console,
    device_status,
    evaluate,
    explain,
    grafana,
    identity,
    notifications,
    permits,
    processes,
    quarantine,
    reports,
    rules,
    scorecard,
    simulating,
    status,
    storage,
    supervision,
    tokens,
)
from cityward.cli.context import err
from devices.errors import CitywardError

app = typer.Typer(
    help="From a sensor reading over MQTT to a crew at the manhole. Start with: cityward demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("demo")(processes.demo)
app.command("up")(processes.up)
app.command("collect")(processes.collect)
app.command("dispatch")(processes.dispatch)
app.command("simulate")(simulating.simulate)
app.command("evaluate")(evaluate.evaluate)
app.command("migrate")(processes.migrate)
app.command("status")(status.status)
app.command("settings")(status.settings)
app.add_typer(city.city_app, name="city", help="The city file: districts, units, owners, hours, deadlines.")
app.add_typer(city.devices_app, name="devices", help="The registry of devices.")
app.add_typer(rules.rules_app, name="rules", help="Rule packs.")
rules.rules_app.command("backtest")(backtest.backtest)
city.devices_app.command("unregistered")(adopting.unregistered)
city.devices_app.command("adopt")(adopting.adopt)
city.devices_app.command("status")(device_status.status)
city.devices_app.command("acl")(identity.acl)
city.devices_app.command("rotate")(identity.rotate)
city.devices_app.command("completeness")(completeness.completeness_command)
city.devices_app.command("gaps")(completeness.gaps_command)
app.add_typer(quarantine.quarantine_app, name="quarantine", help="Messages that could not become readings.")
app.add_typer(alarms.alarms_app, name="alarms", help="Alarms: what is wrong, who has seen it, what is quiet and why.")
alarms.alarms_app.command("explain")(explain.explain)
alarms.alarms_app.command("scorecard")(scorecard.scorecard)
app.add_typer(permits.permits_app, name="permits", help="Work permits: what is out of service, until when.")
app.add_typer(cases.cases_app, name="cases", help="Cases: who must do what by when.")
app.add_typer(supervision.sheets_app, name="sheets", help="Supervision sheets: white, yellow, red.")
app.add_typer(reports.reports_app, name="reports", help="What is due on paper; closing a month.")
app.add_typer(notifications.notifications_app, name="notifications", help="Who was told what, and whether it arrived.")
app.add_typer(supervision.units_app, name="units", help="Who answers for facilities.")
app.add_typer(storage.storage_app, name="storage", help="Room that readings and roll-ups take.")
app.add_typer(grafana.grafana_app, name="grafana", help="The boards of the operations centre.")
app.command("console")(console.console)
app.add_typer(console.users_app, name="users", help="Who may use the console.")
console.users_app.add_typer(tokens.tokens_app, name="token", help="Tokens of machines, for the API.")
console.users_app.command("audit")(tokens.audit)
app.add_typer(bench.bench_app, name="bench", help="Proof by killing, and what it costs.")


def main() -> None:
    """Run a command; an error that a person can mend is one clear message and exit code 1, any other a traceback."""
    try:
        app()
    except CitywardError as error:
        err.print(f"[red]cityward:[/red] {escape(str(error))}", markup=True, soft_wrap=True)
        sys.exit(1)
