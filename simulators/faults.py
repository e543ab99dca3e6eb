"""What goes wrong in the pretend city, with the truth about it: which device, when, who should notice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from simulators.city import PretendCity
from simulators.device import Device


class FaultKind(StrEnum):
    """What can befall a device."""

    COVER_OPENED = "cover_opened"
    COVER_FLIPPED = "cover_flipped"
    LOW_BATTERY = "low_battery"
    HIGH_WATER = "high_water"
    PURIFIER_OFF = "purifier_off"
    DIRTY_PURIFIER = "dirty_purifier"
    NIGHT_BURST = "night_burst"
    LOUD_NIGHT = "loud_night"
    DARK_LAMP = "dark_lamp"
    DARK_CIRCUIT = "dark_circuit"
    FLICKERING_LAMP = "flickering_lamp"
    WORN_LAMP = "worn_lamp"
    LEAKAGE = "leakage"
    LEAKAGE_SHOCK = "leakage_shock"
    STRAIN_OVER_LIMIT = "strain_over_limit"
    OVERLOAD_TRUCK = "overload_truck"
    STRONG_WIND = "strong_wind"
    SILENT_DEVICE = "silent_device"


@dataclass(frozen=True, slots=True)
class _Nature:
    """Which devices a fault can befall, and the rules that should notice it."""

    device_kind: str
    expects: tuple[str, ...]
    sensor: str = ""
    site: str = ""

    def fits(self, device: Device) -> bool:
        """Whether it can befall this one."""
        where = (device.kind, device.word("sensor_type"), device.word("site"))
        return where == (self.device_kind, self.sensor, self.site)


_NATURES: Mapping[FaultKind, tuple[_Nature, ...]] = {
    FaultKind.COVER_OPENED: (_Nature("manhole", ("MH-01",)),),
    FaultKind.COVER_FLIPPED: (_Nature("manhole", ("MH-01", "MH-02")),),
    FaultKind.LOW_BATTERY: (_Nature("manhole", ("MH-08",)),),
    FaultKind.HIGH_WATER: (_Nature("manhole", ("MH-05",)),),
    FaultKind.PURIFIER_OFF: (_Nature("fume", ("FU-03",)),),
    FaultKind.DIRTY_PURIFIER: (_Nature("fume", ("FU-01",)),),
    FaultKind.NIGHT_BURST: (_Nature("noise", ("NO-03",)),),
    FaultKind.LOUD_NIGHT: (_Nature("noise", ("NO-02",)), _Nature("noise", ("NO-04",), site="construction")),
    FaultKind.DARK_LAMP: (_Nature("streetlight", ("SL-01",)),),
    FaultKind.DARK_CIRCUIT: (_Nature("streetlight", ("SL-02",)),),
    FaultKind.FLICKERING_LAMP: (_Nature("streetlight", ("SL-06",)),),
    FaultKind.WORN_LAMP: (_Nature("streetlight", ("SL-05",)),),
    FaultKind.LEAKAGE: (_Nature("streetlight", ("SL-04",)),),
    FaultKind.LEAKAGE_SHOCK: (_Nature("streetlight", ("SL-04",)),),
    FaultKind.STRAIN_OVER_LIMIT: (_Nature("bridge", ("BR-01",), "strain"),),
    FaultKind.OVERLOAD_TRUCK: (_Nature("bridge", ("BR-04",), "wim"),),
    FaultKind.STRONG_WIND: (_Nature("bridge", ("BR-06",), "wind"),),
    FaultKind.SILENT_DEVICE: (_Nature("fume", ("FU-08",)), _Nature("noise", ("NO-06",))),
}

# A cover reports an alarm at once and repeats it while it lasts (vendor practice: 10 to 30 min); a lamp says at once
# that it has gone on or off.
REPEATS: Mapping[FaultKind, timedelta] = {
    FaultKind.COVER_OPENED: timedelta(minutes=10),
    FaultKind.COVER_FLIPPED: timedelta(minutes=10),
    FaultKind.LOW_BATTERY: timedelta(minutes=30),
    FaultKind.HIGH_WATER: timedelta(minutes=5),
    FaultKind.FLICKERING_LAMP: timedelta(minutes=2),
}

_DEMO_BEGINS_WITHIN_S = 480
_DEMO_LASTS = timedelta(hours=3)
_DEMO_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with one device from ``start`` until ``end`` (aware; the end is outside).

    ``expects`` are the ids of the rules that should notice it.
    """

    kind: FaultKind
    device_id: str
    start: datetime
    end: datetime
    expects: tuple[str, ...]

    def is_active(self, at: datetime) -> bool:
        """Whether the device is in this fault at that time."""
        return self.start <= at < self.end

    def ramp(self, at: datetime, over: timedelta) -> float:
        """How far a fault that grows has come: 0 at its start, 1 when ``over`` has passed."""
        return min(1.0, max(0.0, (at - self.start) / over))


def fault(kind: FaultKind, device: Device, start: datetime, end: datetime) -> Fault:
    """A fault of a device with the rules that should notice it.

    Raises:
        ValueError: if such a device cannot have such a fault.
    """
    for nature in _NATURES[kind]:
        if nature.fits(device):
            return Fault(kind, device.device_id, start, end, nature.expects)
    raise ValueError(f"{kind} cannot befall the {device.kind} {device.device_id}")


def demo_faults(city: PretendCity, start: datetime) -> list[Fault]:
    """Faults of every kind, one or two a district, that begin in the first 8 minutes and last 3 hours.

    At least two devices have each fault and no device has two; a dark circuit is dark from end to end. All of them can
    be noticed when it is about 22:00 local time at ``start``: bursts need the night, dark lamps the dark, purifiers and
    silent restaurants their business hours.
    """
    chosen = [*_choose(city)]
    faults = []
    for turn, (kind, device) in enumerate(chosen):
        begins = start + timedelta(seconds=_DEMO_BEGINS_WITHIN_S * turn // len(chosen))
        faults.append(fault(kind, device, begins, begins + _DEMO_LASTS))
    return faults


def _choose(city: PretendCity) -> Iterator[tuple[FaultKind, Device]]:
    """Round after round, one device for every kind of fault, each round from another district."""
    free = {device.device_id: device for device in city.devices}
    districts = sorted({device.district for device in city.devices})
    for turn in range(_DEMO_ROUNDS):
        for number, kind in enumerate(FaultKind):
            district = districts[(turn + number) % len(districts)]
            nature = _NATURES[kind][turn % len(_NATURES[kind])]
            candidates = [device for device in free.values() if device.district == district and nature.fits(device)]
            if candidates:
                device = candidates[turn * len(candidates) // _DEMO_ROUNDS]
                whole = [each for each in candidates if each.circuit == device.circuit]
                for each in whole if kind is FaultKind.DARK_CIRCUIT else [device]:
                    del free[each.device_id]
                    yield kind, each
