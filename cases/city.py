"""A city's organisations as its city.toml has them: districts, units, owners, office hours, own deadlines.

Deadlines are data of the city: those of a rule hold only where the city says nothing.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any

import msgspec

from alarms.policy import read_policy as read_alarm_policy
from cases.calendars import WorkCalendar
from cases.clocks import Allowance
from cases.people import Contact, Manners, Shift, unknown_contacts
from cases.pieces import Pieces
from cases.policy import Policy
from cases.policy_file import read_manners, read_policy, unknown_units
from cases.words import Language
from devices.errors import DescriptionError
from devices.moments import MICROS
from devices.topics import is_level
from rules.durations import parse_duration

# Project default: what waits is held in memory, and nobody hears of it meanwhile.
LONGEST_WAIT = 3600 * MICROS
_COMPONENT_CLASS = re.compile(r"\d{4}")


class District(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A district; ``fallback`` is the unit that gets what nobody owns, ``contacts`` hear of what is late."""

    name: dict[str, str]
    fallback: str
    contacts: list[str] = []


class Unit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An organisation that gets cases; ``webhook`` is its URL for notifications, empty where it has none.

    ``shifts`` say who of its people is told when, ``lead`` who hears what nobody takes on.
    """

    name: dict[str, str]
    webhook: str = ""
    lead: list[str] = []
    shifts: list[Shift] = []


@dataclass(frozen=True, slots=True)
class Deadlines:
    """A city's own deadlines for the cases of one rule; None where the rule's own hold."""

    accept: Allowance | None = None
    arrive: Allowance | None = None
    safe: Allowance | None = None
    fix: Allowance | None = None


@dataclass(frozen=True, slots=True)
class City:
    """A city. ``night`` is the local start and end of the night (GB 3096: 22:00 and 06:00).

    ``component_owners`` maps a component class, the major and minor code of CJ/T 214, to the unit that owns
    components of that class; ``deadlines`` maps the id of a rule to what the city allows for its cases.
    ``policy`` is how the city dispatches, ``manners`` how people are told, ``leadership`` who reads red sheets.
    ``lateness`` says by kind how long readings wait for older ones before rules see them, µs.
    """

    names: Mapping[str, str]
    night: tuple[time, time]
    calendar: WorkCalendar
    districts: Mapping[str, District]
    units: Mapping[str, Unit]
    component_owners: Mapping[str, str]
    deadlines: Mapping[str, Deadlines]
    policy: Policy = field(default_factory=Policy)
    contacts: Mapping[str, Contact] = field(default_factory=dict)
    leadership: tuple[str, ...] = ()
    manners: Manners = field(default_factory=Manners)
    lateness: Mapping[str, int] = field(default_factory=dict)


class _Night(msgspec.Struct, forbid_unknown_fields=True):
    start: str
    end: str


class _Deadlines(msgspec.Struct, forbid_unknown_fields=True):
    accept: str = ""
    arrive: str = ""
    safe: str = ""
    fix: str = ""


def load_city(path: Path) -> City:
    """Read a city.toml.

    Raises:
        DescriptionError: listing everything that is wrong in the file.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DescriptionError(str(path), [str(error)]) from error
    return read_city(document, str(path))


def read_city(document: Mapping[str, Any], source: str) -> City:
    """The city that a parsed city.toml describes; ``source`` names the file in errors.

    Raises:
        DescriptionError: listing everything that is wrong.
    """
    pieces = Pieces(document)
    city = City(
        names=pieces.piece("name", dict[str, str]) or {},
        night=_night(pieces),
        calendar=_calendar(pieces),
        districts=pieces.table("districts", District),
        units=pieces.table("units", Unit),
        component_owners=pieces.table("component_owners", str, required=False),
        deadlines=_deadlines(pieces),
        policy=read_policy(pieces),
        contacts=pieces.table("contacts", Contact, required=False),
        leadership=tuple(pieces.piece("leadership", list[str], required=False) or ()),
        manners=read_manners(pieces),
        lateness=_lateness(pieces),
    )
    _check_alarms(pieces)
    problems = [*pieces.problems, *pieces.unknown_keys(), *_bad_names(city), *_bad_references(city)]
    problems += [*unknown_units(city.policy, city.units), *_bad_people(city)]
    if problems:
        raise DescriptionError(source, problems)
    return city


