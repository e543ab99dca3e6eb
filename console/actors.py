"""Who stands in histories, as everybody reads it in their own language."""

from cases.city import City
from cases.words import Language
from console.words import named, word

CREW_OF = "crew of "  # before the unit's id: how a crew with a link stands in histories


def actor(name: str, city: City, language: Language) -> str:
    """Who stands in a history, for people: a crew by its unit, a program by what it does, others as they are called."""
    unit = city.units.get(name.removeprefix(CREW_OF)) if name.startswith(CREW_OF) else None
    return word("crew.of", language).format(unit=unit.name[language]) if unit else named("actor", name, language)
