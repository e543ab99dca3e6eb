"""A device, and devices as a mapping that makes each of them out of columns when it is asked for."""

from collections.abc import Iterable, Iterator, Mapping, ValuesView

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns, Common, Texts
from devices.readings import Ints


class Description(Common, frozen=True, kw_only=True, gc=False):
    """A device as a registry file describes it. Position in degrees (CGCS2000, which equals WGS84 within a metre)."""

    device_id: str
    name: str
    lon: float
    lat: float


class Device(Description, frozen=True, kw_only=True, gc=False):
    """A registered device: its description and the number that stands for it in every table."""

    id: int


class Devices(Mapping[int, Device]):
    """Devices by number, each made of its columns when it is asked for."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self._place = np.full(highest(columns.number) + 1, -1, dtype=np.int32)
        self._place[columns.number] = np.arange(len(columns))
        self._by_name: tuple[Ints, Ints] | None = None

    def __getitem__(self, number: int) -> Device:
        place = self._place[number] if 0 <= number < len(self._place) else -1
        if place < 0:
            raise KeyError(number)
        return self.at(int(place))

    def __iter__(self) -> Iterator[int]:
        return iter(self.columns.number.tolist())

    def __len__(self) -> int:
        return len(self.columns)

    def values(self) -> ValuesView[Device]:
        """The devices by number."""
        return _All(self)

    def at(self, place: int) -> Device:
        """The device that stands there."""
        columns = self.columns
        return Device(
            id=int(columns.number[place]),
            device_id=columns.device_id[place],
            name=columns.name[place],
            lon=float(columns.lon[place]),
            lat=float(columns.lat[place]),
            **msgspec.structs.asdict(columns.commons[columns.common[place]]),
        )

    def places(self, numbers: Ints) -> NDArray[np.int32]:
        """Where devices stand; -1 for a number that is no device's."""
        places = np.full(len(numbers), -1, dtype=np.int32)
        known = numbers < len(self._place)
        places[known] = self._place[numbers[known]]
        return places

    def named(self, device_id: str) -> Device | None:
        """The device of this id; None if there is none."""
        hashes, places = self._names()
        wanted = hash(device_id)
        for place in places[np.searchsorted(hashes, wanted) : np.searchsorted(hashes, wanted, side="right")].tolist():
            if self.columns.device_id[place] == device_id:
                return self.at(place)
        return None

    def _names(self) -> tuple[Ints, Ints]:
        """The hashes of all ids, ascending, and whose they are: a tenth of a dictionary."""
        if self._by_name is None:
            hashes = np.fromiter(map(hash, self.columns.device_id), np.int64, len(self))
            places = np.argsort(hashes)
            self._by_name = hashes[places], places
        return self._by_name


class _All(ValuesView[Device]):
    """Devices one after the other, none of them looked for."""

    def __init__(self, devices: Devices) -> None:
        super().__init__(devices)
        self._devices = devices

    def __iter__(self) -> Iterator[Device]:
        return map(self._devices.at, range(len(self._devices)))


def columns_of(devices: Iterable[Device]) -> Columns:
    """Devices as columns; of those with the same number the last."""
    ordered = [device for _, device in sorted({device.id: device for device in devices}.items())]
    return Columns(
        number=np.array([device.id for device in ordered], dtype=np.int64),
        device_id=Texts.of(device.device_id for device in ordered),
        name=Texts.of(device.name for device in ordered),
        lon=np.array([device.lon for device in ordered], dtype=np.float64),
        lat=np.array([device.lat for device in ordered], dtype=np.float64),
        common=np.arange(len(ordered), dtype=np.int32),
        commons=[Common(**{name: getattr(device, name) for name in Common.__struct_fields__}) for device in ordered],
    )


def highest(numbers: Ints) -> int:
    """The highest of these numbers, 0 of none."""
    return int(numbers.max()) if len(numbers) else 0
