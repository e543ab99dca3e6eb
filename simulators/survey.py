"""What the builders of the city share: random numbers, component codes, owners, places."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from simulators.streets import DISTRICTS, District, Place, place

# Real registries do not know every owner; one time in five this one does not either.
_OWNER_KNOWN = 0.8


@dataclass(frozen=True, slots=True)
class Survey:
    """A city while it is being built. ``owners`` maps a component class to the unit that owns such things."""

    random: Random
    owners: Mapping[str, str]
    _last: Counter[str] = field(default_factory=Counter)

    def somewhere(self, index: int) -> Place:
        """A spot in the district whose turn it is."""
        district = DISTRICTS[index % len(DISTRICTS)]
        return place(district, self.random.choice(district.roads), self.random.random(), self.random)

    def code(self, district: District, component_class: str) -> str:
        """The next free component code: 6 digits county, 2 major and 2 minor class, 6 sequence."""
        stem = district.county + component_class
        self._last[stem] += 1
        return f"{stem}{self._last[stem]:06}"

    def owner(self, component_class: str) -> str:
        """The owner that the registry names; empty where it does not know."""
        return self.named(self.owners.get(component_class, ""))

    def named(self, unit: str) -> str:
        """The unit, or empty where the registry does not know it."""
        return unit if self.random.random() < _OWNER_KNOWN else ""