def _night(pieces: Pieces) -> tuple[time, time]:
    night = pieces.piece("night", _Night) or _Night("22:00", "06:00")
    return pieces.time("night.start", night.start), pieces.time("night.end", night.end)


def _calendar(pieces: Pieces) -> WorkCalendar:
    zone = pieces.zone("timezone", pieces.piece("timezone", str) or "UTC")
    hours = pieces.piece("office_hours", list[tuple[str, str]])
    spans = [(pieces.time("office_hours", start), pieces.time("office_hours", end)) for start, end in hours or ()]
    holidays = frozenset(pieces.piece("holidays", list[date], required=False) or ())
    make_up_days = frozenset(pieces.piece("make_up_days", list[date], required=False) or ())
    try:
        return WorkCalendar(zone, tuple(spans), holidays, make_up_days)
    except ValueError as error:
        pieces.problems.append(str(error))
        return WorkCalendar(zone, ((time(8), time(12)),))


def _deadlines(pieces: Pieces) -> dict[str, Deadlines]:
    table = pieces.table("deadlines", _Deadlines, required=False)
    return {
        rule: Deadlines(
            **{
                name: pieces.allowance(f"deadlines.{rule}.{name}", getattr(texts, name))
                for name in texts.__struct_fields__
            }
        )
        for rule, texts in table.items()
    }


def _lateness(pieces: Pieces) -> dict[str, int]:
    found = {}
    for kind, text in pieces.table("lateness", str, required=False).items():
        try:
            found[kind] = parse_duration(text)
        except ValueError as error:
            pieces.problems.append(f"lateness.{kind}: {error}")
        else:
            if found[kind] > LONGEST_WAIT:
                pieces.problems.append(f"lateness.{kind}: {text!r} is too long: an alarm waits 1h at most")
    return {kind: wait for kind, wait in found.items() if wait}


def _check_alarms(pieces: Pieces) -> None:
    """How a city handles alarms is read where alarms are; here only whether it can be."""
    try:
        read_alarm_policy(pieces.piece("alarms", dict[str, Any], required=False) or {})
    except ValueError as error:
        pieces.problems.append(f"alarms: {error}")


def _bad_names(city: City) -> Iterator[str]:
    named = {"name": city.names}
    named |= {f"districts.{key}.name": district.name for key, district in city.districts.items()}
    named |= {f"units.{key}.name": unit.name for key, unit in city.units.items()}
    for where, names in named.items():
        for language in Language:
            if not names.get(language):
                yield f"{where}: the name in {language.value!r} is missing"
    for key in [*city.districts, *city.units]:
        if not is_level(key):
            yield f"{key!r} cannot stand in a topic: at most 64 characters, without +, # and /"


def _bad_people(city: City) -> Iterator[str]:
    named: dict[str, Iterable[str]] = {"leadership": city.leadership}
    named |= {f"districts.{key}.contacts": district.contacts for key, district in city.districts.items()}
    named |= {f"units.{key}.lead": unit.lead for key, unit in city.units.items()}
    for key, unit in city.units.items():
        for number, shift in enumerate(unit.shifts, 1):
            named[f"units.{key}.shifts, number {number}"] = shift.contacts
            yield from (f"units.{key}.shifts, number {number}: {problem}" for problem in shift.problems())
    yield from unknown_contacts(named, city.contacts)


def _bad_references(city: City) -> Iterator[str]:
    for key, district in city.districts.items():
        if district.fallback not in city.units:
            yield f"districts.{key}.fallback: the unit {district.fallback!r} is not among [units]"
    for key, unit in city.units.items():
        if unit.webhook and not unit.webhook.startswith(("https://", "http://")):
            yield f"units.{key}.webhook: {unit.webhook!r} is no URL; write https://... or leave it empty"
    for component_class, owner in city.component_owners.items():
        if not _COMPONENT_CLASS.fullmatch(component_class):
            yield f'component_owners: {component_class!r} is no class; write four digits such as "0101"'
        if owner not in city.units:
            yield f"component_owners.{component_class}: the unit {owner!r} is not among [units]"
