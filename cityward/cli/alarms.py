"""Commands about alarms: what an operator of the city's desk does at a prompt."""

import getpass
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Any

import msgspec
import typer

from alarms.lifecycle import State
from cases.city import City
from cases.words import Language, Section, say
from cityward import wiring
from cityward.cli.context import CommandError, database, head, heads, load_settings, moment_of, out, table
from console.actors import actor
from rules.durations import parse_duration
from rules.rule import Severity
from storage import alarm_list
from storage.alarm_list import AlarmRow, HistoryRow
from storage.alarm_moves import AlarmMoves
from storage.registry_store import load_city

alarms_app = typer.Typer(no_args_is_help=True)

_Ids = Annotated[list[int], typer.Argument(help="Numbers of alarms, as in the list.", show_default=False)]
_Id = Annotated[int, typer.Argument(help="The alarm's number, as in the list.", show_default=False)]
_Actor = Annotated[str, typer.Option("--by", help="Who does it; without it the user of this computer.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]
_District = Annotated[str, typer.Option(help="Only in this district.")]
_Rule = Annotated[str, typer.Option(help="Only of this rule.")]
_Device = Annotated[str, typer.Option(help="Only of this device, by its id.")]


@alarms_app.command("list")
def list_command(
    severity: Annotated[str, typer.Option(help="Only so severe or worse: notice, minor, major, critical.")] = "",
    district: _District = "",
    kind: Annotated[str, typer.Option(help="Only of this kind.")] = "",
    rule: _Rule = "",
    device: _Device = "",
    state: Annotated[str, typer.Option(help=f"Only in this state: {', '.join(State)}.")] = "",
    unit: Annotated[str, typer.Option(help="Only those whose case is this unit's.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Those that are over too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    json_lines: _Json = False,
) -> None:
    """Open alarms: active ones first, the most severe and newest in front."""
    if state and state not in [*State]:
        raise CommandError(f"--state: {state!r} is not one of {', '.join(State)}")
    settings = load_settings()
    with database(settings) as connection:
        zone = load_city(connection).calendar.timezone
        found = alarm_list.list_alarms(
            connection,
            everything=everything or state == State.NORMAL,
            severity=_level(severity) if severity else None,
            district=district or None,
            kind=kind or None,
            rule=rule or None,
            device=device or None,
            unit=unit or None,
            state=state or None,
            limit=limit,
        )
    if json_lines:
        _print_json(found)
        return
    language = settings.language
    headings = heads(language, "alarm", "severity", "rule", "facility", "road", "state", "raised", "times", "case")
    shown = (_row(alarm, zone, language) for alarm in found)
    least = heads(language, "times", "road", "case")
    out.print(table(head(language, "alarms", count=len(found)), headings, shown, least=least, language=language))


@alarms_app.command("show")
def show(number: _Id) -> None:
    """One alarm: what it is about, why it is quiet if it is, what it explains, and its whole history."""
    settings = load_settings()
    with database(settings) as connection:
        city = load_city(connection)
        alarm = _alarm(alarm_list.list_alarms(connection, everything=True, ids=[number]), number)
        lines = alarm_list.history(connection, alarm=number)
        explained = alarm_list.list_alarms(connection, everything=True, cause=number, limit=1000)
    language, zone = settings.language, city.calendar.timezone
    facts = [
        ("severity", say(Section.SEVERITIES, str(alarm.severity), language)),
        ("state", say(Section.ALARM_STATES, alarm.state, language)),
        ("rule", head(language, "version", rule=alarm.rule_id, version=alarm.rule_version)),
        ("facility", f"{alarm.name} ({alarm.kind} {alarm.device_id}), {alarm.road}, {alarm.district}"),
        ("raised", _local(alarm.raised_at, zone)),
        ("cleared", _local(alarm.cleared_at, zone)),
        ("times", alarm.occurrences),
        ("case", f"{alarm.case_number} ({alarm.unit})" if alarm.case_number else "-"),
        *_hush(alarm, zone, language),
    ]
    rows = [(say(Section.COLUMNS, fact, language), value) for fact, value in facts]
    out.print(table(head(language, "alarm", number=alarm.id), ["", ""], rows))
    if explained:
        others = [(each.id, each.rule_id, each.device_id, each.name) for each in explained]
        headings = heads(language, "alarm", "rule", "device", "facility")
        out.print(table(head(language, "explains", count=len(others)), headings, others))
    _print_history(lines, city, language)


@alarms_app.command("ack")
def acknowledge(
    numbers: _Ids, note: Annotated[str, typer.Option(help="A word about it.")] = "", by: _Actor = ""
) -> None:
    """Say that somebody has seen these alarms."""
    with _moves(by) as moves:
        moves.acknowledge(numbers, note)
    out.print(f"{_named(numbers)} acknowledged.")


@alarms_app.command("shelve")
def shelve(
    numbers: _Ids,
    span: Annotated[str, typer.Option("--for", help="For how long: 30m, 4h.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why; it stays on record.", show_default=False)],
    once: Annotated[bool, typer.Option("--once", help="The shelf also ends when the alarm clears.")] = False,
    by: _Actor = "",
) -> None:
    """Put alarms aside for a time: no new case, no message. What is still active afterwards is announced."""
    try:
        long = timedelta(microseconds=parse_duration(span))
    except ValueError as error:
        raise CommandError(f"--for: {error}") from error
    with _moves(by) as moves:
        moves.shelve(numbers, span=long, reason=reason, once=once)
    out.print(f"{_named(numbers)} shelved for {span}.")


@alarms_app.command("unshelve")
def unshelve(numbers: _Ids, reason: Annotated[str, typer.Option(help="Why.")] = "", by: _Actor = "") -> None:
    """Take alarms off the shelf; those still active are announced."""
    with _moves(by) as moves:
        moves.unshelve(numbers, reason)
    out.print(f"{_named(numbers)} unshelved.")


@alarms_app.command("reset")
def reset(
    numbers: _Ids,
    reason: Annotated[str, typer.Option(help="What was found; it stays on record.", show_default=False)],
    by: _Actor = "",
) -> None:
    """Let go of latched alarms, when somebody has looked at what they spoke of."""
    with _moves(by) as moves:
        moves.reset(numbers, reason)
    out.print(f"{_named(numbers)} reset.")


@alarms_app.command("end")
def end(
    numbers: _Ids,
    reason: Annotated[str, typer.Option(help="Why; it stays on record.", show_default=False)],
    by: _Actor = "",
) -> None:
    """End alarms of rules that are in no pack any more: nobody else will say that what they spoke of is over.

    cityward status names such rules. A latched alarm still wants its reset afterwards.
    """
    settings = load_settings()
    in_force = wiring.rule_ids(settings, wiring.kinds(settings))
    with _moves(by) as moves:
        moves.end(numbers, reason, in_force)
    out.print(f"{_named(numbers)} ended.")


@alarms_app.command("history")
def history(
    since: Annotated[str, typer.Option(help="From when: 2h, 2026-11-20 or '2026-11-20 14:30'.")] = "24h",
    district: _District = "",
    rule: _Rule = "",
    device: _Device = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many lines, the latest.")] = 200,
    json_lines: _Json = False,
) -> None:
    """What happened to alarms, the latest last: when out there, when decided, by whom and why."""
    settings = load_settings()
    with database(settings) as connection:
        city = load_city(connection)
        start = moment_of("--since", since, wiring.clock(settings).now(), city.calendar.timezone)
        lines = alarm_list.history(
            connection, since=start, district=district or None, rule=rule or None, device=device or None, limit=limit
        )
    if json_lines:
        _print_json(lines)
    else:
        _print_history(lines, city, settings.language)


@contextmanager
def _moves(actor: str) -> Iterator[AlarmMoves]:
    settings = load_settings()
    with database(settings) as connection:
        yield AlarmMoves(connection, at=wiring.clock(settings).now(), actor=actor or getpass.getuser())


def _level(word: str) -> int:
    try:
        return int(Severity[word.upper()])
    except KeyError:
        words = ", ".join(level.name.lower() for level in Severity)
        raise CommandError(f"--severity: {word!r} is not one of {words}") from None


def _alarm(found: list[AlarmRow], number: int) -> AlarmRow:
    if not found:
        raise CommandError(f"there is no alarm {number}; cityward alarms list shows the open ones")
    return found[0]


def _row(alarm: AlarmRow, zone: tzinfo, language: Language) -> tuple[object, ...]:
    state = say(Section.ALARM_STATES, alarm.state, language)
    if alarm.chattering_since is not None:
        state += f", {say(Section.ALARM_EVENTS, 'chattering', language)} {alarm.chatter}"
    return (
        alarm.id,
        say(Section.SEVERITIES, str(alarm.severity), language),
        alarm.rule_id,
        alarm.name,
        alarm.road,
        state,
        _local(alarm.raised_at, zone),
        alarm.occurrences,
        alarm.case_number or "-",
    )


def _hush(alarm: AlarmRow, zone: tzinfo, language: Language) -> Iterator[tuple[str, str]]:
    if alarm.shelved_until is not None:
        yield ("shelved_until", _local(alarm.shelved_until, zone))
    if alarm.suppressed_by is not None:
        yield ("suppressed_by", f"{say(Section.COLUMNS, 'alarm', language)} {alarm.suppressed_by}")
    if alarm.permit is not None:
        yield ("out_of_service", f"{say(Section.COLUMNS, 'permit', language)} {alarm.permit}")
    if alarm.chatter:
        state = head(language, "goes_on" if alarm.chattering_since else "over")
        yield ("chatter", head(language, "raised_times", times=alarm.chatter, state=state))


def _print_history(lines: Iterable[HistoryRow], city: City, language: Language) -> None:
    zone = city.calendar.timezone
    rows = [
        (_local(line.seen_at, zone), _local(line.at, zone), line.alarm_id, line.rule_id, line.device_id,
         say(Section.ALARM_EVENTS, line.event, language) + (f" {head(language, 'hushed')}" if line.hushed else ""),
         say(Section.SEVERITIES, str(line.severity), language), actor(line.actor, city, language),
         line.detail.get("because", ""))
        for line in lines
    ]  # fmt: skip
    keys = ("decided", "happened", "alarm", "rule", "device", "event", "severity", "by", "because")
    least = heads(language, "severity", "happened", "by")
    out.print(table(head(language, "history"), heads(language, *keys), rows, least=least, language=language))


def _print_json(rows: Iterable[Any]) -> None:
    for row in rows:
        print(msgspec.json.encode(row).decode())  # noqa: T201 - another program reads it


def _named(numbers: list[int]) -> str:
    return f"{'Alarm' if len(numbers) == 1 else 'Alarms'} {', '.join(map(str, numbers))}"


def _local(at: datetime | None, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}" if at else "-"
