"""Derived quantities that conditions may name: time of day, sun, what a lamp should draw."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

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
    ``takes_margin`` may have one.
    """

    type: Type
    doc: str
    needs: tuple[str, ...]
    evaluate: Callable[[Frame, int], Truth | Floats]
    takes_margin: bool = False


def _night(frame: Frame, _margin: int) -> Truth:
    return Truth.known(frame.local_time.night(frame.readings.ts))


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
    "should_on": Derived(
        Type.TRUTH,
        'the lamp\'s timetable, else the sun being down there; should_on("15m") leaves 15 minutes at either end',
        (),
        facilities.should_on,
        takes_margin=True,
    ),
    "expected_power": Derived(
        Type.NUMBER, "W: rated power times dimming level", ("rated_power", "dim_level"), facilities.expected_power
    ),
    "zone_limit": Derived(
        Type.NUMBER, "dB(A): limit.day or limit.night, by the hour", ("noise_zone",), facilities.zone_limit
    ),
    "shock": Derived(
        Type.NUMBER, "g: acceleration beside gravity", ("accel_x", "accel_y", "accel_z"), facilities.shock
    ),
    "residual_strain": Derived(
        Type.NUMBER, "µε: strain less what the member's temperature explains", _STRAIN, facilities.residual_strain
    ),
    "response_ratio": Derived(
        Type.NUMBER,
        "the largest share of its limit among the responses of the structure that a reading carries",
        tuple(dict.fromkeys([*facilities.RESPONSES, *_STRAIN])),
        facilities.response_ratio,
    ),
}
