"""What goes wrong in the pretend city, with the truth about it: which devices, when, who should notice and by when.

The ids of rules are those of the catalogue; nothing here knows how they judge.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from devices.moments import MICROS
from simulators.device import Device

MINUTE = 60 * MICROS
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class FaultKind(StrEnum):
    """What can befall a device."""

    COVER_OPENED = "cover_opened"
    COVER_FLIPPED = "cover_flipped"
    COVER_STOLEN = "cover_stolen"
    LOOSE_COVER = "loose_cover"
    SETTLEMENT = "settlement"
    HIGH_WATER = "high_water"
    OVERFLOW = "overflow"
    LOW_BATTERY = "low_battery"
    TRUCK_SHOCKS = "truck_shocks"
    PURIFIER_OFF = "purifier_off"
    DIRTY_PURIFIER = "dirty_purifier"
    HEAVY_SMOKE = "heavy_smoke"
    COVERED_INLET = "covered_inlet"
    DILUTED_DUCT = "diluted_duct"
    CLEANING_OVERDUE = "cleaning_overdue"
    WOK_SPIKES = "wok_spikes"
    NIGHT_BURST = "night_burst"
    NIGHT_WORKS = "night_works"
    LOUD_NIGHT = "loud_night"
    LOUD_DAY = "loud_day"
    SQUARE_MUSIC = "square_music"
    DARK_LAMP = "dark_lamp"
    DAY_BURNER = "day_burner"
    FLICKERING_LAMP = "flickering_lamp"
    WORN_LAMP = "worn_lamp"
    LEAKAGE = "leakage"
    LEAKAGE_SHOCK = "leakage_shock"
    DARK_CIRCUIT = "dark_circuit"
    STRAIN_OVER_LIMIT = "strain_over_limit"
    PIER_TILT = "pier_tilt"
    CRACK_GROWTH = "crack_growth"
    OVERLOAD_TRUCK = "overload_truck"
    VIBRATION = "vibration"
    STRONG_WIND = "strong_wind"
    FLATLINE = "flatline"
    OUT_OF_RANGE = "out_of_range"
    SILENT_DEVICE = "silent_device"
    POWER_CUT = "power_cut"
    SENSOR_SWAP = "sensor_swap"


@dataclass(frozen=True, slots=True)
class Nature:
    """Which devices a fault can befall, and what should be noticed.

    ``expects`` are the rules that should notice it with the time that they may take (µs from its beginning);
    ``allows`` are rules that may notice it as well; every other rule that speaks up for these devices meanwhile is
    wrong. ``where`` are attributes that the device must have.
    """

    device_kind: str
    expects: Mapping[str, int]
    allows: tuple[str, ...] = ()
    where: tuple[tuple[str, str], ...] = ()

    def fits(self, device: Device) -> bool:
        """Whether it can befall this one."""
        return self.device_kind == device.kind and all(device.word(name) == value for name, value in self.where)


def _sensor(sort: str) -> tuple[tuple[str, str], ...]:
    return (("sensor_type", sort),)


_SITE = (("site", "construction"),)
_SQUARE = (("site", "social"),)
_AREA = (("site", ""),)
# What shows in an hour of the clock needs a whole one, and some minutes for what is late.
_WHOLE_HOUR = 125 * MINUTE
_SMOKE = ("FU-01", "FU-02", "FU-04", "FU-05")
# What a lamp that is dark, weak or silent is to its circuit, its road and its district, if it is one of several.
_RATES = ("KP-01", "KP-02", "KP-05")
_DARKNESS = ("SL-01", "SL-02", "SL-05", *_RATES)

NATURES: Mapping[FaultKind, tuple[Nature, ...]] = {
    FaultKind.COVER_OPENED: (Nature("manhole", {"MH-01": MINUTE}),),
    FaultKind.COVER_FLIPPED: (Nature("manhole", {"MH-01": MINUTE, "MH-02": MINUTE}),),
    FaultKind.COVER_STOLEN: (Nature("manhole", {"MH-02": MINUTE}, allows=("MH-01",)),),
    FaultKind.LOOSE_COVER: (Nature("manhole", {"MH-03": DAY}),),
    FaultKind.SETTLEMENT: (Nature("manhole", {"MH-04": 5 * DAY}),),
    FaultKind.HIGH_WATER: (Nature("manhole", {"MH-05": 2 * HOUR}),),
    FaultKind.OVERFLOW: (Nature("manhole", {"MH-05": 2 * HOUR, "MH-06": 2 * HOUR}),),
    FaultKind.LOW_BATTERY: (Nature("manhole", {"MH-08": 2 * HOUR}),),
    FaultKind.TRUCK_SHOCKS: (Nature("manhole", {}),),
    FaultKind.PURIFIER_OFF: (Nature("fume", {"FU-03": 7 * MINUTE}, allows=_SMOKE),),
    FaultKind.DIRTY_PURIFIER: (Nature("fume", {"FU-01": 40 * MINUTE}, allows=("FU-02", "FU-05")),),
    FaultKind.HEAVY_SMOKE: (Nature("fume", {"FU-01": 25 * MINUTE}, allows=("FU-02", "FU-05")),),
    FaultKind.COVERED_INLET: (Nature("fume", {"FU-06": _WHOLE_HOUR}),),
    FaultKind.DILUTED_DUCT: (Nature("fume", {"FU-06": _WHOLE_HOUR}),),
    FaultKind.CLEANING_OVERDUE: (Nature("fume", {"FU-07": DAY + HOUR}),),
    FaultKind.WOK_SPIKES: (Nature("fume", {}),),
    FaultKind.NIGHT_BURST: (Nature("noise", {"NO-03": HOUR}, allows=("NO-02", "NO-04", "KP-03")),),
    FaultKind.NIGHT_WORKS: (Nature("noise", {"NO-04": 45 * MINUTE}, allows=("NO-02", "NO-03"), where=_SITE),),
    FaultKind.LOUD_NIGHT: (Nature("noise", {"NO-02": _WHOLE_HOUR}, ("NO-03", "KP-03"), _AREA),),
    FaultKind.LOUD_DAY: (Nature("noise", {"NO-01": HOUR + _WHOLE_HOUR}, ("KP-04",), _AREA),),
    FaultKind.SQUARE_MUSIC: (Nature("noise", {"NO-05": 50 * MINUTE}, ("NO-01", "NO-02", "NO-03"), _SQUARE),),
    FaultKind.DARK_LAMP: (Nature("streetlight", {"SL-01": 25 * MINUTE}, allows=_DARKNESS),),
    FaultKind.DAY_BURNER: (Nature("streetlight", {"SL-03": 65 * MINUTE}, ("KP-02",)),),
    FaultKind.FLICKERING_LAMP: (Nature("streetlight", {"SL-06": 65 * MINUTE}, allows=_DARKNESS),),
    FaultKind.WORN_LAMP: (Nature("streetlight", {"SL-05": 40 * MINUTE}, _RATES),),
    FaultKind.LEAKAGE: (Nature("streetlight", {"SL-04": 30 * MINUTE}, ("KP-02",)),),
    FaultKind.LEAKAGE_SHOCK: (Nature("streetlight", {"SL-04": 6 * MINUTE}, ("KP-02",)),),
    FaultKind.DARK_CIRCUIT: (Nature("streetlight", {"SL-02": 30 * MINUTE}, allows=_DARKNESS),),
    FaultKind.STRAIN_OVER_LIMIT: (Nature("bridge", {"BR-01": 15 * MINUTE}, ("BR-08",), _sensor("strain")),),
    FaultKind.PIER_TILT: (Nature("bridge", {"BR-02": 15 * MINUTE}, ("BR-01", "BR-08"), _sensor("tilt")),),
    FaultKind.CRACK_GROWTH: (Nature("bridge", {"BR-03": 8 * DAY}, where=_sensor("crack")),),
    FaultKind.OVERLOAD_TRUCK: (Nature("bridge", {"BR-04": HOUR}, where=_sensor("wim")),),
    FaultKind.VIBRATION: (Nature("bridge", {"BR-05": 25 * MINUTE}, where=_sensor("acceleration")),),
    FaultKind.STRONG_WIND: (Nature("bridge", {"BR-06": 15 * MINUTE}, where=_sensor("wind")),),
    FaultKind.FLATLINE: tuple(
        Nature("bridge", {"BR-07": 6 * HOUR + _WHOLE_HOUR}, where=_sensor(sort))
        for sort in ("strain", "deflection", "displacement")
    ),
    FaultKind.OUT_OF_RANGE: tuple(
        Nature("bridge", {"BR-07": _WHOLE_HOUR}, where=_sensor(sort))
        for sort in ("strain", "deflection", "displacement")
    ),
    FaultKind.SILENT_DEVICE: (
        Nature("fume", {"FU-08": 40 * MINUTE}),
        Nature("noise", {"NO-06": 40 * MINUTE}),
        Nature("streetlight", {"SL-07": 150 * MINUTE}, _RATES),
    ),
    FaultKind.POWER_CUT: (
        Nature("fume", {}, allows=("FU-08",)),
        Nature("noise", {}, allows=("NO-06",)),
        Nature("streetlight", {}, allows=("SL-07", "SL-09", *_DARKNESS)),
    ),
    FaultKind.SENSOR_SWAP: (Nature("manhole", {}), Nature("fume", {}), Nature("noise", {}), Nature("streetlight", {})),
}

# The device says nothing at all.
SILENCES = (FaultKind.SILENT_DEVICE, FaultKind.POWER_CUT, FaultKind.SENSOR_SWAP)
# Some devices tell a fault at once, repeat it as long as it lasts (vendor practice: 10 to 30 min), and tell its end.
REPEATS: Mapping[FaultKind, int] = {
    FaultKind.COVER_OPENED: 10 * MINUTE,
    FaultKind.COVER_FLIPPED: 10 * MINUTE,
    FaultKind.COVER_STOLEN: 10 * MINUTE,
    FaultKind.LOW_BATTERY: 30 * MINUTE,
    FaultKind.TRUCK_SHOCKS: 7 * MINUTE,
    FaultKind.LOOSE_COVER: 3 * MINUTE,
    FaultKind.PURIFIER_OFF: 60 * MINUTE,
    FaultKind.LEAKAGE_SHOCK: 60 * MINUTE,
    FaultKind.FLICKERING_LAMP: 2 * MINUTE,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with devices from ``start`` until ``end`` (µs since 1970 UTC; the end is outside).

    ``size`` is how bad it is: 1 is the usual case. ``label`` names it in the truth that goes with a scenario;
    ``under_permit``: the city knows of it, so an alarm is right and a case is not.
    """

    kind: FaultKind
    devices: tuple[str, ...]
    start: int
    end: int
    size: float = 1.0
    label: str = ""
    under_permit: bool = False


def nature_of(kind: FaultKind, device: Device) -> Nature | None:
    """How this fault shows on this device; None where it cannot befall it."""
    return next((nature for nature in NATURES[kind] if nature.fits(device)), None)


def fault(kind: FaultKind, device: Device, start: int, end: int) -> Fault:
    """A fault of one device.

    Raises:
        ValueError: if such a device cannot have such a fault.
    """
    if nature_of(kind, device) is None:
        raise ValueError(f"{kind} cannot befall the {device.kind} {device.device_id}")
    return Fault(kind, (device.device_id,), start, end)
