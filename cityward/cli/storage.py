"""Commands about what is stored: how much room it takes, and roll-ups made anew."""

import json
from datetime import datetime
from functools import partial
from typing import Annotated

import typer

from cityward import wiring
from cityward.cli.context import CommandError, database, load_settings, out, table
from cityward.cli.progress import progress
from storage.capability import MISSING, Capability, detect
from storage.rollups import catch_up, refresh
from storage.storage_report import Room, report

storage_app = typer.Typer(no_args_is_help=True)
_UNITS = ("B", "kB", "MB", "GB", "TB")


@storage_app.command("report")
def report_command(
    json_lines: Annotated[bool, typer.Option("--json", help="One JSON line a table, sizes in bytes.")] = False,
) -> None:
    """How much room readings and roll-ups take, how well they compress, and how far back they reach."""
    settings = load_settings()
    with database(settings) as connection:
        capability = detect(connection)
        rooms = report(connection, wiring.kinds(settings).values(), capability)
    if json_lines:
        for room in rooms:
            print(json.dumps(_document(room)))  # noqa: T201 - another program reads it
        return
    out.print(f"{capability}. {MISSING[capability]}".rstrip(), soft_wrap=True)
    headings = ["kind", "table", "rows", "size", "bytes a row", "chunks", "compressed", "times smaller", "since"]
    out.print(table("Storage", headings, map(_row, rooms)))


@storage_app.command("refresh")
def refresh_command(
    since: Annotated[datetime | None, typer.Option(help="Make stored roll-ups anew from here, UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Until before this moment, UTC.")] = None,
) -> None:
    """Bring stored roll-ups up to date now, and not when the database's own jobs do.

    Without --since and --until only the days are looked at that got readings more than two days late.
    """
    settings = load_settings()
    with database(settings) as connection:
        if detect(connection) is not Capability.COMMUNITY:
            out.print("Roll-ups are views here: they are always up to date.")
            return
        if since is None and until is None:
            catch_up(connection)
        elif since is None or until is None or since >= until:
            raise CommandError("give both --since and --until, the earlier first")
        else:
            kinds = wiring.kinds(settings).values()
            with progress() as say:
                refresh(connection, kinds, f"{since}+00", f"{until}+00", partial(say, "refreshing"))
    out.print("Roll-ups are up to date.")


def _document(room: Room) -> dict[str, object]:
    return {
        "kind": room.kind, "table": room.table, "rows": room.rows, "bytes": room.bytes,
        "bytes_per_row": room.bytes_per_row, "chunks": room.chunks, "compressed_chunks": room.compressed_chunks,
        "before_compression_bytes": room.before, "after_compression_bytes": room.after,
        "compression": room.compression, "oldest": room.oldest.isoformat() if room.oldest else None,
    }  # fmt: skip


def _row(room: Room) -> tuple[object, ...]:
    return (
        room.kind,
        room.table,
        f"{room.rows:,}",
        _size(room.bytes),
        f"{room.bytes_per_row:.0f}" if room.bytes_per_row is not None else "-",
        room.chunks or "-",
        room.compressed_chunks or "-",
        f"{room.compression:.1f}" if room.compression is not None else "-",
        f"{room.oldest:%Y-%m-%d}" if room.oldest is not None else "-",
    )


def _size(count: float) -> str:
    for unit in _UNITS[:-1]:
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} {_UNITS[-1]}"
