"""A device of the pretend city."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What the registry says of a device, and what makes it differ from its neighbours.

    Position in degrees (WGS84). ``limits`` and ``attributes`` name only what differs from the kind's
    defaults or matters to the physics. ``trait``, from 0 to 1, is the device's own character: how worn it
    is, how busy its surroundings are, when its cook gets up.
    """

    device_id: str
    kind: str
    name: str
    district: str
    grid: str
    lon: float
    lat: float
    road: str
    road_class: str
    component_class: str
    trait: float
    circuit: str = ""
    cabinet: str = ""
    gateway: str = ""
    supervisor: str = ""
    owner: str = ""
    maintainer: str = ""
    limits: Mapping[str, float] = field(default_factory=dict)
    attributes: Mapping[str, float | str] = field(default_factory=dict)

    def number(self, attribute: str, default: float) -> float:
        """A numeric attribute, or the default where the device has none of its own."""
        return float(self.attributes.get(attribute, default))

    def word(self, attribute: str) -> str:
        """A textual attribute; empty where the device has none of its own."""
        return str(self.attributes.get(attribute, ""))
