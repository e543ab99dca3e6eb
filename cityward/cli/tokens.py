"""Commands about tokens of machines, and the record of what people and machines have changed."""

import getpass
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from cityward import wiring
from cityward.cli.context import CommandError, database, load_settings, moment_of, out, table
from cityward.showing import many
from console.access import Role
from storage import console_tokens, console_trail
from storage.connection import Connection
from storage.console_trail import Doer
from storage.registry_store import load_city

tokens_app = typer.Typer(no_args_is_help=True)
_Name = Annotated[str, typer.Argument(help="Lower case letters, digits, . _ -", show_default=False)]


@tokens_app.command("add")
def add(
    name: _Name,
    role: Annotated[Role, typer.Option(help="What it may do: cityward users roles.", show_default=False)],
    unit: Annotated[str, typer.Option(help="The unit of a crew.")] = "",
    days: Annotated[int, typer.Option(min=1, max=3660, help="For how many days it is good.")] = 365,
) -> None:
    """A token for a machine. It is shown once and kept nowhere: hand it over as you would a password."""
    settings = load_settings()
    now = wiring.clock(settings).now()
    with database(settings) as connection:
        check_unit_of(connection, role, unit)
        if not console_tokens.NAME.fullmatch(name):
            raise CommandError(f"{name!r}: write lower case letters, digits, . _ -, beginning with a letter or digit")
        with connection.transaction():
            text = console_tokens.add(
                connection, name, role=role, unit=unit, expires_at=now + timedelta(days=days), at=now
            )
            if text is None:
                raise CommandError(f"there is a token {name} already: cityward users token revoke {name} ends it")
            write_down(connection, "token.add", name, {"role": role, "unit": unit, "days": days}, now)
    out.print(text, soft_wrap=True)


@tokens_app.command("list")
def list_command() -> None:
    """All tokens: what they may do, until when, when they were last used."""
    settings = load_settings()
    now = wiring.clock(settings).now()
    with database(settings) as connection:
        tokens = console_tokens.everything(connection)
        zone = load_city(connection).calendar.timezone
    rows = [
        (
            token.name,
            token.role,
            token.unit or "all",
            f"{token.expires_at.astimezone(zone):%Y-%m-%d}",
            "revoked" if token.revoked_at else "expired" if token.expires_at <= now else "yes",
            f"{token.last_used_at.astimezone(zone):%Y-%m-%d %H:%M}" if token.last_used_at else "never",
        )
        for token in tokens
    ]
    out.print(table(many(len(rows), "token"), ["token", "role", "unit", "until", "good", "last used"], rows))


@tokens_app.command("revoke")
def revoke(name: _Name) -> None:
    """End a token at once."""
    settings = load_settings()
    now = wiring.clock(settings).now()
    with database(settings) as connection, connection.transaction():
        if not console_tokens.revoke(connection, name, now):
            raise CommandError(f"there is no token {name} that is good; cityward users token list shows all")
        write_down(connection, "token.revoke", name, {}, now)
    out.print(f"{name} is revoked.")


def audit(
    since: Annotated[str, typer.Option(help="From when: 2h, 30d, 2026-11-20 or '2026-11-20 14:30'.")] = "24h",
    user: Annotated[str, typer.Option(help="Only by this user; token:NAME for a machine.")] = "",
    target: Annotated[str, typer.Option("--about", help="Only about this: a case's number, a user's name.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many lines, the latest.")] = 100,
    json_lines: Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")] = False,
) -> None:
    """Who changed what and from where: at the console, by the API, users and tokens at this prompt."""
    settings = load_settings()
    with database(settings) as connection:
        zone = load_city(connection).calendar.timezone
        start = moment_of("--since", since, wiring.clock(settings).now(), zone)
        lines = console_trail.read(connection, since=start, username=user or None, target=target or None, limit=limit)
    if json_lines:
        for line in lines:
            print(console_trail.as_json(line))  # noqa: T201 - another program reads it
        return
    rows = [
        (f"{line.at.astimezone(zone):%Y-%m-%d %H:%M:%S}", line.username or line.name, line.role, line.address,
         line.action, line.target, ", ".join(f"{name}: {said}" for name, said in line.detail.items() if said))
        for line in lines
    ]  # fmt: skip
    out.print(table(f"{len(rows)} changes", ["when", "who", "as", "from", "did", "to", "saying"], rows))


def check_unit(connection: Connection, unit: str) -> None:
    """Say what units there are, where this is none."""
    units = load_city(connection).units
    if unit not in units:
        raise CommandError(f"{unit!r} is not in the city file; there are {', '.join(sorted(units))}")


def check_unit_of(connection: Connection, role: Role, unit: str) -> None:
    """A crew has a unit that there is, and nobody else has one."""
    if (role is Role.CREW) != bool(unit):
        raise CommandError("--unit belongs to a crew, and a crew needs it")
    if unit:
        check_unit(connection, unit)


def write_down(connection: Connection, action: str, target: str, detail: Mapping[str, Any], at: datetime) -> None:
    """Put what was typed here on record."""
    doer = Doer(getpass.getuser(), getpass.getuser(), "", "", "command line")
    console_trail.write(connection, doer, action, target, detail, at=at)
