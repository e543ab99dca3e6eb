"""Commands that show: how things are, and what can be set."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from pydantic import BaseModel

from cityward import wiring
from cityward.cli.context import database, load_settings, out, table
from cityward.cli.rules import benched_table
from cityward.settings import CONFIG_FILE, Settings
from devices.errors import CitywardError
from devices.moments import moment
from ingest.cuts import contradictions
from storage import partition_sessions
from storage.capability import MISSING, detect
from storage.connection import Connection
from storage.locks import CITY, DISPATCH, PARTITION, Holder, holders
from storage.overview import Orphaned, Overview, orphaned, overview
from storage.registry_store import NoCityError, load_city
from storage.rule_states import benched
from storage.worked_off import load_all

# Passwords in a URL, where one may hold an @ that should have been encoded, and in PostgreSQL's own notation.
_IN_URL, _IN_WORDS = re.compile(r"(://[^:/@]*:).*@"), re.compile(r"(password\s*=\s*)('(?:\\.|[^'])*'|\S+)")


def status() -> None:
    """Who does the work, the ledger, readings, alarms and cases by kind, the outbox, and what the database can do."""
    current = load_settings()
    with database(current) as connection:
        capability = detect(connection)
        now = overview(connection)
        held = holders(connection, PARTITION, list(current.partitions))
        dispatcher = holders(connection, DISPATCH, [CITY])
        off = benched(connection)
        reached = load_all(connection)
        sessions = partition_sessions.load_all(connection)
        nobodys, broken = _of_no_rule(connection, current)
        missing = _missing_holidays(connection, wiring.clock(current).now())
    book = now.ledger
    out.print(f"{capability}. {MISSING[capability]}".rstrip(), soft_wrap=True)
    out.print(
        f"Ledger: {book.received} received = {book.stored} stored + {book.duplicate} duplicate"
        f" + {book.quarantined} quarantined"
    )
    work = [
        *(
            (f"collect {name}", " ".join(filters), held.get(name), reached.get(name))
            for name, filters in current.partitions.items()
        ),
        ("dispatch", "", dispatcher.get(CITY), None),
    ]
    headings = ["work", "topics", "done by", "since", "worked off until"]
    out.print(table("Processes", headings, (_held(*each) for each in work)))
    if old := [
        (name, " ".join(kept.topics), _time(kept.reached))
        for name, kept in sessions.items()
        if name not in current.partitions
    ]:
        out.print(table("Partitions that are not in these settings", ["partition", "topics", "worked off until"], old))
        out.print("For them too the broker keeps whatever is sent, until cityward partitions forget <partition>.")
    for problem in contradictions(current.partitions, sessions):
        out.print(problem, soft_wrap=True)
    rows = [
        (kind, each.readings, each.active_alarms, each.alarms, each.open_cases, each.cases)
        for kind, each in now.by_kind.items()
    ]
    headings = ["kind", "readings", "alarms active", "alarms", "cases open", "cases"]
    out.print(table("By kind", headings, rows))
    _show_alarms(now, nobodys)
    out.print(table("Outbox", ["state", "notifications"], now.notifications.items()))
    if now.notifications.get("failed"):
        out.print("cityward notifications list --state failed says why.")
    out.print(table("Quarantine", ["code", "messages"], now.quarantine.items()))
    if now.quarantine:
        out.print("cityward quarantine list shows them, cityward devices unregistered whose they are.")
    if off:
        out.print(benched_table(off))
    if broken:
        out.print(f"Rules: {broken}", soft_wrap=True)
    if missing:
        out.print(f"{missing[0].upper()}{missing[1:]}.", soft_wrap=True)


def _show_alarms(now: Overview, nobodys: Sequence[Orphaned]) -> None:
    """Those that are quiet, and those that somebody has to look after."""
    if now.hushed:
        hushed = [(each.why.replace("_", " "), each.alarms, each.active) for each in now.hushed]
        out.print(table("Alarms that are quiet", ["why", "alarms", "active"], hushed))
    if now.storms:
        storms = [(each.district, f"{each.since:%Y-%m-%d %H:%M:%S} UTC", each.held_back) for each in now.storms]
        out.print(table("Alarm storms", ["district", "since", "held back"], storms))
    if now.stuck:
        stuck = [(each.alarms, f"{each.since:%Y-%m-%d %H:%M:%S} UTC", each.because) for each in now.stuck]
        out.print(table("Alarms without a case", ["alarms", "since", "because"], stuck))
    if nobodys:
        old = [(each.rule_id, each.alarms, each.first, f"{each.since:%Y-%m-%d %H:%M:%S} UTC") for each in nobodys]
        out.print(table("Active alarms of rules that no pack has", ["rule", "alarms", "first", "since"], old))
        out.print("They end with their rule back in a pack, or by cityward alarms end <number> --reason <why>.")


def _of_no_rule(connection: Connection, current: Settings) -> tuple[list[Orphaned], str]:
    """Alarms that no rule will end; or what is wrong with the packs, which cannot be told then."""
    try:
        return orphaned(connection, wiring.rule_ids(current, wiring.kinds(current))), ""
    except CitywardError as error:
        return [], str(error)


def _missing_holidays(connection: Connection, at: datetime) -> str:
    try:
        return load_city(connection).calendar.missing(at)
    except NoCityError:
        return ""


def _held(work: str, topics: str, holder: Holder | None, reached: int | None) -> tuple[str, str, str, str, str]:
    until = _time(reached)
    if holder is None:
        return (work, topics, f"nobody: start cityward {work.partition(' ')[0]}", "", until)
    return (work, topics, f"{holder.client} (connection {holder.pid})", f"{holder.since:%Y-%m-%d %H:%M:%S} UTC", until)


def _time(ts: int | None) -> str:
    return "" if ts is None else f"{moment(ts):%Y-%m-%d %H:%M:%S} UTC"


def settings(
    toml: Annotated[bool, typer.Option("--toml", help="As a cityward.toml to start from.")] = False,
) -> None:
    """Every setting: its name in the environment, the value in force, what it means."""
    if toml:
        out.print(sample(), end="", soft_wrap=True)
        return
    current = load_settings()
    rows = []
    for name, field in Settings.model_fields.items():
        value = getattr(current, name)
        inner = type(value).model_fields if isinstance(value, BaseModel) else {}
        if inner:
            rows += [
                (f"CITYWARD_{name.upper()}__{each.upper()}", getattr(value, each), described.description)
                for each, described in inner.items()
            ]
        else:
            rows.append((f"CITYWARD_{name.upper()}", _shown(value), field.description))
    out.print(f"Read from {CONFIG_FILE}, then from the environment, which wins.")
    out.print(table("Settings", ["name", "value in force", "meaning"], rows))


def _shown(value: object) -> object:
    """A value as anybody at the screen may see it: an address without its password."""
    return _IN_WORDS.sub(r"\1***", _IN_URL.sub(r"\1***@", value)) if isinstance(value, str) else value


def sample() -> str:
    """A cityward.toml with every setting at its default and explained."""
    lines: list[str] = []
    tables: list[str] = []
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        if isinstance(default, BaseModel):
            tables += [f"\n[{name}]"]
            for inner, described in type(default).model_fields.items():
                tables += [f"# {described.description}", f"# {inner} = {_toml(getattr(default, inner))}"]
        else:
            lines += [f"# {field.description}", f"# {name} = {_toml(default)}"]
    return "\n".join([*lines, *tables]) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {_toml(each)}" for key, each in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return f"[{', '.join(_toml(each) for each in value)}]"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    return f'"{value or ""}"'
