"""``cityward alarms scorecard``: whether the alarms of each seat, in each shift, can be handled."""

from collections.abc import Iterator, Sequence
from datetime import timedelta, tzinfo
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from alarms.lifecycle import Event
from alarms.scorecard import Figure, Grade, Seat, Stale, figures
from cases.words import Language, Section, say
from cityward import wiring
from cityward.cli.context import CommandError, database, fitting, load_settings, out, table
from cityward.scoring import cards, parse_shifts
from storage import alarm_list
from storage.alarm_list import By
from storage.registry_store import load_city

_OF_CITY = "city"  # --shifts: as the city file has them
_NONE = "none"  # the seat of alarms without a case
_STALE_SHOWN = 10
# Of the figures, those that one line has room for, with their headings.
_IN_LINE = {"per_ten_minutes": "/10 min", "most_in_ten_minutes": "most", "flood_share": "floods", "stale": "stale"}
_HUSHED = {Event.SUPPRESSED: "suppressed", Event.SHELVED: "shelved", Event.TAKEN_OUT: "out_of_service"}


def scorecard(
    days: Annotated[float, typer.Option(min=0.01, help="Over so many days until now; 30 say something.")] = 30,
    by: Annotated[By, typer.Option(help="A seat is a district's desk, or the unit that the alarm's case went to.")] = (
        By.DISTRICT
    ),
    shifts: Annotated[
        str,
        typer.Option(
            help="A line for each seat and shift, in local time: day=08:00-20:00 and more after commas; "
            "or the word city for the shifts of each unit in the city file.",
            show_default=False,
        ),
    ] = "",
    district: Annotated[str, typer.Option(help="Only in this district.")] = "",
    top: Annotated[bool, typer.Option("--top", help="The ten most frequent alarms of each seat too.")] = False,
    json_lines: Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")] = False,
) -> None:
    """Whether the alarms of each seat can be handled: EEMUA 191 and ISA-18.2 figures with their targets."""
    try:
        wanted = parse_shifts(shifts) if shifts and shifts != _OF_CITY else None
    except ValueError as error:
        raise CommandError(f"--shifts: {error}") from error
    settings = load_settings()
    until = wiring.clock(settings).now()
    since, only = until - timedelta(days=days), district or None
    with database(settings) as connection:
        city = load_city(connection)
        if only is not None and only not in city.districts:
            raise CommandError(f"--district: there is none {district!r}; see cityward city show")
        happened = alarm_list.scored(connection, since, until, by=by, district=only)
        stale = alarm_list.stale(connection, until, by=by, district=only)
    own = shifts == _OF_CITY
    seats = list(cards(city, (since, until), happened, stale, by=by, district=only, shifts=wanted, own_shifts=own))
    zone = city.calendar.timezone
    if json_lines:
        for seat in seats:
            print(msgspec.json.encode(_card(seat, by, zone)).decode())  # noqa: T201 - another program reads it
        return
    for part in _in_lines(seats, by, days) if shifts else _in_full(seats, days, settings.language):
        out.print(part)
    for part in _beside(seats if top else [], stale, zone):
        out.print(part)
    if not seats:
        out.print(f"No unit had an alarm in {days:g} days.")


def _in_full(seats: Sequence[Seat], days: float, language: Language) -> Iterator[Table]:
    for seat in seats:
        rows = [_figure(figure, language) for figure in figures(seat)]
        rows += [
            (say(Section.ALARM_STATES, word, language), str(seat.hushed[event]), "-", "-")
            for event, word in _HUSHED.items()
        ]
        yield table(f"{_named(seat)}: {sum(seat.windows)} alarms in {days:g} days", ["", "value", "target", ""], rows)


def _in_lines(seats: Sequence[Seat], by: By, days: float) -> Iterator[Table | str]:
    rows = []
    for seat in seats:
        found = {figure.name: figure for figure in figures(seat)}
        values = (
            _number(each, each.value) + ("!" if each.grade is Grade.BAD else "")
            for each in (found[name] for name in _IN_LINE)
        )
        rows.append(
            (seat.name or _NONE, seat.shift, sum(seat.windows), *values, *(seat.hushed[event] for event in _HUSHED))
        )
    headings = [by.value, "shift", "alarms", *_IN_LINE.values(), "suppressed", "shelved", "out"]
    title = f"Seats by shift in {days:g} days (! misses its target)"
    shown, gone = fitting(title, headings, rows, least=["floods", "stale", "/10 min"])
    yield shown
    if gone:
        yield f"No room for {', '.join(gone)}; a wider terminal or --json has them."


def _beside(frequent: Sequence[Seat], stale: Sequence[Stale], zone: tzinfo) -> Iterator[Table]:
    for seat in frequent:
        if seat.top:
            yield table(f"Most frequent: {_named(seat)}", ["rule", "device", "alarms"], seat.top)
    if not stale:
        return
    rows = [
        (each.seat or _NONE, each.alarm, each.rule_id, each.name, f"{each.since.astimezone(zone):%Y-%m-%d %H:%M}")
        for each in stale[:_STALE_SHOWN]
    ]
    title = f"Active over 24 h: {len(stale)}" + (f", the oldest {_STALE_SHOWN}" if len(stale) > _STALE_SHOWN else "")
    yield table(title, ["seat", "alarm", "rule", "facility", "since"], rows)


def _named(seat: Seat) -> str:
    return f"{seat.name or _NONE}, {seat.shift}" if seat.shift else seat.name or _NONE


def _figure(figure: Figure, language: Language) -> tuple[str, str, str, str]:
    grade = say(Section.SCORECARD, figure.grade, language) if figure.grade else "-"
    target = _number(figure, figure.good)
    if figure.bearable is not None:
        target += f" ({_number(figure, figure.bearable)})"
    return (say(Section.SCORECARD, figure.name, language), _number(figure, figure.value), f"<= {target}", grade)


def _number(figure: Figure, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1%}" if figure.name.endswith("_share") else f"{value:.3g}"


def _card(seat: Seat, by: By, zone: tzinfo) -> dict[str, Any]:
    return {
        by.value: seat.name,
        "shift": seat.shift,
        "alarms": sum(seat.windows),
        "windows": seat.all_windows,
        "figures": {
            figure.name: {"value": figure.value, "good": figure.good, "grade": figure.grade} for figure in figures(seat)
        },
        "hushed": {word: seat.hushed[event] for event, word in _HUSHED.items()},
        "stale": [
            {"alarm": each.alarm, "rule": each.rule_id, "device": each.device_id, "since": each.since.astimezone(zone)}
            for each in seat.stale
        ],
        "top": [{"rule": rule, "device": device, "alarms": count} for rule, device, count in seat.top],
    }
