"""The pretend city as a whole: drawn from a seed, written as the registry that Cityward reads."""

import csv
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from types import MappingProxyType

from devices.kind import Kind, load_kinds
from simulators.device import Device
from simulators.inventory import fumes, manholes, noises, others
from simulators.structures import bridges, streetlights
from simulators.survey import Survey

CITY_FILE = Path(__file__).parent / "cities" / "demo" / "city.toml"
SMALLEST = 100  # fewer devices than this leave a district without one of the kinds or a bridge without sensors
# Devices of each kind in a thousand; lamps are the rest.
_SHARES = {"manhole": 250, "fume": 150, "noise": 120, "bridge": 80}
_BUILDERS = {"manhole": manholes, "fume": fumes, "noise": noises, "bridge": bridges}
_OTHERS = 30  # devices of each further kind
_COLUMNS = (
    "device_id", "kind", "name", "district", "grid", "lon", "lat", "road", "road_class", "component_class",
    "circuit", "cabinet", "gateway", "supervisor", "owner", "maintainer",
)  # fmt: skip


@dataclass(frozen=True)
class PretendCity:
    """The devices of a city and the kinds they are of, by name."""

    devices: tuple[Device, ...]
    kinds: Mapping[str, Kind]

    @cached_property
    def by_id(self) -> Mapping[str, Device]:
        """Every device by its id."""
        return {device.device_id: device for device in self.devices}

    @cached_property
    def _by_kind(self) -> Mapping[str, list[Device]]:
        found: dict[str, list[Device]] = defaultdict(list)
        for device in self.devices:
            found[device.kind].append(device)
        return found

    def of_kind(self, kind: str) -> list[Device]:
        """The devices of a kind, in the order of the registry."""
        return self._by_kind.get(kind, [])


def build_city(
    seed: int,
    devices: int = 520,
    kinds: Mapping[str, Kind] | None = None,
    shares: Mapping[str, int] = MappingProxyType(_SHARES),
) -> PretendCity:
    """A city of so many devices; the same seed, number and kinds give the same city.

    Args:
        seed: Where its random numbers start.
        devices: How many devices it has, all five kinds and three districts together; at least 100. Every
            further kind adds a few of its own.
        kinds: The installed kinds; those that come along where None.
        shares: Covers, restaurants, meters and sensors on bridges in a thousand devices; lamps are the rest.

    Raises:
        ValueError: if the city would be too small to have something of everything.
    """
    if devices < SMALLEST:
        raise ValueError(f"a pretend city needs at least {SMALLEST} devices, not {devices}")
    owners = tomllib.loads(CITY_FILE.read_text(encoding="utf-8"))["component_owners"]
    survey = Survey(Random(f"city {seed}"), owners)
    built: list[Device] = []
    for kind_name, build in _BUILDERS.items():
        built += build(survey, devices * shares[kind_name] // 1000)
    built += streetlights(survey, devices - len(built))
    installed = kinds if kinds is not None else load_kinds()
    built_in = {device.kind for device in built}
    for kind in installed.values():
        if kind.name not in built_in:
            built += others(survey, kind, _OTHERS)
    return PretendCity(tuple(built), installed)


def write_registry(city: PretendCity, path: Path) -> None:
    """Write the city's registry as CSV: UTF-8, headings first, one device a row.

    ``limit.*`` and ``attr.*`` columns are filled only where a device differs from its kind's default, or
    where the kind has none.
    """
    limits = sorted({name for device in city.devices for name in device.limits})
    attributes = sorted({name for device in city.devices for name in device.attributes})
    headings = [*_COLUMNS, *(f"limit.{name}" for name in limits), *(f"attr.{name}" for name in attributes)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(headings)
        for device in city.devices:
            row = [getattr(device, column) for column in _COLUMNS]
            row += [device.limits.get(name, "") for name in limits]
            row += [device.attributes.get(name, "") for name in attributes]
            writer.writerow(row)
