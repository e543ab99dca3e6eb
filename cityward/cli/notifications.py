"""Commands about notifications: what is on its way, what did not arrive, and trying again."""

from typing import Annotated

import typer

from cases.words import Section, say
from cityward.cli.context import CommandError, database, head, heads, load_settings, out, table
from cityward.showing import many
from notify.lifecycle import State
from storage.notification_list import list_notifications, retry
from storage.outbox import deferring_app
from storage.registry_store import load_city

notifications_app = typer.Typer(no_args_is_help=True)


@notifications_app.command("list")
def list_command(
    state: Annotated[State | None, typer.Option(help="Only those in this state.", show_default=False)] = None,
    channel: Annotated[str, typer.Option(help="Only over this channel: mqtt, webhook, person.")] = "",
    target: Annotated[str, typer.Option(help="Only to this unit, URL or contact.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """What was told to whom, the newest first, and whether it arrived."""
    settings = load_settings()
    with database(settings) as connection:
        found = list_notifications(connection, state=state, channel=channel or None, target=target or None, limit=limit)
        zone = load_city(connection).calendar.timezone
    rows = [
        (each.id, each.channel, each.target, each.case_number, say(Section.EVENTS, each.event, settings.language),
         each.state, each.attempts, f"{each.created_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
         f"{each.delivered_at.astimezone(zone):%H:%M:%S}" if each.delivered_at else "-",
         each.carried_by if each.carried_by not in {None, each.id} else "-", each.last_error)
        for each in found
    ]  # fmt: skip
    language = settings.language
    keys = ("id", "channel", "target", "case", "of", "state", "tries", "written", "arrived", "went_with", "error")
    least = heads(language, "went_with", "tries", "written", "error")
    title = head(language, "notifications", count=len(rows))
    out.print(table(title, heads(language, *keys), rows, least=least, language=language))


@notifications_app.command("retry")
def retry_command(
    numbers: Annotated[list[int] | None, typer.Argument(help="Their ids.", show_default=False)] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that failed.")] = False,
) -> None:
    """Send what has failed for good once more, such as after a webhook's URL was mended."""
    if bool(numbers) == everything:
        raise CommandError("name the notifications by id, or all that failed with --all")
    settings = load_settings()
    with database(settings) as connection:
        count = retry(connection, deferring_app(), numbers or [])
    out.print(f"{many(count, 'notification')} to be sent again.")
