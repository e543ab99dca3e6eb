"""Who gets a case: who leads for the problem, is contracted, owns the facility, or answers for the district."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from cases.city import City
from cases.errors import NobodyResponsible


class Role(StrEnum):
    """Where the search for a unit begins; a rule may name it."""

    MAINTAINER = "maintainer"
    OWNER = "owner"


class Reason(StrEnum):
    """Why a unit got a case."""

    LEAD = "lead"
    MAINTAINER = "maintainer"
    CONTRACTOR = "contractor"
    OWNER = "owner"
    COMPONENT_CLASS = "component_class"
    OWNERLESS = "ownerless"
    DISTRICT_FALLBACK = "district_fallback"
    ASSIGNED = "assigned"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A unit's id in city.toml, why it is this one, and who answers for the case beside it."""

    unit: str
    reason: Reason
    joint: tuple[str, ...] = ()


def responsible_unit(
    *,
    maintainer: str,
    owner: str,
    component_class: str,
    district: str,
    city: City,
    day: date,
    problem: str = "",
    to: Role = Role.MAINTAINER,
) -> Assignment:
    """The unit that answers for a facility on a local date.

    Maintainer, owner and component class are the registry's, empty where it says nothing. A unit that
    city.toml does not know cannot be reached and is passed over. Where several answer for a problem jointly, the
    first leads, or whoever is found for the facility if that is one of them.

    Raises:
        NobodyResponsible: where the search ends in a district that city.toml does not know.
    """
    found = _of_facility(maintainer, owner, component_class, district, city, day, to)
    jointly = tuple(unit for unit in city.policy.joint.get(problem, ()) if unit in city.units)
    if not jointly:
        return found
    lead, reason = (found.unit, found.reason) if found.unit in jointly else (jointly[0], Reason.LEAD)
    return Assignment(lead, reason, tuple(unit for unit in jointly if unit != lead))


def _of_facility(
    maintainer: str, owner: str, component_class: str, district: str, city: City, day: date, to: Role
) -> Assignment:
    by_class = city.component_owners.get(component_class, "")
    owns = owner if owner in city.units else by_class
    contracted = (
        contract.unit
        for contract in city.policy.contracts
        if to is Role.MAINTAINER and contract.covers(owns, component_class, district, day)
    )
    found = {
        Reason.MAINTAINER: maintainer if to is Role.MAINTAINER else "",
        Reason.CONTRACTOR: next(contracted, ""),
        Reason.OWNER: owner,
        Reason.COMPONENT_CLASS: by_class,
    }
    for reason, unit in found.items():
        if unit in city.units:
            return Assignment(unit, reason)
    if district not in city.districts:
        raise NobodyResponsible(district)
    ownerless = component_class in city.policy.ownerless_classes
    reason = Reason.OWNERLESS if ownerless else Reason.DISTRICT_FALLBACK
    return Assignment(city.districts[district].fallback, reason)
