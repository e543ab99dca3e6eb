"""How a city runs its dispatch: who decides, how long things may take, what stops a clock.

All of it is data of the city, in ``[dispatch]`` and the tables beside it in city.toml; what a city does not say has a
project default here, each with its source.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import IntEnum

from cases.clocks import Allowance


class Colour(IntEnum):
    """The three colours of supervision, 白黄红, in order of gravity."""

    NONE = 0
    WHITE = 1
    YELLOW = 2
    RED = 3


@dataclass(frozen=True, slots=True)
class Pause:
    """A reason for which a case's clocks may stop; with ``at_most`` they go on by themselves after that."""

    names: Mapping[str, str]
    at_most: Allowance | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """A contractor who maintains for an owner from one local date to another, both included.

    ``classes`` and ``districts`` narrow it down; empty means all of the owner's.
    """

    unit: str
    owner: str
    begins: date
    ends: date
    classes: frozenset[str] = frozenset()
    districts: frozenset[str] = frozenset()

    def covers(self, owner: str, component_class: str, district: str, day: date) -> bool:
        """Whether the contract is in force for such a facility on a local date."""
        return (
            owner == self.owner
            and self.begins <= day <= self.ends
            and (not self.classes or component_class in self.classes)
            and (not self.districts or district in self.districts)
        )


def _accept() -> dict[int, Allowance]:
    """Half an hour for what endangers life, half a working day (a city's rule) for the rest."""
    half_a_day = Allowance.parse("4h office")
    return {4: Allowance.parse("30m urgent"), 3: half_a_day, 2: half_a_day, 1: half_a_day}


def _reply() -> dict[Colour, Allowance]:
    return {
        Colour.WHITE: Allowance.parse("1d work"),
        Colour.YELLOW: Allowance.parse("4h office"),
        Colour.RED: Allowance.parse("2h urgent"),
    }


def _points() -> dict[Colour, int]:
    """A city in Sichuan takes one point with a yellow sheet and two with a red one."""
    return {Colour.WHITE: 0, Colour.YELLOW: -1, Colour.RED: -2}


def _pauses() -> dict[str, Pause]:
    return {
        "weather": Pause({"en": "weather in which work is dangerous", "zh": "恶劣天气"}, Allowance.parse("3d natural")),
        "permit": Pause({"en": "waiting for a permit to dig or close a road", "zh": "等待占掘路许可"}),
        "power_company": Pause({"en": "waiting for the power company", "zh": "等待供电部门"}),
        "project": Pause({"en": "needs a works project of its own", "zh": "需列入工程计划"}),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A city's way of dispatching.

    ``arbiter`` decides whose a case is after two returns; empty: the district's fallback unit. Facilities of
    ``ownerless_classes`` are announced for ``public_notice`` while the district acts (one working day: practice of
    Tianjin). ``settle`` is how long a member's alarm, unless it is critical, waits for the alarm of its group: where
    lamps report every five minutes a dark circuit is known up to four minutes later than its first dark lamp. Cases of
    different kinds on one road within ``incident_within`` are one incident. A problem that returns within
    ``regression_within`` of a repair reopens its case. ``observe`` is how long a case that recovered by itself is
    watched; ``photo_holds`` how long a photo of a supervisor stands against an alarm that is still active. ``accept``
    is by severity, ``reply`` and ``points`` by colour of the sheet; ``joint`` names for a problem the units that answer
    for it together, the first as lead.
    """

    arbiter: str = ""
    ownerless_classes: frozenset[str] = frozenset()
    public_notice: Allowance = field(default_factory=lambda: Allowance.parse("1d work"))
    settle: timedelta = timedelta(minutes=5)
    incident_within: timedelta = timedelta(minutes=10)
    regression_within: timedelta = timedelta(days=7)
    observe: Allowance = field(default_factory=lambda: Allowance.parse("2h natural"))
    photo_holds: Allowance = field(default_factory=lambda: Allowance.parse("24h natural"))
    accept: Mapping[int, Allowance] = field(default_factory=_accept)
    reply: Mapping[Colour, Allowance] = field(default_factory=_reply)
    points: Mapping[Colour, int] = field(default_factory=_points)
    pauses: Mapping[str, Pause] = field(default_factory=_pauses)
    joint: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    contracts: tuple[Contract, ...] = ()
