"""Commands about the quarantine: messages that could not become readings."""

import getpass
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Annotated

import typer

from cityward import wiring
from cityward.cli.context import CommandError, database, err, load_settings, moment_of, out, table
from cityward.cli.progress import progress
from cityward.replaying import await_replay, nobody_there, what_became
from cityward.settings import Settings
from cityward.showing import many, payload_text, side_by_side
from devices.moments import moment
from devices.registry import Registry
from devices.rejection import Code
from devices.topics import parse
from ingest.decoding import Decoder
from ingest.messages import Quarantined
from ingest.replaying import decode_again
from storage import quarantine as store
from storage.connection import Connection
from storage.reading_writer import stored_at
from storage.registry_store import load_city, load_device

quarantine_app = typer.Typer(no_args_is_help=True)

_SHOWN = 4096  # bytes of a payload
_LARGEST = 2**63 - 1  # what the database counts to
_Ids = Annotated[
    list[int] | None,
    typer.Argument(metavar="ID", max=_LARGEST, help="Numbers of messages, as list shows them.", show_default=False),
]
_Code = Annotated[
    Code | None, typer.Option(metavar="CODE", help="Only what was refused for this, such as unregistered.")
]
_Topic = Annotated[str, typer.Option(help="Only topics like this; * stands for anything: 'city/east/*'.")]
By = Annotated[str, typer.Option("--by", help="Who asks; without it the user of this computer.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Ask and leave; the collector does it within seconds.")]


