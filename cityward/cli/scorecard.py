"""``cityward alarms scorecard``: whether the alarms of each seat, in each shift, can be handled."""

from collections.abc import Iterator, Sequence
from datetime import timedelta, tzinfo
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from alarms.lifecycle import Event
from alarms.scorecard import By, Figure, Grade, Seat, Stale, figures
from cases.seats import cards, parse_shifts
from cases.words import Language, Section, say
from cityward import wiring
from cityward.cli.context import CommandError, database, head, heads, load_settings, out, table
from storage import alarm_list
from storage.registry_store import load_city

_OF_CITY = "city"  # --shifts: as the city file has them
_NONE = "none"  # the seat of alarms without a case
_STALE_SHOWN = 10
# Of the figures, those that one line has room for, with their headings.
_IN_LINE = {
    "per_ten_minutes": "per_ten_minutes", "most_in_ten_minutes": "most", "flood_share": "floods", "stale": "stale",
}  # fmt: skip
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
    language = settings.language
    for part in _in_lines(seats, by, days, language) if shifts else _in_full(seats, days, language):
        out.print(part)
    for part in _beside(seats if top else [], stale, zone, language):
        out.print(part)
    if not seats:
        out.print(head(language, "no_unit", days=f"{days:g}"))


def _in_full(seats: Sequence[Seat], days: float, language: Language) -> Iterator[Table]:
    for seat in seats:
        rows = [_figure(figure, language) for figure in figures(seat)]
        rows += [
            (say(Section.ALARM_STATES, word, language), str(seat.hushed[event]), "-", "-")
            for event, word in _HUSHED.items()
        ]
        title = head(language, "seat", seat=_named(seat), alarms=sum(seat.windows), days=f"{days:g}")
        yield table(title, ["", head(language, "value"), head(language, "target"), ""], rows)


def _in_lines(seats: Sequence[Seat], by: By, days: float, language: Language) -> Iterator[Table]:
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
    headings = heads(language, by.value, "shift", "alarms", *_IN_LINE.values(), *_HUSHED.values())
    least = heads(language, "floods", "stale", "per_ten_minutes")
    yield table(head(language, "seats", days=f"{days:g}"), headings, rows, least=least, language=language)


def _beside(frequent: Sequence[Seat], stale: Sequence[Stale], zone: tzinfo, language: Language) -> Iterator[Table]:
    for seat in frequent:
        if seat.top:
            title = head(language, "frequent", seat=_named(seat))
            yield table(title, heads(language, "rule", "device", "alarms"), seat.top)
    if not stale:
        return
    rows = [
        (each.seat or _NONE, each.alarm, each.rule_id, each.name, f"{each.since.astimezone(zone):%Y-%m-%d %H:%M}")
        for each in stale[:_STALE_SHOWN]
    ]
    key = "stale_first" if len(stale) > _STALE_SHOWN else "stale"
    title = head(language, key, count=len(stale), shown=_STALE_SHOWN)
    yield table(title, heads(language, "seat", "alarm", "rule", "facility", "since"), rows)


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
