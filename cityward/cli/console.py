"""The console, and who may use it."""

from datetime import timedelta
from typing import Annotated

import typer

from cases.words import Language
from cityward import wiring
from cityward.cli.context import CommandError, UntilStdin, database, load_settings, out, stop_event, table
from cityward.cli.tokens import check_unit, check_unit_of, write_down
from cityward.showing import many
from console import passwords
from console.access import MAY, Role
from console.links import crew_page
from console.signing import Signing
from notify.linking import Place
from storage import console_store, crew_links

users_app = typer.Typer(no_args_is_help=True)
_Unit = Annotated[str, typer.Argument(help="The unit's id, as in the city file.", show_default=False)]
_Username = Annotated[str, typer.Argument(help="Lower case letters, digits, . _ -", show_default=False)]


def console(until_stdin_closes: UntilStdin = False) -> None:
    """Serve the dispatch desk, the crew pages and the API. Make somebody who may sign in: cityward users add NAME."""
    from cityward import console as serving  # noqa: PLC0415 - what answers requests loads longer than most commands run

    settings = load_settings()
    stop = stop_event(with_stdin=until_stdin_closes)
    with wiring.database_url(settings) as url:
        serving.serve(settings, url, wiring.clock(settings), stop)


@users_app.command("add")
def add(
    username: _Username,
    role: Annotated[Role, typer.Option(help="What they may do: cityward users roles.")],
    name: Annotated[str, typer.Option(help="Full name, as it shall stand in histories.")] = "",
    unit: Annotated[str, typer.Option(help="The unit of a crew.")] = "",
    language: Annotated[Language, typer.Option(help="Of their pages.")] = Language.ZH,
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for if left out.")
    ] = "",
) -> None:
    """Let somebody use the console; for a known name everything is changed, and open sessions end."""
    settings = load_settings()
    if len(password) < passwords.SHORTEST:
        raise CommandError(f"the password needs {passwords.SHORTEST} characters or more")
    with database(settings) as connection:
        check_unit_of(connection, role, unit)
        now = wiring.clock(settings).now()
        with connection.transaction():
            console_store.save(
                connection,
                username=username,
                full_name=name or username,
                role=role,
                unit=unit,
                language=language,
                password_hash=passwords.hashed(password),
                at=now,
            )
            write_down(connection, "user.save", username, {"role": role, "unit": unit, "name": name}, now)
    out.print(f"{username} may sign in as {role}.")


@users_app.command("list")
def list_command() -> None:
    """Everybody, with what they may do."""
    with database(load_settings()) as connection:
        users = console_store.everybody(connection)
    rows = (
        (user.username, user.full_name, user.role, user.unit or "all", "no" if user.disabled_at else "yes")
        for user in users
    )
    out.print(table(many(len(users), "user"), ["user", "name", "role", "unit", "may sign in"], rows))


@users_app.command("disable")
def disable(username: _Username) -> None:
    """Shut somebody out at once; what they did stays in the histories."""
    settings = load_settings()
    now = wiring.clock(settings).now()
    with database(settings) as connection, connection.transaction():
        if not console_store.disable(connection, username, now):
            raise CommandError(f"there is no {username} who may sign in; cityward users list shows all")
        write_down(connection, "user.disable", username, {}, now)
    out.print(f"{username} is shut out.")


@users_app.command("link")
def link(
    unit: _Unit,
    case: Annotated[str, typer.Option(help="The number of the case at which it opens.")] = "",
) -> None:
    """A link that opens a unit's page on a phone; whoever has it acts as the crew. Messages carry one by themselves."""
    settings = load_settings()
    if not settings.console_url:
        raise CommandError("set console_url, where people reach the console")
    now = wiring.clock(settings).now()
    with database(settings) as connection:
        check_unit(connection, unit)
        signing = Signing(console_store.signing_key(connection, now))
        generation = crew_links.generation(connection, unit)
    until = now + timedelta(days=settings.console_link_days)
    out.print(crew_page(settings.console_url, signing, Place(unit, case), generation, until), soft_wrap=True)


@users_app.command("revoke-links")
def revoke_links(unit: _Unit) -> None:
    """End all links of a unit at once, such as after a phone was lost; messages from now on carry new ones."""
    settings = load_settings()
    now = wiring.clock(settings).now()
    with database(settings) as connection, connection.transaction():
        check_unit(connection, unit)
        crew_links.revoke(connection, unit, now)
        write_down(connection, "links.revoke", unit, {}, now)
    out.print(f"{unit}: all links are over; cityward users link {unit} makes a new one.")


@users_app.command("roles")
def roles() -> None:
    """What each role may do."""
    out.print(table("Roles", ["role", "may"], ((role, ", ".join(sorted(MAY[role]))) for role in Role)))
