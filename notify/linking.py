"""Where a message leads: to the page of the unit that is told, or to the desk for those above it. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cases.city import City
from cases.history import Occurrence
from notify.outbox import Notification
from notify.recipients import MQTT, PERSON

_ABOVE = {(Occurrence.SHEET, "yellow"), (Occurrence.SHEET, "red"), (Occurrence.UNATTENDED, "district")}


@dataclass(frozen=True, slots=True)
class Place:
    """A page: a unit's, or the desk's where ``unit`` is empty; of one case, or of all where ``case`` is empty."""

    unit: str
    case: str


class Links(Protocol):
    """Makes links. Asked again about the same message, it makes the same one."""

    async def to(self, place: Place, since: datetime) -> str:
        """A link that is good from then on, for as long as the city lets them be."""


def place_of(notification: Notification, city: City) -> Place:
    """Where a notification leads.

    A crew's link is a key: it goes to the unit's own devices and people alone.
    """
    case = "" if notification.others else notification.message.case_number
    return Place(_unit(notification, city), case)


def _unit(notification: Notification, city: City) -> str:
    message, target = notification.message, notification.target
    if notification.channel == MQTT:
        above = target != message.unit and (message.event, message.detail) in _ABOVE
        return "" if above else target
    if notification.channel == PERSON:
        unit = city.units.get(message.unit)
        own = unit and target in {*unit.lead, *(contact for shift in unit.shifts for contact in shift.contacts)}
        return message.unit if own else ""
    owners = [unit for unit, known in city.units.items() if known.webhook == target]
    return message.unit if message.unit in owners else next(iter(owners), "")
