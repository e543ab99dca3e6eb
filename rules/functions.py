"""Derived quantities that conditions may name: time of day, sun, what a lamp should draw."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from functools import lru_cache, reduce

import numpy as np

from devices.readings import Floats
from rules.frame import Frame
from rules.local_time import between, minutes
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


def _business_hours(frame: Frame, _margin: int) -> Truth:
    opens = np.array([_clock(word) for word in frame.words("business_open")])
    closes = np.array([_clock(word) for word in frame.words("business_close")])
    return Truth.of(between(frame.local_time.minute_of_day(frame.readings.ts), opens, closes), opens, closes)


def _should_on(frame: Frame, margin: int) -> Truth:
    devices, registry = frame.readings.device.tolist(), frame.registry.devices
    dark = [
        frame.local_time.dark(ts, lat=registry[device].lat, lon=registry[device].lon, margin=margin)
        for device, ts in zip(devices, frame.readings.ts.tolist(), strict=True)
    ]
    return Truth.known(np.array(dark, dtype=bool))


def _expected_power(frame: Frame, _margin: int) -> Floats:
    return frame.number("rated_power") * frame.metric("dim_level") / 100


def _response_ratio(frame: Frame, _margin: int) -> Floats:
    ratios = [np.abs(frame.metric(name)) / frame.limit(name) for name in RESPONSES]
    return np.asarray(reduce(np.fmax, ratios))  # fmax passes over what the reading does not carry


@lru_cache(maxsize=1024)
def _clock(word: str) -> float:
    """Minutes since midnight; NaN for what is no time of day, so that one bad entry costs no other device."""
    if word == "24:00":
        return 24 * 60
    try:
        return minutes(time.fromisoformat(word))
    except ValueError:
        return math.nan


# A sensor carries one of them; each has a limit of the same name.
RESPONSES = ("strain", "deflection", "displacement", "tilt")

DERIVED: Mapping[str, Derived] = {
    "night": Derived(Type.TRUTH, "between the city's night hours (22:00 to 06:00)", (), _night),
    "business_hours": Derived(
        Type.TRUTH,
        "between the device's business_open and business_close",
        ("business_open", "business_close"),
        _business_hours,
    ),
    "should_on": Derived(
        Type.TRUTH,
        'the sun is down at the lamp; should_on("15m") leaves 15 minutes at either end',
        (),
        _should_on,
        takes_margin=True,
    ),
    "expected_power": Derived(
        Type.NUMBER, "W: rated power times dimming level", ("rated_power", "dim_level"), _expected_power
    ),
    "response_ratio": Derived(
        Type.NUMBER,
        "the largest share of its limit among the responses of the structure that a reading carries",
        RESPONSES,
        _response_ratio,
    ),
}
