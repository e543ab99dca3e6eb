"""What facilities derive from readings: a shock, a strain without its heat, a kitchen's meals, a lamp's timetable.

Pure, on columns: NaN where a reading does not carry what is needed.
"""

import math
import re
from datetime import time
from functools import lru_cache, reduce

import numpy as np

from devices.moments import MICROS
from devices.readings import Floats
from rules.frame import Frame
from rules.local_time import between, minutes
from rules.truth import Truth

_SPAN = re.compile(r"(\d\d:\d\d)\s*-\s*(\d\d:\d\d)")
_MINUTE = 60 * MICROS
# A sensor carries one of them; each has a limit of the same name.
RESPONSES = ("strain", "deflection", "displacement", "tilt", "cable_force")


def business_hours(frame: Frame, _margin: int) -> Truth:
    """Between the device's opening and closing time, which may lie after midnight."""
    opens = np.array([_clock(word) for word in frame.words("business_open")])
    closes = np.array([_clock(word) for word in frame.words("business_close")])
    return Truth.of(between(frame.local_time.minute_of_day(frame.readings.ts), opens, closes), opens, closes)


def meal_time(frame: Frame, _margin: int) -> Truth:
    """Within one of the device's meal times; unknown where none can be read."""
    return _within(frame, "meal_times", 0)


def fan_runs(frame: Frame, _margin: int) -> Truth:
    """By the fan's switch, by its current where no switch is sent."""
    return _runs(frame, "fan_on", "fan_current", "fan_off_current")


def purifier_runs(frame: Frame, _margin: int) -> Truth:
    """By the purifier's switch, by its current where no switch is sent."""
    return _runs(frame, "purifier_on", "purifier_current", "purifier_off_current")


def fair_weather(frame: Frame, _margin: int) -> Truth:
    """No rain, and wind below ``limit.wind_valid``, as far as the reading tells."""
    rain, wind = frame.metric("rain"), frame.metric("wind_speed")
    return Truth.known(~((rain > 0) | (wind >= frame.limit("wind_valid"))))


def quiet(frame: Frame, _margin: int) -> Truth:
    """Night, or one of the device's quiet hours."""
    return Truth.known(frame.local_time.night(frame.readings.ts) | _within(frame, "quiet_hours", 0).true)


def should_on(frame: Frame, margin: int) -> Truth:
    """By the lamp's timetable where it has one, else while the sun is down at its position."""
    by_timetable = Truth(np.zeros(len(frame), dtype=bool), np.zeros(len(frame), dtype=bool))
    if "timetable" in frame.readings.kind.attributes:
        by_timetable = _within(frame, "timetable", margin)
    timed = by_timetable.true | by_timetable.false
    lat, lon = frame.position()
    dark = frame.local_time.dark(frame.readings.ts, lat=lat, lon=lon, margin=margin)
    return Truth.known(np.where(timed, by_timetable.true, dark))


def expected_power(frame: Frame, _margin: int) -> Floats:
    """W: what a healthy lamp draws at its dimming level."""
    return frame.number("rated_power") * frame.metric("dim_level") / 100


def zone_limit(frame: Frame, _margin: int) -> Floats:
    """dB(A): the limit of the meter's zone at that hour, by day or by night."""
    return np.where(frame.local_time.night(frame.readings.ts), frame.limit("night"), frame.limit("day"))


def shock(frame: Frame, _margin: int) -> Floats:
    """g: acceleration beside gravity, however the sensor lies."""
    x, y, z = (frame.metric(f"accel_{axis}") for axis in "xyz")
    return np.asarray(np.abs(np.sqrt(x * x + y * y + z * z) - 1))


def water_height(frame: Frame, _margin: int) -> Floats:
    """m: water above the bottom, by a probe there or else by one that looks down from the cover."""
    level = frame.metric("water_level")
    return np.where(np.isnan(level), frame.number("well_depth") - frame.metric("water_distance"), level)


def residual_strain(frame: Frame, _margin: int) -> Floats:
    """µε: strain less what the member's temperature explains; with the heat where the temperature is unknown."""
    heat = frame.number("strain_per_kelvin") * (frame.metric("structure_temp") - frame.number("reference_temp"))
    return frame.metric("strain") - np.where(np.isnan(heat), 0, heat)


def response_ratio(frame: Frame, margin: int) -> Floats:
    """The largest share of its limit among the responses that a reading carries, strain without its heat."""
    limits = {name: frame.limit(name) for name in RESPONSES}
    ratios = [
        np.abs(residual_strain(frame, margin) if name == "strain" else frame.metric(name))
        / np.where(limit == 0, np.nan, limit)
        for name, limit in limits.items()
    ]
    return np.asarray(reduce(np.fmax, ratios))  # fmax passes over what the reading does not carry


def _runs(frame: Frame, switch: str, current: str, limit: str) -> Truth:
    by_switch = Truth.of_number(frame.metric(switch))
    amperes, least = frame.metric(current), frame.limit(limit)
    by_current = Truth.of(amperes >= least, amperes, least)
    untold = ~(by_switch.true | by_switch.false)
    return Truth(by_switch.true | untold & by_current.true, by_switch.false | untold & by_current.false)


def _within(frame: Frame, attribute: str, margin: int) -> Truth:
    """Whether the local time lies in a span of the device's text attribute, ``margin`` µs off either end."""
    minute = frame.local_time.minute_of_day(frame.readings.ts)
    words = frame.words(attribute)
    inside, known = np.zeros(len(frame), dtype=bool), np.zeros(len(frame), dtype=bool)
    for word in {word for word in words.tolist() if word}:
        spans = _spans(word)
        mine = words == word
        known |= mine & bool(spans)
        for start, end in spans:
            length = end - start + (0 if start <= end else 1440)
            off = min(margin / _MINUTE, length / 2) if length < 1440 else 0  # a whole day has no ends
            inside |= mine & ((minute - start - off) % 1440 < length - 2 * off)
    return Truth(inside & known, ~inside & known)


@lru_cache(maxsize=1024)
def _spans(word: str) -> tuple[tuple[float, float], ...]:
    """Local minutes since midnight of each span; none where one cannot be read, so that no half of them counts."""
    spans = []
    for piece in word.split(","):
        match = _SPAN.fullmatch(piece.strip())
        start, end = (_clock(match[1]), _clock(match[2])) if match else (math.nan, math.nan)
        if math.isnan(start) or math.isnan(end):
            return ()
        spans.append((start, end))
    return tuple(spans)


@lru_cache(maxsize=1024)
def _clock(word: str) -> float:
    """Minutes since midnight; NaN for what is no time of day, so that one bad entry costs no other device."""
    if word == "24:00":
        return 24 * 60
    try:
        return minutes(time.fromisoformat(word))
    except ValueError:
        return math.nan
