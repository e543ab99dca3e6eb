"""Commands about work permits: who may work where, until when."""

import getpass
from datetime import timedelta
from typing import Annotated

import typer

from cityward import wiring
from cityward.cli.context import CommandError, database, head, heads, load_settings, out, table
from cityward.moments import parse_moment
from cityward.showing import many
from rules.durations import parse_duration
from storage import permit_store
from storage.permit_store import MAINTENANCE, Permit
from storage.registry_store import load_city

permits_app = typer.Typer(no_args_is_help=True)

_Actor = Annotated[str, typer.Option("--by", help="Who does it; without it the user of this computer.")]


@permits_app.command("grant")
def grant(
    target: Annotated[
        str,
        typer.Argument(
            help="A device id, or a field and its value: 'road:Jiefang Road', grid:..., circuit:..., district:east.",
            show_default=False,
        ),
    ],
    span: Annotated[str, typer.Option("--for", help="For how long: 4h, 2d.", show_default=False)],
    holder: Annotated[str, typer.Option(help="Who works there.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why.", show_default=False)],
    start: Annotated[str, typer.Option("--from", help="From when: '2026-11-20 22:00'; without it from now.")] = "",
    kind: Annotated[
        str, typer.Option(help="maintenance takes out of service; rules may ask for others, such as night_work.")
    ] = MAINTENANCE,
    by: _Actor = "",
) -> None:
    """Permit work: alarms of what is out of service are recorded, but open no case and tell nobody.

    Whatever is still active when the permit ends is a new alarm.
    """
    settings = load_settings()
    now = wiring.clock(settings).now()
    with database(settings) as connection:
        zone = load_city(connection).calendar.timezone
        try:
            since = parse_moment(start, now, zone) if start else now
            long = timedelta(microseconds=parse_duration(span))
        except ValueError as error:
            raise CommandError(f"--from or --for: {error}") from error
        permit = Permit(kind=kind, target=target, valid_from=since, valid_to=since + long, holder=holder, reason=reason)
        number, devices = permit_store.grant(connection, permit, at=now, actor=by or getpass.getuser())
    until = permit.valid_to.astimezone(zone)
    out.print(f"Permit {number}: {kind} for {many(devices, 'device')} until {until:%Y-%m-%d %H:%M}.")


@permits_app.command("revoke")
def revoke(
    number: Annotated[int, typer.Argument(help="The permit's number.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why.", show_default=False)],
    by: _Actor = "",
) -> None:
    """End a permit before its time; what is still active comes up."""
    settings = load_settings()
    with database(settings) as connection:
        now = wiring.clock(settings).now()
        permit_store.revoke(connection, number, at=now, actor=by or getpass.getuser(), reason=reason)
    out.print(f"Permit {number} revoked.")


@permits_app.command("list")
def list_command(
    everything: Annotated[bool, typer.Option("--all", help="Those that are over too.")] = False,
) -> None:
    """Permits in force and to come, those that end first in front."""
    settings = load_settings()
    now = wiring.clock(settings).now()
    with database(settings) as connection:
        zone = load_city(connection).calendar.timezone
        found = permit_store.list_permits(connection, now, everything=everything)
    rows = [
        (permit.id, head(settings.language, permit.state_at(now)), permit.kind, permit.target, permit.devices,
         f"{permit.valid_from.astimezone(zone):%Y-%m-%d %H:%M}", f"{permit.valid_to.astimezone(zone):%Y-%m-%d %H:%M}",
         permit.holder, permit.reason, permit.alarms, permit.revoke_reason or "")
        for permit in found
    ]  # fmt: skip
    language = settings.language
    keys = (
        "permit", "state", "kind", "for", "devices", "from", "to", "who", "why", "alarms_hushed", "revoked_because",
    )  # fmt: skip
    least = heads(language, "alarms_hushed", "devices", "revoked_because")
    title = head(language, "permits", count=len(rows))
    out.print(table(title, heads(language, *keys), rows, least=least, language=language))
