"""What hangs together: lamps on circuits and cabinets, sensors on bridges."""

from collections.abc import Iterator
from random import Random

from simulators.device import Device
from simulators.streets import DISTRICTS, place
from simulators.survey import Survey

_LIT_ROADS = (0, 2, 4, 6)  # every other road of a district; the first is the broad one
_ROAD_CLASSES = ("main", "secondary", "branch", "branch")
_LAMPS_A_CIRCUIT = 12
_CIRCUITS_A_CABINET = 2
# River bridges and viaducts in turn; viaducts stand on single columns and post a lower mass (t).
_RIVER_BRIDGE, _VIADUCT = ("0208", "跨河桥", "river bridge"), ("0207", "高架桥", "viaduct")
_POSTED_T = 40.0
_SENSORS_A_BRIDGE = 10
# In the order in which bridges are fitted out.
_SENSORS = (
    "strain", "wim", "wind", "strain", "tilt", "deflection", "crack", "acceleration", "displacement",
    "water_level", "cable_force", "temperature",
)  # fmt: skip


def streetlights(survey: Survey, count: int) -> Iterator[Device]:
    """Lamps in rows: neighbours share a circuit, circuits a cabinet, and a cabinet has the gateway."""
    random = survey.random
    for turn, district in enumerate(DISTRICTS):
        lamps = len(range(turn, count, len(DISTRICTS)))
        circuit = 0
        for row, road in enumerate(_LIT_ROADS):
            along = len(range(row, lamps, len(_LIT_ROADS)))
            broad = row == 0
            for step in range(along):
                if step % _LAMPS_A_CIRCUIT == 0:
                    circuit += 1
                spot = place(district, district.roads[road], (step + 0.5) / along, random)
                cabinet = (circuit - 1) // _CIRCUITS_A_CABINET + 1
                code = survey.code(district, "0118")
                yield Device(
                    device_id=code,
                    kind="streetlight",
                    name=spot.name("路灯", "street lamp", code[-3:]),
                    **spot.address,
                    road_class=_ROAD_CLASSES[row],
                    component_class="0118",
                    trait=random.random(),
                    circuit=f"{district.id}-circuit-{circuit:02}",
                    cabinet=f"{district.id}-cabinet-{cabinet:02}",
                    gateway=f"{district.id}-gateway-{cabinet:02}",
                    supervisor="housing",
                    owner=survey.owner("0118"),
                    maintainer="" if circuit % 3 == 0 else "lamp-care",
                    attributes={
                        "rated_power": 180 if broad else 120,
                        "pole_height": 12 if broad else 9,
                        "position": step % _LAMPS_A_CIRCUIT + 1,
                    },
                )


def bridges(survey: Survey, count: int) -> Iterator[Device]:
    """The sensors of at least one bridge a district, those of one bridge behind one gateway."""
    bridges_built = max(len(DISTRICTS), round(count / _SENSORS_A_BRIDGE))
    for number in range(bridges_built):
        viaduct = number % 2 == 1
        component_class, zh, en = _VIADUCT if viaduct else _RIVER_BRIDGE
        spot = survey.somewhere(number)
        bridge = survey.code(spot.district, component_class)
        owner = survey.owner(component_class)
        for turn in range(len(range(number, count, bridges_built))):
            sensor = _SENSORS[turn % len(_SENSORS)]
            yield Device(
                device_id=f"{bridge}-{sensor}-{turn + 1}",
                kind="bridge",
                name=spot.name(zh, f"{en}, {sensor}", f"{turn + 1:02}"),
                **spot.address,
                road_class="carriageway",
                component_class=component_class,
                trait=survey.random.random(),
                gateway=f"{bridge}-gateway",
                supervisor="housing",
                owner=owner,
                maintainer="" if number % 4 == 3 else "bridge-care",
                limits=_limits(sensor, viaduct=viaduct, random=survey.random),
                attributes={
                    "bridge": bridge,
                    "member": f"{'pier' if sensor == 'tilt' else 'span'} {1 + turn % 3}",
                    "sensor_type": sensor,
                    **_attributes(sensor, viaduct=viaduct, random=survey.random),
                },
            )


def _limits(sensor: str, *, viaduct: bool, random: Random) -> dict[str, float]:
    match sensor:
        case "strain":
            return {"strain": round(random.uniform(300, 450), -1)}
        case "wim" if viaduct:
            return {"gross_t": _POSTED_T}
        case _:
            return {}


def _attributes(sensor: str, *, viaduct: bool, random: Random) -> dict[str, float | str]:
    match sensor:
        case "tilt":
            return {"pier_type": "single_column" if viaduct else "multi_column"}
        case "acceleration":
            return {"baseline_frequency": round(random.uniform(2, 5), 2)}
        case _:
            return {}
