"""Derived quantities that conditions may name: time of day, sun, what a lamp should draw."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from devices.quality import Quality
from devices.readings import Floats
from rules import facilities
from rules.frame import Frame
from rules.truth import Truth


class Type(StrEnum):
    """What an expression is."""

    NUMBER = "a number"
    TRUTH = "a condition"
    WORD = "a word"


@dataclass(frozen=True, slots=True)
class Derived:
    """A derived quantity: its type, the attributes and metrics it needs, and how it is found.

    ``evaluate`` gets the frame and the duration written in brackets, 0 where none was; only a quantity that
    ``takes_margin`` may have one. ``unit`` of a number, None where it is taken on trust.
    """

    type: Type
    doc: str
    needs: tuple[str, ...]
    evaluate: Callable[[Frame, int], Truth | Floats]
    takes_margin: bool = False
    unit: str | None = None


def _night(frame: Frame, _margin: int) -> Truth:
    return Truth.known(frame.local_time.night(frame.readings.ts))


def _minute_of_day(frame: Frame, _margin: int) -> Floats:
    return frame.local_time.minute_of_day(frame.readings.ts).astype(np.float64)


def _weekday(frame: Frame, _margin: int) -> Floats:
    return frame.local_time.by_day(frame.readings.ts, lambda day: day.isoweekday()).astype(np.float64)


def _workday(frame: Frame, _margin: int) -> Truth:
    return Truth.known(frame.local_time.by_day(frame.readings.ts, frame.local_time.is_workday) != 0)


def _holiday(frame: Frame, _margin: int) -> Truth:
    return Truth.known(frame.local_time.by_day(frame.readings.ts, frame.local_time.is_holiday) != 0)


def _marked(bit: Quality) -> Callable[[Frame, int], Truth]:
    return lambda frame, _margin: Truth.known((frame.readings.quality & int(bit)) != 0)


_STRAIN = ("strain", "structure_temp", "strain_per_kelvin", "reference_temp")

DERIVED: Mapping[str, Derived] = {
    "night": Derived(Type.TRUTH, "between the city's night hours (22:00 to 06:00)", (), _night),
    "business_hours": Derived(
        Type.TRUTH,
        "between the device's business_open and business_close",
        ("business_open", "business_close"),
        facilities.business_hours,
    ),
    "meal_time": Derived(Type.TRUTH, "within one of the device's meal_times", ("meal_times",), facilities.meal_time),
    "fan_runs": Derived(
        Type.TRUTH, "fan_on, or by fan_current where that is not sent", ("fan_on", "fan_current"), facilities.fan_runs
    ),
    "purifier_runs": Derived(
        Type.TRUTH,
        "purifier_on, or by purifier_current where that is not sent",
        ("purifier_on", "purifier_current"),
        facilities.purifier_runs,
    ),
    "fair_weather": Derived(
        Type.TRUTH,
        "no rain, and wind below limit.wind_valid, as far as is sent",
        ("rain", "wind_speed"),
        facilities.fair_weather,
    ),
    "quiet": Derived(Type.TRUTH, "night, or one of the device's quiet_hours", ("quiet_hours",), facilities.quiet),
    "should_on": Derived(
        Type.TRUTH,
        'the lamp\'s timetable, else the sun being down there; should_on("15m") leaves 15 minutes at either end',
        (),
        facilities.should_on,
        takes_margin=True,
    ),
    "expected_power": Derived(
        Type.NUMBER,
        "W: rated power times dimming level",
        ("rated_power", "dim_level"),
        facilities.expected_power,
        unit="W",
    ),
    "zone_limit": Derived(
        Type.NUMBER,
        "dB(A): limit.day or limit.night, by the hour",
        ("noise_zone",),
        facilities.zone_limit,
        unit="dB(A)",
    ),
    "shock": Derived(
        Type.NUMBER, "g: acceleration beside gravity", ("accel_x", "accel_y", "accel_z"), facilities.shock, unit="g"
    ),
    "water_height": Derived(
        Type.NUMBER,
        "m above the bottom: water_level, or well_depth less water_distance where no level is sent",
        ("water_level", "water_distance", "well_depth"),
        facilities.water_height,
        unit="m",
    ),
    "residual_strain": Derived(
        Type.NUMBER,
        "µε: strain less what the member's temperature explains",
        _STRAIN,
        facilities.residual_strain,
        unit="µε",
    ),
    "response_ratio": Derived(
        Type.NUMBER,
        "the largest share of its limit among the responses of the structure that a reading carries",
        tuple(dict.fromkeys([*facilities.RESPONSES, *_STRAIN])),
        facilities.response_ratio,
        unit="1",
    ),
    "minute_of_day": Derived(Type.NUMBER, "local minutes since midnight", (), _minute_of_day, unit="min"),
    "weekday": Derived(Type.NUMBER, "local day of the week, 1 Monday to 7 Sunday", (), _weekday, unit="1"),
    "workday": Derived(Type.TRUTH, "a day on which offices work, make-up days among them", (), _workday),
    "holiday": Derived(Type.TRUTH, "a public holiday, or one of the city's own; plain weekends are none", (), _holiday),
    "frozen": Derived(Type.TRUTH, "the instrument stands still (quality bit)", (), _marked(Quality.FROZEN)),
    "implausible": Derived(
        Type.TRUTH, "a value lies outside its instrument's range (quality bit)", (), _marked(Quality.IMPLAUSIBLE)
    ),
}
