"""Who gets a case: whoever is contracted, else whoever owns the facility, else the district."""

from dataclasses import dataclass
from enum import StrEnum

from cases.city import City
from cases.errors import NobodyResponsible


class Role(StrEnum):
    """Where the search for a unit begins; a rule may name it."""

    MAINTAINER = "maintainer"
    OWNER = "owner"


class Reason(StrEnum):
    """Why a unit got a case."""

    MAINTAINER = "maintainer"
    OWNER = "owner"
    COMPONENT_CLASS = "component_class"
    DISTRICT_FALLBACK = "district_fallback"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A unit's id in city.toml, and why it is this one."""

    unit: str
    reason: Reason


def responsible_unit(
    *,
    maintainer: str,
    owner: str,
    component_class: str,
    district: str,
    city: City,
    to: Role = Role.MAINTAINER,
) -> Assignment:
    """The unit that answers for a facility.

    Maintainer, owner and component class are the registry's, empty where it says nothing. A unit that
    city.toml does not know cannot be reached and is passed over.

    Raises:
        NobodyResponsible: where the search ends in a district that city.toml does not know.
    """
    found = {
        Reason.MAINTAINER: maintainer if to is Role.MAINTAINER else "",
        Reason.OWNER: owner,
        Reason.COMPONENT_CLASS: city.component_owners.get(component_class, ""),
    }
    for reason, unit in found.items():
        if unit in city.units:
            return Assignment(unit, reason)
    if district not in city.districts:
        raise NobodyResponsible(district)
    return Assignment(city.districts[district].fallback, Reason.DISTRICT_FALLBACK)