@quarantine_app.command("list")
def list_command(
    code: _Code = None,
    topic: _Topic = "",
    since: Annotated[str, typer.Option(help="Only what arrived since: 2h, 2026-11-20, '2026-11-20 14:30'.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Replayed and dropped ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """Messages in quarantine, the newest first."""
    settings = load_settings()
    with database(settings) as connection:
        zone = load_city(connection).calendar.timezone
        chosen = store.Selection(code=code, topic=topic or None, since=_moment(settings, "--since", since, zone))
        found = store.find(connection, chosen, resolved=everything, limit=limit)
        rows = store.load_rows(connection, list(found))
    headings = ["id", "received", "code", "topic", "tries", "now", "why"]
    cells = [
        (row.id, _local(row.received_at, zone), row.code, row.topic, row.attempts, _state(row), row.detail)
        for row in rows
    ]  # fmt: skip
    out.print(table(many(len(rows), "message"), headings, cells))


@quarantine_app.command("show")
def show(
    number: Annotated[
        int, typer.Argument(metavar="ID", max=_LARGEST, help="The message's number.", show_default=False)
    ],
    whole: Annotated[bool, typer.Option("--whole", help=f"All of a payload longer than {_SHOWN} bytes.")] = False,
) -> None:
    """One message: why it was refused, what became of it, what it holds; of a conflict also what is stored."""
    settings = load_settings()
    with database(settings) as connection:
        zone = load_city(connection).calendar.timezone
        message = store.load_message(connection, number)
        if message is None:
            raise CommandError(f"there is no message {number} in quarantine; cityward quarantine list shows them")
        (row,) = store.load_rows(connection, [number])
        out.print(table(f"Message {number}", ["", ""], _facts(row, zone)))
        shown = len(message.payload) if whole else _SHOWN
        out.print(f"\nPayload, {len(message.payload)} bytes:", markup=False)
        out.print(payload_text(message.payload, shown), markup=False, soft_wrap=True)
        if shown < len(message.payload):
            out.print("... the rest of it: --whole")
        if row.code == Code.CONFLICT:
            _show_conflict(connection, settings, message, zone)


@quarantine_app.command("replay")
def replay(
    ids: _Ids = None,
    code: _Code = None,
    topic: _Topic = "",
    everything: Annotated[bool, typer.Option("--all", help="All that are in quarantine.")] = False,
    by: By = "",
    no_wait: NoWait = False,
) -> None:
    """Try messages again, after what was wrong with them has been mended.

    The running collector does it between two batches: the readings are stored with their first time of arrival and
    flagged as replayed. Those newer than what their device has sent since are judged; all others are history.
    """
    if not (ids or code or topic or everything):
        raise CommandError("say which: ids, --code, --topic or --all")
    settings = load_settings()
    with database(settings) as connection:
        chosen = store.Selection(ids=ids or None, code=code, topic=topic or None)
        found = store.find(connection, chosen)
        _say_missing(connection, ids, found)
        routed = {number: settings.partition_of(topic) for number, topic in found.items()}
        unheard = [number for number, partition in routed.items() if partition is None]
        if unheard:
            out.print(
                f"{many(len(unheard), 'message')} not tried: no partition of the settings hears that topic any more."
            )
        partitions = {number: partition for number, partition in routed.items() if partition is not None}
        asked = store.request_replay(connection, partitions, wiring.clock(settings).now(), by or getpass.getuser())
        report(connection, asked, wait=not no_wait)


@quarantine_app.command("drop")
def drop(
    reason: Annotated[str, typer.Option(help="Why; it stays on record.", show_default=False)],
    ids: _Ids = None,
    code: _Code = None,
    topic: _Topic = "",
    before: Annotated[str, typer.Option(help="Only what arrived before: 30d, 2026-11-20.")] = "",
    by: By = "",
) -> None:
    """Give messages up. Their rows stay, with who, when and why, and in the ledger they stay quarantined."""
    if not (ids or code or topic or before):
        raise CommandError("say which: ids, --code, --topic or --before")
    if not reason.strip():
        raise CommandError("--reason: say why these messages are given up")
    settings = load_settings()
    with database(settings) as connection:
        zone = load_city(connection).calendar.timezone
        until = _moment(settings, "--before", before, zone)
        chosen = store.Selection(ids=ids or None, code=code, topic=topic or None, before=until)
        found = store.find(connection, chosen)
        _say_missing(connection, ids, found)
        at, who = wiring.clock(settings).now(), by or getpass.getuser()
        dropped = store.drop(connection, list(found), reason.strip(), at, who)
    out.print(f"{many(len(dropped), 'message')} dropped; cityward quarantine list --all still shows them.")


def report(connection: Connection, asked: Sequence[int], *, wait: bool) -> None:
    """Wait for messages that are to be tried again, if wanted, and say what became of them.

    Raises:
        CommandError: if no collector is there.
    """
    if not asked:
        out.print("Nothing to replay.")
        return
    if not wait:
        out.print(f"{many(len(asked), 'message')} will be tried again; cityward quarantine list shows what stays.")
        return
    with progress() as say:

        def show(now: store.Progress) -> None:
            tried = len(asked) - sum(now.waiting.values())
            say("trying again", tried / len(asked), f"{tried} of {many(len(asked), 'message')}")

        try:
            done = await_replay(connection, asked, show)
        except KeyboardInterrupt:
            err.print("What was asked for will be tried again; cityward quarantine list shows what stays.")
            raise
    if said := what_became(done):
        out.print(said, markup=False)
    if done.waiting:
        raise CommandError(nobody_there(done))


def _say_missing(connection: Connection, ids: Sequence[int] | None, found: dict[int, str]) -> None:
    """Of messages asked for by number, say which are not in quarantine, and why."""
    missing = [number for number in ids or () if number not in found]
    rows = {row.id: row for row in store.load_rows(connection, missing)}
    for number in missing:
        row = rows.get(number)
        if row is None:
            raise CommandError(f"there is no message {number} in quarantine; cityward quarantine list shows them")
        out.print(f"{number}: {_state(row)}." if row.resolution else f"{number}: not chosen by the other options.")


def _moment(settings: Settings, option: str, text: str, zone: tzinfo) -> datetime | None:
    return moment_of(option, text, wiring.clock(settings).now(), zone) if text else None


def _local(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _state(row: store.Row) -> str:
    if row.resolution is not None:
        return f"{row.resolution} by {row.resolved_by}"
    return "to be tried again" if row.replay_partition is not None else "in quarantine"


def _facts(row: store.Row, zone: tzinfo) -> list[tuple[str, str]]:
    facts = [
        ("topic", row.topic),
        ("code", row.code),
        ("why", row.detail),
        ("received", _local(row.received_at, zone)),
        ("partition", row.partition),
        ("meant", "the message as a whole" if row.part < 0 else f"reading {row.part + 1} of the message"),
        ("now", _state(row)),
    ]
    if row.resolved_at is not None:
        facts.append(("resolved", _local(row.resolved_at, zone)))
    if row.reason:
        facts.append(("reason", row.reason))
    if row.replay_requested_at is not None:
        asked = f"{_local(row.replay_requested_at, zone)} by {row.replay_requested_by}"
        facts.append(("asked", f"{asked}; the collector of partition {row.replay_partition} does it"))
    if row.attempts:
        tried = (
            f"{many(row.attempts, 'time')}: {many(row.stored, 'reading')} stored, {many(row.duplicate, 'duplicate')}"
        )
        facts.append(("tried again", tried))
    return facts


def _show_conflict(connection: Connection, settings: Settings, message: Quarantined, zone: tzinfo) -> None:
    """What is stored beside what was refused."""
    topic = parse(message.topic)
    device = load_device(connection, topic.device_id) if topic else None
    if device is None:
        return
    decoder = Decoder(Registry(wiring.kinds(settings), [device]))
    for readings in decode_again(decoder, [message], message.received_at).readings:
        ts = moment(int(readings.ts[0]))
        stored = stored_at(connection, readings.kind, device.id, ts)
        if stored is None:
            out.print(f"\nNothing is stored of {_local(ts, zone)} any more.")
            continue
        out.print(
            f"\nBoth are of {_local(ts, zone)}; stored is what arrived first, {_local(stored['received_at'], zone)}."
        )
        headings = ["metric", "stored", "refused", ""]
        out.print(table("Stored and refused", headings, side_by_side(stored, readings, 0)))
