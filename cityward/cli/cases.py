"""Commands about cases: what a crew or a dispatcher does at a prompt."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from cases.case import Finding
from cases.clocks import Allowance
from cases.indicators import indicators
from cases.lifecycle import Refusal, State
from cases.photos import LARGEST, recognise
from cases.standing import By
from cityward import wiring
from cityward.cli.context import CommandError, database, load_settings, moment_of, out
from cityward.cli.showing_cases import case_rows, kpi_rows, show_file
from cityward.showing import many
from storage import photo_store
from storage.case_book import UnknownCaseError
from storage.case_list import CaseFilter, case_file, newest_cases, open_cases
from storage.case_moves import CaseMoves
from storage.case_reports import Source, Told
from storage.outbox import deferring_app
from storage.registry_store import load_city
from storage.report_book import count_cases

cases_app = typer.Typer(no_args_is_help=True)

_HERE = Path()
_Number = Annotated[str, typer.Argument(help="The case's number, 19 digits.", show_default=False)]
_Actor = Annotated[str, typer.Option("--by", help="Who does it; without it the user of this computer.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why; it stays on record.")]
_Note = Annotated[str, typer.Option("--note", help="A word for the record.")]
_Found = Annotated[Finding, typer.Option(help="What was there; dispatch precision is counted from it.")]
_HELP = {
    Refusal.NO_REASON: "say why with --reason",
    Refusal.NO_PHOTO: "the case has no photo; add one with cityward cases photo, or name one with --photo",
    Refusal.ALARM_ACTIVE: "an alarm of this case is still active: telemetry does not show the repair",
    Refusal.TELEMETRY_DECIDES: "telemetry is still being asked; a person decides once the case is not verifiable",
    Refusal.ARBITRATED: "the arbiter has decided: this unit keeps the case",
    Refusal.NOT_LISTED: "clocks stop only for reasons that the city lists",
    Refusal.UNKNOWN_UNIT: "there is no such unit; cityward units list shows them",
    Refusal.DELAY_PENDING: "more time has been asked for already; cityward cases grant or refuse decides",
    Refusal.NO_DELAY_PENDING: "nobody has asked for more time",
    Refusal.OWN_PARENT: "a case cannot be merged into itself",
    Refusal.PARENT_OVER: "a case that is over, or carried by another, cannot carry others",
}


@cases_app.command("list")
def list_command(
    unit: Annotated[str, typer.Option(help="Only cases that this unit answers for, alone or jointly.")] = "",
    district: Annotated[str, typer.Option(help="Only cases in this district.")] = "",
    state: Annotated[State | None, typer.Option(help="Only cases in this state.", show_default=False)] = None,
    problem: Annotated[str, typer.Option(help="Only cases of this problem, such as cover_open.")] = "",
    severity: Annotated[int | None, typer.Option(min=1, max=4, help="At least: 1 notice to 4 critical.")] = None,
    colour: Annotated[int | None, typer.Option(min=1, max=3, help="At least: 1 white, 2 yellow, 3 red.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Closed and cancelled ones too, the newest first.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """Open cases, the nearest deadline first."""
    settings = load_settings()
    which = CaseFilter(
        unit=unit or None,
        district=district or None,
        state=state,
        problem=problem or None,
        severity=severity,
        colour=colour,
    )
    with database(settings) as connection:
        find = newest_cases if everything else open_cases
        found = find(connection, which, limit=limit)
    out.print(case_rows(found, wiring.clock(settings).now(), settings.language))


@cases_app.command("show")
def show(number: _Number) -> None:
    """One case: its unit and clocks, its alarms, sheets and messages, the cases it carries, its whole history."""
    settings = load_settings()
    with database(settings) as connection:
        file = case_file(connection, number)
        if file is None:
            raise UnknownCaseError(number)
        city = load_city(connection)
    for each in show_file(file, city, wiring.clock(settings).now(), settings.language):
        out.print(each)


@cases_app.command("report")
def report(
    facility: Annotated[str, typer.Argument(help="The facility's device id.", show_default=False)],
    problem: Annotated[str, typer.Option(help="What is wrong, such as cover_open.", show_default=False)],
    text: Annotated[str, typer.Option(help="What was said, and by whom.", show_default=False)],
    severity: Annotated[int, typer.Option(min=1, max=4, help="1 notice to 4 critical.")] = 2,
    source: Annotated[Source, typer.Option(help="Who reported it.")] = Source.HOTLINE,
    file: Annotated[bool, typer.Option("--file", help="File it at once, as a supervisor may.")] = False,
    by: _Actor = "",
) -> None:
    """What a citizen, a patrol or the hotline reports; joins the open case of the facility, if there is one."""
    with moves_by(by) as moves:
        number = moves.report(facility, problem, text, severity, Told(source=source))
        if file:
            moves.file(number)
    out.print(f"{number}: {'filed' if file else 'reported; cityward cases file files it'}.")


@cases_app.command("file")
def file_command(number: _Number, note: _Note = "", by: _Actor = "") -> None:
    """The centre takes a report for true: its unit is told and its clocks start."""
    with moves_by(by) as moves:
        moves.file(number, note)
    out.print(f"{number}: filed and dispatched.")


@cases_app.command("accept")
def accept(number: _Number, note: _Note = "", by: _Actor = "") -> None:
    """The unit takes the case on; its alarms are acknowledged."""
    with moves_by(by) as moves:
        moves.accept(number, note)
    out.print(f"{number}: accepted.")


@cases_app.command("arrive")
def arrive(number: _Number, note: _Note = "", by: _Actor = "") -> None:
    """The crew is on site."""
    with moves_by(by) as moves:
        moves.arrive(number, note)
    out.print(f"{number}: on site.")


@cases_app.command("safe")
def safe(number: _Number, note: _Note = "", by: _Actor = "") -> None:
    """Nobody can come to harm any more, such as by a barrier; the repair is still to come."""
    with moves_by(by) as moves:
        moves.make_safe(number, note)
    out.print(f"{number}: made safe.")


@cases_app.command("done")
def done(
    number: _Number,
    result: Annotated[str, typer.Option(help="What was found and done.", show_default=False)],
    found: _Found = Finding.FOUND,
    by: _Actor = "",
) -> None:
    """The crew reports the work done; telemetry then closes the case, or sends it back."""
    with moves_by(by) as moves:
        moves.done(number, result, found)
    out.print(f"{number}: being checked by telemetry.")


@cases_app.command("return")
def return_command(number: _Number, reason: _Reason = "", by: _Actor = "") -> None:
    """The unit says that the case is not its own; the clock runs on, the second time the arbiter decides."""
    with moves_by(by) as moves:
        refuse_with_help(number, moves.give_back(number, reason))
    out.print(f"{number}: returned.")


@cases_app.command("assign")
def assign(
    number: _Number,
    unit: Annotated[str, typer.Argument(help="The unit that gets it.", show_default=False)],
    reason: _Reason = "",
    jointly: Annotated[list[str] | None, typer.Option("--with", help="A unit that answers for it beside.")] = None,
    by: _Actor = "",
) -> None:
    """Give the case to a unit, as lead where others answer for it jointly."""
    with moves_by(by) as moves:
        refuse_with_help(number, moves.assign(number, unit, reason, jointly or ()))
    out.print(f"{number}: assigned to {unit}.")


@cases_app.command("suspend")
def suspend(
    number: _Number,
    pause: Annotated[str, typer.Option("--for", help="A reason that the city lists, such as weather.")],
    note: _Note = "",
    by: _Actor = "",
) -> None:
    """Stop the clocks of a case; only for a reason that the city lists."""
    settings = load_settings()
    with moves_by(by) as moves:
        refusal = moves.suspend(number, pause, note)
        if refusal is Refusal.NOT_LISTED:
            listed = "; ".join(
                f"{key} ({each.names[settings.language]})" for key, each in moves.city.policy.pauses.items()
            )
            raise CommandError(f"{number}: {_HELP[refusal]}: {listed}")
        refuse_with_help(number, refusal)
    out.print(f"{number}: suspended.")


@cases_app.command("resume")
def resume(number: _Number, note: _Note = "", by: _Actor = "") -> None:
    """Let the clocks go on with what was left on them."""
    with moves_by(by) as moves:
        moves.resume(number, note)
    out.print(f"{number}: resumed.")


@cases_app.command("delay")
def delay(
    number: _Number,
    more: Annotated[str, typer.Option("--more", help="How much more time: 24h natural, 2d work.")],
    reason: _Reason = "",
    by: _Actor = "",
) -> None:
    """Ask for more time; work and clock go on until it is granted."""
    with moves_by(by) as moves:
        refuse_with_help(number, moves.request_delay(number, _allowance(more), reason))
    out.print(f"{number}: more time asked for.")


@cases_app.command("grant")
def grant(number: _Number, note: _Note = "", by: _Actor = "") -> None:
    """Give the time that was asked for."""
    with moves_by(by) as moves:
        refuse_with_help(number, moves.grant_delay(number, note))
    out.print(f"{number}: more time granted.")


@cases_app.command("refuse")
def refuse(number: _Number, reason: _Reason = "", by: _Actor = "") -> None:
    """Say no to more time, and why."""
    with moves_by(by) as moves:
        refuse_with_help(number, moves.refuse_delay(number, reason))
    out.print(f"{number}: more time refused.")


@cases_app.command("verify")
def verify(
    number: _Number,
    photo: Annotated[str, typer.Option(help="Where the photo is kept, if it is not the case's last.")] = "",
    reject: Annotated[bool, typer.Option("--reject", help="Send the work back instead.")] = False,
    reason: _Reason = "",
    by: _Actor = "",
) -> None:
    """A supervisor decides where telemetry was silent: by a photo, or back to the unit with --reject."""
    with moves_by(by) as moves:
        refuse_with_help(number, moves.reject(number, reason) if reject else moves.confirm(number, photo, reason))
    out.print(f"{number}: {'sent back' if reject else 'closed'}.")


@cases_app.command("photo")
def photo(
    number: _Number,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JPEG, PNG or WebP.", show_default=False)],
    by: _Actor = "",
) -> None:
    """Add a photo to a case, as evidence; crews add theirs on the phone."""
    found = recognise(file.read_bytes()) if file.stat().st_size <= LARGEST else None
    if found is None:
        raise CommandError(f"{file} is no whole JPEG, PNG or WebP of at most {LARGEST // 1024**2} MB")
    settings = load_settings()
    with moves_by(by) as moves:
        moves.add_photo(number, found, wiring.clock(settings).now())
    out.print(f"{number}: photo {found.hash.hex()[:12]} added.")


@cases_app.command("photos")
def photos(
    number: _Number,
    into: Annotated[
        Path, typer.Option("--out", help="An existing folder to write them into.", file_okay=False)
    ] = _HERE,
) -> None:
    """Write the photos of a case into files, named by when they were taken."""
    with database(load_settings()) as connection:
        found = photo_store.of_case(connection, number)
        zone = load_city(connection).calendar.timezone
        for each in found:
            kept = photo_store.read(connection, number, each.hash)
            assert kept is not None  # noqa: S101 - listed just now, and photos stay
            ending = each.media_type.removeprefix("image/")
            path = into / f"{number}-{each.taken_at.astimezone(zone):%Y%m%d-%H%M%S}-{each.hash[:12]}.{ending}"
            path.write_bytes(kept.content)
            out.print(f"{path}  by {each.added_by}", soft_wrap=True)
    if not found:
        out.print(f"{number} has no photos.")


@cases_app.command("merge")
def merge(
    parent: Annotated[str, typer.Argument(help="The case that carries the others.", show_default=False)],
    members: Annotated[list[str], typer.Argument(help="The cases that it takes in.", show_default=False)],
    reason: _Reason = "",
    by: _Actor = "",
) -> None:
    """Let one case carry others: they end with it, or go their own way where their alarms go on."""
    with moves_by(by) as moves:
        taken = moves.merge(parent, members, reason)
    if isinstance(taken, Refusal):
        refuse_with_help(parent, taken)
    out.print(f"{parent}: {taken} of {many(len(members), 'case')} taken in; those with a crew on site stay their own.")


@cases_app.command("split")
def split(number: _Number, reason: _Reason = "", by: _Actor = "") -> None:
    """Let a carried case go its own way."""
    with moves_by(by) as moves:
        refuse_with_help(number, moves.split(number, reason))
    out.print(f"{number}: on its own.")


@cases_app.command("cancel")
def cancel(number: _Number, reason: _Reason = "", found: _Found = Finding.NOT_FOUND, by: _Actor = "") -> None:
    """Cancel a case that should not be, such as a false alarm."""
    with moves_by(by) as moves:
        refuse_with_help(number, moves.cancel(number, reason, found))
    out.print(f"{number}: cancelled.")


@cases_app.command("campaign")
def campaign(
    name: Annotated[str, typer.Argument(help="The campaign's name.", show_default=False)],
    numbers: Annotated[list[str], typer.Argument(help="The cases, by number.", show_default=False)],
    due: Annotated[str, typer.Option(help="The local date by whose end of office all are due, such as 2026-11-30.")],
    by: _Actor = "",
) -> None:
    """Put many cases under one due date."""
    with moves_by(by) as moves:
        count = moves.campaign(name, _date(due), numbers)
    out.print(f"{name}: {many(count, 'case')}, due {due}.")


@cases_app.command("kpi")
def kpi(
    by: Annotated[By, typer.Option(help="For what they are computed.")] = By.UNIT,
    since: Annotated[str, typer.Option(help="Cases due from here on: 90d, 2026-11-01.")] = "31d",
    until: Annotated[str, typer.Option(help="And before this; without it all that are due by now.")] = "",
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line, shares from 0 to 1.")] = False,
) -> None:
    """On-time, closure, rework and delay rates as bureaus compute them; precision: trips that found the trouble."""
    settings = load_settings()
    now = wiring.clock(settings).now()
    with database(settings) as connection:
        zone = load_city(connection).calendar.timezone
        begin = moment_of("--since", since, now, zone)
        end = moment_of("--until", until, now, zone) if until else now
        found = count_cases(connection, by, since=begin, until=end, zone=zone, at=now)
    if json:
        for row in found:
            figures = {by.value: row.name.key, **asdict(row.counts), **asdict(indicators(row.counts))}
            out.print(msgspec.json.encode(figures).decode(), soft_wrap=True)
        return
    out.print(kpi_rows(by, found, settings.language))


@contextmanager
def moves_by(actor: str) -> Iterator[CaseMoves]:
    """The moves of a person, now; of this computer's user where nobody is named."""
    settings = load_settings()
    installed = wiring.kinds(settings)
    with database(settings) as connection:
        practice = wiring.practice(load_city(connection), wiring.rules(settings, installed), installed)
        at = wiring.clock(settings).now()
        yield CaseMoves(connection, deferring_app(), practice, at=at, actor=actor or getpass.getuser())


def refuse_with_help(number: str, refusal: Refusal | None) -> None:
    """End the command where a guard said no, with what would help."""
    if refusal is not None:
        raise CommandError(f"{number}: {_HELP[refusal]}")


def _allowance(text: str) -> Allowance:
    try:
        return Allowance.parse(text)
    except ValueError as error:
        raise CommandError(f"--more: {error}") from error


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"--due: {text!r} is no date; write for example 2026-11-30") from error
