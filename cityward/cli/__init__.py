"""The command line: what operators need at a prompt. Every command teaches itself by ``--help``.

A command is loaded when it is called by name: all of them together take twice as long to load as most of them to run.
"""

import atexit
import faulthandler
import gc
import importlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import typer
from rich.markup import escape
from typer.core import TyperGroup
from typer.main import get_group

from cityward.cli.context import STOPPED, err
from devices.errors import CitywardError, StoppedError


@dataclass(frozen=True, slots=True)
class Group:
    """Commands under one name: ``app`` has most of them, ``more`` stand in modules of their own.

    Places are ``module:name`` within this package, or ``package.module:name`` of what is built upon it.
    """

    help: str
    app: str
    more: Mapping[str, "str | Group"] = field(default_factory=dict)


COMMANDS: Mapping[str, str | Group] = {
    "demo": "trying:demo",
    "up": "trying:up",
    "collect": "processes:collect",
    "dispatch": "dispatching:dispatch",
    "simulate": "simulating:simulate",
    "evaluate": "evaluate:evaluate",
    "migrate": "processes:migrate",
    "status": "status:status",
    "settings": "status:settings",
    "console": "console:console",
    "city": Group("The city file: districts, units, owners, hours, deadlines.", "city:city_app"),
    "devices": Group(
        "The registry of devices.",
        "city:devices_app",
        {
            "unregistered": "adopting:unregistered",
            "adopt": "adopting:adopt",
            "status": "device_status:status",
            "acl": "identity:acl",
            "rotate": "identity:rotate",
            "completeness": "completeness:completeness_command",
            "gaps": "completeness:gaps_command",
        },
    ),
    "partitions": Group("How the city is cut in pieces for collectors.", "partitions:partitions_app"),
    "rules": Group("Rule packs.", "rules:rules_app", {"backtest": "backtest:backtest"}),
    "quarantine": Group("Messages that could not become readings.", "quarantine:quarantine_app"),
    "alarms": Group(
        "Alarms: what is wrong, who has seen it, what is quiet and why.",
        "alarms:alarms_app",
        {"explain": "explain:explain", "scorecard": "scorecard:scorecard"},
    ),
    "permits": Group("Work permits: what is out of service, until when.", "permits:permits_app"),
    "cases": Group("Cases: who must do what by when.", "cases:cases_app"),
    "sheets": Group("Supervision sheets: white, yellow, red.", "supervision:sheets_app"),
    "reports": Group("What is due on paper; closing a month.", "reports:reports_app"),
    "notifications": Group("Who was told what, and whether it arrived.", "notifications:notifications_app"),
    "units": Group("Who answers for facilities.", "supervision:units_app"),
    "storage": Group("Room that readings and roll-ups take.", "storage:storage_app"),
    "grafana": Group("The boards of the operations centre.", "grafana:grafana_app"),
    "users": Group(
        "Who may use the console.",
        "console:users_app",
        {"token": Group("Tokens of machines, for the API.", "tokens:tokens_app"), "audit": "tokens:audit"},
    ),
    "bench": Group("Proof by killing, and what it costs.", "benchmarks.commands:bench_app"),
}


def _at(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module if "." in module else f"{__name__}.{module}"), name)


def _enter(app: typer.Typer, name: str, entry: str | Group) -> None:
    """Load what stands under a name into an app."""
    if isinstance(entry, str):
        app.command(name)(_at(entry))
        return
    group = _at(entry.app)
    for inner, each in entry.more.items():
        _enter(group, inner, each)
    app.add_typer(group, name=name, help=entry.help)


@cache
def _loaded(name: str) -> Any:
    one = typer.Typer(callback=lambda: None)
    _enter(one, name, COMMANDS[name])
    return get_group(one).commands[name]


class _WhenCalled(Mapping[str, Any]):
    """Commands by name, each loaded when it is first asked for."""

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        return _loaded(name)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Table(TyperGroup):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: Any = _WhenCalled()

    def invoke(self, ctx: Any) -> Any:
        """Run a command; typer would end without a word after Ctrl-C."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            raise StoppedError("stopped by Ctrl-C") from interrupt


app = typer.Typer(
    cls=_Table,
    callback=lambda: None,
    help="From a sensor reading over MQTT to a crew at the manhole. Start with: cityward demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run a command; an error that a person can mend is one clear message and exit code 1, any other a traceback.

    What somebody stops before its end is a message too, and exit code 130.
    """
    if not faulthandler.is_enabled():
        faulthandler.enable()  # where a library crashes the process, its log says what every thread was doing
    atexit.register(gc.freeze)  # a process that ends takes half a second to look through what goes with it anyway
    try:
        app()
    except CitywardError as error:
        err.print(f"[red]cityward:[/red] {escape(str(error))}", markup=True, soft_wrap=True)
        sys.exit(STOPPED if isinstance(error, StoppedError) else 1)
