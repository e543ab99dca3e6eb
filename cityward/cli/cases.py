"""Commands about cases: what a crew or a dispatcher does at a prompt."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer

from cases.lifecycle import Refusal
from cases.words import Language, Section, say
from cityward import wiring
from cityward.cli.context import CommandError, database, load_settings, out, table
from cityward.countdown import countdown
from storage.case_book import UnknownCaseError
from storage.case_list import CaseMoves, CaseRow, case_file, list_cases
from storage.outbox import deferring_app
from storage.registry_store import load_city

cases_app = typer.Typer(no_args_is_help=True)

_Number = Annotated[str, typer.Argument(help="The case's number, 19 digits.", show_default=False)]
_Actor = Annotated[str, typer.Option("--by", help="Who does it; without it the user of this computer.")]
_REFUSALS = {
    Refusal.NOT_VERIFYING: "work has not been reported yet: cityward cases done comes first",
    Refusal.ALARM_ACTIVE: "an alarm of this case is still active: telemetry does not show the repair",
    Refusal.NO_REASON: "say why with --reason",
}


@cases_app.command("list")
def list_command(
    unit: Annotated[str, typer.Option(help="Only cases of this unit.")] = "",
    district: Annotated[str, typer.Option(help="Only cases in this district.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Closed and cancelled ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """Open cases, the nearest deadline first."""
    settings = load_settings()
    with database(settings) as connection:
        found = list_cases(
            connection,
            is_open=None if everything else True,
            unit=unit or None,
            district=district or None,
            limit=limit,
        )
    now = wiring.clock(settings).now()
    headings = ["case", "severity", "problem", "facility", "road", "unit", "state", "left"]
    out.print(table(f"{len(found)} cases", headings, (_row(case, now, settings.language) for case in found)))


@cases_app.command("show")
def show(number: _Number) -> None:
    """One case: its unit and deadlines, its alarms, who was told, and its whole history."""
    settings = load_settings()
    with database(settings) as connection:
        file = case_file(connection, number)
        if file is None:
            raise UnknownCaseError(number)
        city = load_city(connection)
    case, language, zone = file.case, settings.language, city.calendar.timezone

    def local(at: datetime | None) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}" if at else "-"

    name = case.name_zh if language is Language.ZH else case.name_en
    facts = [
        ("problem", say(Section.PROBLEMS, case.problem, language)),
        ("severity", say(Section.SEVERITIES, str(case.severity), language)),
        ("facility", f"{case.name} ({case.kind} {case.device_id}), {case.road}, {case.district}"),
        ("unit", f"{name} ({case.unit}), as {say(Section.REASONS, case.reason, language)}"),
        ("state", say(Section.STATES, case.state, language)),
        ("arrive by", local(case.arrive_by)),
        ("fix by", f"{local(case.fix_by)}  {countdown(case.fix_by, wiring.clock(settings).now())}"),
    ]
    out.print(table(f"Case {case.number}", ["", ""], facts))
    alarms = [
        (alarm["rule_id"], say(Section.SEVERITIES, str(alarm["severity"]), language),
         "active" if alarm["active"] else "cleared", local(alarm["raised_at"]), local(alarm["cleared_at"]),
         alarm["occurrences"])
        for alarm in file.alarms
    ]  # fmt: skip
    out.print(table("Alarms", ["rule", "severity", "state", "raised", "cleared", "times"], alarms))
    told = [
        (each["channel"], each["target"], say(Section.EVENTS, each["event"], language), each["state"],
         each["attempts"], local(each["delivered_at"]), each["last_error"])
        for each in file.notifications
    ]  # fmt: skip
    out.print(table("Told", ["channel", "target", "of", "state", "attempts", "delivered", "error"], told))
    history = [
        (local(line["at"]), say(Section.EVENTS, line["event"], language),
         say(Section.STATES, line["state"], language), line["actor"],
         say(Section.REASONS, line["reason"], language))
        for line in file.history
    ]  # fmt: skip
    out.print(table("History", ["at", "event", "state", "by", "reason"], history))


@cases_app.command("accept")
def accept(number: _Number, by: _Actor = "") -> None:
    """The unit takes the case on; its alarms are acknowledged."""
    with _moves(by) as moves:
        moves.accept(number)
    out.print(f"{number}: accepted.")


@cases_app.command("arrive")
def arrive(number: _Number, by: _Actor = "") -> None:
    """The crew is on site."""
    with _moves(by) as moves:
        moves.arrive(number)
    out.print(f"{number}: on site.")


@cases_app.command("done")
def done(
    number: _Number,
    result: Annotated[str, typer.Option(help="What was found and done.", show_default=False)],
    by: _Actor = "",
) -> None:
    """The crew reports the work done; telemetry then closes the case, at once or when it shows the repair."""
    with _moves(by) as moves:
        closed = moves.done(number, result)
    out.print(f"{number}: {'closed, telemetry shows the repair' if closed else 'being checked by telemetry'}.")


@cases_app.command("close")
def close(number: _Number, by: _Actor = "") -> None:
    """Close a case whose work was reported and whose alarms have cleared."""
    with _moves(by) as moves:
        _refuse(number, moves.close(number))
    out.print(f"{number}: closed.")


@cases_app.command("cancel")
def cancel(
    number: _Number,
    reason: Annotated[str, typer.Option(help="Why it was a false alarm; it stays on record.")] = "",
    by: _Actor = "",
) -> None:
    """Cancel a false alarm."""
    with _moves(by) as moves:
        _refuse(number, moves.cancel(number, reason))
    out.print(f"{number}: cancelled.")


@contextmanager
def _moves(actor: str) -> Iterator[CaseMoves]:
    settings = load_settings()
    with database(settings) as connection:
        city = load_city(connection)
        at = wiring.clock(settings).now()
        yield CaseMoves(connection, deferring_app(), city, at=at, actor=actor or getpass.getuser())


def _refuse(number: str, refusal: Refusal | None) -> None:
    if refusal is not None:
        raise CommandError(f"{number}: {_REFUSALS[refusal]}")


def _row(case: CaseRow, now: datetime, language: Language) -> tuple[str, ...]:
    return (
        case.number,
        say(Section.SEVERITIES, str(case.severity), language),
        say(Section.PROBLEMS, case.problem, language),
        case.name,
        case.road,
        case.name_zh if language is Language.ZH else case.name_en,
        say(Section.STATES, case.state, language),
        countdown(case.fix_by, now) if case.open else "-",
    )
