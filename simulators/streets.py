"""Where things can stand: three districts, eight straight roads each, unit grids of 15 digits."""

from dataclasses import dataclass
from random import Random
from typing import TypedDict

# Half the extent of a district in degrees, about 1.9 km each way.
_HALF_LON, _HALF_LAT = 0.02, 0.018
# Where the four parallel roads of each direction run, in half extents from the district's centre.
_LANES = (-0.75, -0.25, 0.25, 0.75)
# A facility stands within this many degrees of the road's axis, about 10 m.
_BESIDE = 0.0001


@dataclass(frozen=True, slots=True)
class Road:
    """A straight road from one edge of its district to the other, so many half extents off its centre."""

    name: str
    runs_east: bool
    lane: float


@dataclass(frozen=True, slots=True)
class District:
    """A district: six digits of county code (99 is no province), the centre in degrees, its roads."""

    id: str
    county: str
    lon: float
    lat: float
    roads: tuple[Road, ...]


class Address(TypedDict):
    """The fields of a device that follow from where it stands."""

    district: str
    grid: str
    lon: float
    lat: float
    road: str


@dataclass(frozen=True, slots=True)
class Place:
    """A spot beside a road."""

    district: District
    road: Road
    lon: float
    lat: float

    @property
    def grid(self) -> str:
        """The unit grid: county, street office, community (3 digits each after the 6) and sequence.

        The district is quartered three times: the first quartering gives the street office, the second the
        community, the third the grid within it.
        """
        east = _cell(self.lon, self.district.lon, _HALF_LON)
        north = _cell(self.lat, self.district.lat, _HALF_LAT)
        quarters = [1 + (east >> bit & 1) + 2 * (north >> bit & 1) for bit in (2, 1, 0)]
        return self.district.county + "".join(f"{quarter:03}" for quarter in quarters)

    @property
    def address(self) -> Address:
        """The place as a device's fields."""
        return {
            "district": self.district.id,
            "grid": self.grid,
            "lon": self.lon,
            "lat": self.lat,
            "road": self.road.name,
        }

    def name(self, zh: str, en: str, number: str) -> str:
        """What people call a thing here: road, thing and number, and in English what it is."""
        return f"{self.road.name.split()[0]}{zh}{number} ({en})"


def place(district: District, road: Road, share: float, random: Random) -> Place:
    """A spot beside a road, ``share`` (0 to 1) of the way along it."""
    along, across = 2 * share - 1, road.lane
    east, north = (along, across) if road.runs_east else (across, along)
    return Place(
        district,
        road,
        lon=round(district.lon + east * _HALF_LON + random.uniform(-_BESIDE, _BESIDE), 6),
        lat=round(district.lat + north * _HALF_LAT + random.uniform(-_BESIDE, _BESIDE), 6),
    )


def _cell(at: float, centre: float, half: float) -> int:
    return min(7, max(0, int((at - centre + half) / (2 * half) * 8)))


def _roads(*names: str) -> tuple[Road, ...]:
    """The first four run east, the others north."""
    return tuple(
        Road(name, runs_east=index < len(_LANES), lane=_LANES[index % len(_LANES)]) for index, name in enumerate(names)
    )


DISTRICTS = (
    District(
        id="qiaodong", county="990101", lon=114.330, lat=30.605,
        roads=_roads(
            "桥东大道 Qiaodong Ave", "解放路 Jiefang Rd", "人民路 Renmin Rd", "建设路 Jianshe Rd",
            "东风路 Dongfeng Rd", "新华街 Xinhua St", "文庙街 Wenmiao St", "学府路 Xuefu Rd",
        ),
    ),
    District(
        id="binjiang", county="990102", lon=114.285, lat=30.600,
        roads=_roads(
            "沿江大道 Yanjiang Ave", "胜利路 Shengli Rd", "和平路 Heping Rd", "渔港街 Yugang St",
            "中山路 Zhongshan Rd", "花园路 Huayuan Rd", "码头街 Matou St", "船厂路 Chuanchang Rd",
        ),
    ),
    District(
        id="gaoxin", county="990103", lon=114.310, lat=30.560,
        roads=_roads(
            "高新大道 Gaoxin Ave", "科技路 Keji Rd", "创新路 Chuangxin Rd", "智慧路 Zhihui Rd",
            "未来路 Weilai Rd", "湖滨路 Hubin Rd", "南环路 Nanhuan Rd", "软件园路 Ruanjianyuan Rd",
        ),
    ),
)  # fmt: skip
