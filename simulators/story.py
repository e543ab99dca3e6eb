"""What happens in a city and how its messages travel: a scenario with its devices and times filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulators.faults import Fault
from simulators.physics.traffic import Crowd
from simulators.physics.weather import Gale, Rain


@dataclass(frozen=True, slots=True)
class Permit:
    """Work that the city has allowed: devices, what kind of work, from and until (µs), for whom."""

    kind: str
    devices: tuple[str, ...]
    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Story:
    """Faults, weather, crowds, permits; ``lines`` are settings of ``transport.Line`` by kind, or for ``all``.

    ``short`` names what befell fewer devices than the scenario asks for, because the city has no more of them.
    """

    faults: tuple[Fault, ...] = ()
    rains: tuple[Rain, ...] = ()
    gales: tuple[Gale, ...] = ()
    crowds: tuple[Crowd, ...] = ()
    permits: tuple[Permit, ...] = ()
    lines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    short: tuple[str, ...] = ()
