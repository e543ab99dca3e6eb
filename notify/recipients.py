"""Who is told of what happens to a case, and by which channel. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cases.city import City
from cases.history import Occurrence
from cases.lifecycle import Event
from cases.people import on_duty

MQTT, WEBHOOK, PERSON = "mqtt", "webhook", "person"
_CRITICAL = 4

# What a unit hears of: what asks something of it, and that it is over.
TO_THE_UNIT = frozenset({
    Event.DISPATCH, Event.ASSIGN, Event.RETURN, Event.SPLIT, Event.REOPEN, Event.RECOVER, Event.RELAPSE,
    Event.FAIL_CHECK, Event.RESUME, Event.GRANT_DELAY, Event.REFUSE_DELAY, Event.CLOSE, Event.CANCEL,
    Occurrence.ESCALATED, Occurrence.UNANSWERED, Occurrence.SHEET, Occurrence.CAMPAIGN,
})  # fmt: skip
_TO_JOINT_UNITS = frozenset({Event.DISPATCH, Event.ASSIGN, Event.REOPEN, Event.CLOSE, Event.CANCEL})
# How far up a sheet goes, and who hears that nobody takes a case on.
_DISTRICT = {(Occurrence.SHEET, "yellow"), (Occurrence.SHEET, "red"), (Occurrence.UNATTENDED, "district")}
_LEADERSHIP = {(Occurrence.SHEET, "red"), (Occurrence.UNATTENDED, "leadership")}


@dataclass(frozen=True, slots=True)
class Recipient:
    """A channel and a target there: a unit's id for MQTT, a URL for a webhook, a contact's id for a person."""

    channel: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What happened to a case: ``detail`` is the colour of a sheet or the step up the chain."""

    event: Event | Occurrence
    detail: str
    unit: str
    joint: tuple[str, ...]
    district: str
    severity: int


def recipients(of: Happening, city: City, at: datetime) -> list[Recipient]:
    """Whom to tell, each once, by the city's local time, weekday and holiday."""
    return [*dict.fromkeys(_all(of, city, at))]


def _all(of: Happening, city: City, at: datetime) -> Iterator[Recipient]:
    district = city.districts.get(of.district)
    if of.event in TO_THE_UNIT:
        yield from _unit(of.unit, city)
        yield from _people(_on_duty(of, city, at))
    if of.event in _TO_JOINT_UNITS:
        for unit in of.joint:
            yield from _unit(unit, city)
    if (of.event, of.detail) == (Occurrence.UNATTENDED, "lead") and of.unit in city.units:
        yield from _people(city.units[of.unit].lead)
    if (of.event, of.detail) in _DISTRICT and district is not None:
        yield Recipient(MQTT, district.fallback)
        yield from _people(district.contacts)
    if (of.event, of.detail) in _LEADERSHIP:
        yield from _people(city.leadership)


def _unit(unit: str, city: City) -> Iterator[Recipient]:
    yield Recipient(MQTT, unit)
    if unit in city.units and city.units[unit].webhook:
        yield Recipient(WEBHOOK, city.units[unit].webhook)


def _on_duty(of: Happening, city: City, at: datetime) -> list[str]:
    """Those whose shift it is; where it is nobody's, the lead hears of what endangers life."""
    unit = city.units.get(of.unit)
    if unit is None:
        return []
    return on_duty(unit.shifts, at, city.calendar) or (unit.lead if of.severity >= _CRITICAL else [])


def _people(contacts: list[str] | tuple[str, ...]) -> Iterator[Recipient]:
    return (Recipient(PERSON, contact) for contact in contacts)
