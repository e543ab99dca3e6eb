"""Commands about what is missing: how complete a day is, and which readings of a device never came."""

import math
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cityward import wiring
from cityward.cli.context import CommandError, database, load_settings, out, table
from cityward.showing import many
from storage.completeness import Gap, Stretch, gaps, stretches
from storage.connection import Connection
from storage.registry_store import load_city

_Day = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"], help="A day of the city, by the devices' time; without it yesterday.", show_default=False
    ),
]


def completeness_command(
    day: _Day = None,
    district: Annotated[str, typer.Option(help="Only this district.")] = "",
    kind: Annotated[str, typer.Option(help="Only this kind.")] = "",
    below: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Only devices of which a smaller share came, or nothing at all.", show_default=False
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many devices.")] = 50,
) -> None:
    """How much of a day's readings came, device by device, told by their sequence numbers; the worst first.

    A device that sends no numbers shows "-". Late readings count on the day of their own time, so that a day heals.
    """
    settings = load_settings()
    with database(settings) as connection:
        zone = load_city(connection).calendar.timezone
        chosen = _chosen(day, wiring.clock(settings).now(), zone)
        found = stretches(connection, *_bounds(chosen, zone), kind=kind or None, district=district or None)
    shown = [each for each in found if below is None or not each.readings or _is_below(each, below)]
    headings = ["device", "kind", "district", "readings", "numbers", "from - to", "missing", "complete", "restarts",
                "late", "frozen", "repeated", "skewed"]  # fmt: skip
    title = f"{chosen}: {len(shown)} of {many(len(found), 'device')}" + (
        f", the worst {limit}" if len(shown) > limit else ""
    )
    out.print(table(title, headings, [_row(each) for each in shown[:limit]]))
    out.print(f"\nIn all {_summary(found)}")


def gaps_command(
    device_id: Annotated[str, typer.Argument(help="The device's id.", show_default=False)], day: _Day = None
) -> None:
    """Exactly which readings of a device are missing on a day, and the times of the readings around them."""
    settings = load_settings()
    with database(settings) as connection:
        zone = load_city(connection).calendar.timezone
        chosen = _chosen(day, wiring.clock(settings).now(), zone)
        stretch, missing = _look(connection, device_id, chosen, zone)
    out.print(f"{device_id} on {chosen}: {_summary([stretch])}")
    if missing:
        rows = [
            (f"{gap.first}" if gap.missing == 1 else f"{gap.first} - {gap.last}", gap.missing,
             _clock(gap.after, chosen, zone), _clock(gap.before, chosen, zone))
            for gap in missing
        ]  # fmt: skip
        out.print(table("Missing", ["numbers", "how many", "after", "before"], rows))


def _look(connection: Connection, device_id: str, day: date, zone: ZoneInfo) -> tuple[Stretch, Sequence[Gap]]:
    found = stretches(connection, *_bounds(day, zone), device_id=device_id)
    if not found:
        raise CommandError(
            f"{device_id}: not registered by {day}, or never heard; cityward devices list --behind 0 shows who was"
        )
    return found[0], gaps(connection, device_id, *_bounds(day, zone))


def _chosen(day: datetime | None, now: datetime, zone: ZoneInfo) -> date:
    return day.date() if day else now.astimezone(zone).date() - timedelta(days=1)


def _bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a day of the city begins and ends, which is not always 24 hours later."""
    return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)


def _is_below(stretch: Stretch, share: float) -> bool:
    return stretch.completeness is not None and stretch.completeness < share


def _row(stretch: Stretch) -> tuple[object, ...]:
    numbered = stretch.first_seq is not None
    return (
        stretch.device_id, stretch.kind, stretch.district, stretch.readings,
        stretch.numbers if numbered else "-", f"{stretch.first_seq} - {stretch.last_seq}" if numbered else "-",
        stretch.missing if numbered else "-", _percent(stretch.completeness), stretch.restarts, stretch.late,
        stretch.frozen, stretch.repeated, stretch.skewed,
    )  # fmt: skip


def _summary(found: Sequence[Stretch]) -> str:
    numbers, missing = sum(each.numbers for each in found), sum(each.missing for each in found)
    share = _percent(numbers / (numbers + missing) if numbers else None)
    readings = many(sum(each.readings for each in found), "reading")
    restarts = many(sum(each.restarts for each in found), "restart")
    return f"{readings}; {numbers} of {numbers + missing} sequence numbers ({share}), {missing} missing; {restarts}."


def _percent(share: float | None) -> str:
    """Rounded down, so that 100.0 % is said only where nothing is missing."""
    return "-" if share is None else f"{math.floor(share * 1000) / 10:.1f} %"


def _clock(at: datetime, day: date, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%H:%M:%S}" if local.date() == day else f"{local:%Y-%m-%d %H:%M:%S}"
