"""Commands about partitions: what is done before and after they are cut anew."""

from typing import Annotated

import typer

from cityward import wiring
from cityward.cli.context import CommandError, database, load_settings, out
from cityward.settings import Settings
from ingest.cuts import check_names
from ingest.session import Session
from storage import partition_sessions
from storage.locks import PARTITION, try_hold

partitions_app = typer.Typer(no_args_is_help=True)


@partitions_app.command("prepare")
def prepare() -> None:
    """Have the broker keep what is sent to the partitions of the settings from now on, and end.

    Before partitions are cut anew: with the new settings, while collectors still run with the old ones. What both keep
    is stored and judged once. Partitions that somebody collects are left alone. One with other topics than before needs
    a name of its own: a session at the broker keeps the topics that it had.
    """
    settings = load_settings()
    clock = wiring.clock(settings)
    with database(settings) as connection:
        check_names(settings.partitions, partition_sessions.load_all(connection))
        for name in settings.partitions:
            if not try_hold(connection, PARTITION, name):
                out.print(f"{name}: is collected already", soft_wrap=True)
                continue
            topics = settings.partitions[name]
            partition_sessions.ask(connection, name, topics)
            with _session(settings, name, settings.filters(name)) as session:
                partition_sessions.granted(connection, name, clock.now(), resumed=session.resumed)
                out.print(f"{name}: the broker keeps what is sent to {', '.join(topics)}", soft_wrap=True)


@partitions_app.command("forget")
def forget(
    names: Annotated[list[str], typer.Argument(help="Partitions that are not in the settings any more.")],
) -> None:
    """Have the broker forget partitions that are no more, with what it keeps for them.

    Until then it keeps for them whatever is sent, for ever: nobody will fetch it.
    """
    settings = load_settings()
    with database(settings) as connection:
        for name in names:
            if name in settings.partitions:
                raise CommandError(f"{name} is in the settings: what the broker keeps for it would be lost")
            if not try_hold(connection, PARTITION, name):
                raise CommandError(f"{name} is collected still: stop its collector first")
            with _session(settings, name, [], keep=False):
                partition_sessions.forget(connection, name)
                out.print(f"{name}: the broker keeps nothing for it any more", soft_wrap=True)


def _session(settings: Settings, name: str, filters: list[str], *, keep: bool = True) -> Session:
    return Session(
        settings.broker,
        name,
        filters,
        clock=wiring.clock(settings),
        stopping=lambda: True,
        protocol=settings.protocol,
        tls=wiring.broker_tls(settings),
        keep=keep,
    )
