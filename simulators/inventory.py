"""What stands by itself: covers, restaurants, noise meters."""

from collections.abc import Iterator

from devices.kind import Kind
from simulators.device import Device
from simulators.streets import DISTRICTS
from simulators.survey import Survey

# Cover classes and how many of a hundred covers are of each; 0114 is nobody's.
_COVERS = {
    "0102": (34, "污水井盖", "sewage cover"),
    "0103": (20, "雨水井盖", "storm water cover"),
    "0101": (14, "上水井盖", "water cover"),
    "0105": (9, "电力井盖", "power cover"),
    "0107": (7, "通讯井盖", "telecom cover"),
    "0111": (5, "燃气井盖", "gas cover"),
    "0106": (4, "路灯井盖", "lighting cover"),
    "0110": (3, "热力井盖", "heating cover"),
    "0114": (4, "无主井盖", "cover without owner"),
}
_COVERS_OF_CONTRACTOR = {"0102", "0103"}
_ROAD_CLASSES = {"carriageway": 60, "footway": 25, "lane": 10, "square": 5}
_KITCHENS = ("桂香酒楼", "福满小馆", "老街面馆", "江鲜饭庄", "红炉火锅", "同乐食堂", "春和茶餐厅")
# Zones of GB 3096 in turn, and what the meter watches there where that is not the area.
_ZONES = (
    ("2", ""), ("1", ""), ("4a", "construction"), ("2", "social"), ("3", ""),
    ("1", ""), ("2", ""), ("4a", ""), ("0", ""), ("4b", ""),
)  # fmt: skip
_SITES = {
    "": ("噪声站", "noise station"),
    "construction": ("工地噪声站", "building site"),
    "social": ("广场噪声站", "square"),
}


def manholes(survey: Survey, count: int) -> Iterator[Device]:
    """Covers of all owners, most of them in the carriageway."""
    random = survey.random
    for index in range(count):
        spot = survey.somewhere(index)
        cover = random.choices([*_COVERS], [share for share, _, _ in _COVERS.values()])[0]
        if index < len(DISTRICTS):  # every district has a cover without an owner
            cover = "0114"
        _, zh, en = _COVERS[cover]
        code = survey.code(spot.district, cover)
        attributes: dict[str, float | str] = {
            "cover_type": random.choices(["six_proof", "hidden", "old"], [5, 1, 4])[0],
            "load_class": random.choice(["C250", "D400"]),
            "well_depth": round(random.uniform(2, 5), 1),
        }
        if index % 10 == 7:  # a sensor that does not subtract the slope of the road
            attributes["baseline_tilt"] = round(random.uniform(0.5, 2.5), 1)
        contracted = cover in _COVERS_OF_CONTRACTOR and random.random() < 0.5
        yield Device(
            device_id=code,
            kind="manhole",
            name=spot.name(zh, en, code[-3:]),
            **spot.address,
            road_class=random.choices([*_ROAD_CLASSES], [*_ROAD_CLASSES.values()])[0],
            component_class=cover,
            trait=random.random(),
            supervisor="municipal",
            owner=survey.owner(cover),
            maintainer="road-care" if contracted else "",
            attributes=attributes,
        )


def fumes(survey: Survey, count: int) -> Iterator[Device]:
    """Restaurants: open from ten to eleven in the evening, a few of them until two."""
    random = survey.random
    for index in range(count):
        spot = survey.somewhere(index)
        stoves = random.choices([2, 4, 5, 8], [4, 3, 2, 1])[0]
        code = survey.code(spot.district, "0380")
        attributes: dict[str, float | str] = {
            "size": "small" if stoves < 3 else "medium" if stoves < 6 else "large",
            "stoves": stoves,
        }
        if index % 9 == 8:
            attributes |= {"business_open": "11:00", "business_close": "02:00"}
        road_class, trait = random.choice(["footway", "lane"]), random.random()
        attributes |= {"restaurant": f"restaurant {code[-6:]}", "clean_current": round(1 + trait, 2)}
        yield Device(
            device_id=code,
            kind="fume",
            name=spot.name(_KITCHENS[index % len(_KITCHENS)], "restaurant", code[-3:]),
            **spot.address,
            road_class=road_class,
            component_class="0380",
            trait=trait,
            supervisor="city-cg",
            owner=survey.named(f"{spot.district.id}-cg"),
            maintainer="sensor-care" if random.random() < 0.7 else "",
            attributes=attributes,
        )


def noises(survey: Survey, count: int) -> Iterator[Device]:
    """Noise meters in every zone of GB 3096."""
    random = survey.random
    for index in range(count):
        spot = survey.somewhere(index)
        zone, site = _ZONES[index // len(DISTRICTS) % len(_ZONES)]
        zh, en = _SITES[site]
        code = survey.code(spot.district, "0308")
        yield Device(
            device_id=code,
            kind="noise",
            name=spot.name(f"{zone}类区{zh}", f"{en}, zone {zone}", code[-3:]),
            **spot.address,
            road_class="square" if site == "social" or zone in {"0", "1"} else "footway",
            component_class="0308",
            trait=random.random(),
            supervisor="environment",
            owner=survey.owner("0308"),
            maintainer="sensor-care" if random.random() < 0.7 else "",
            attributes={"noise_zone": zone} | ({"site": site} if site else {}),
        )


def others(survey: Survey, kind: Kind, count: int) -> Iterator[Device]:
    """Devices of a kind that this city knows only by its description."""
    for index in range(count):
        spot = survey.somewhere(index)
        code = survey.code(spot.district, kind.component_classes[0])
        yield Device(
            device_id=code,
            kind=kind.name,
            name=spot.name(kind.names["zh"], kind.names["en"], code[-3:]),
            **spot.address,
            road_class="footway",
            component_class=kind.component_classes[0],
            trait=survey.random.random(),
            maintainer="sensor-care",
        )
