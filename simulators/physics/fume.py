"""What a monitor at a restaurant's flue measures."""

import numpy as np
from numpy.typing import NDArray

from devices.moments import MICROS
from devices.readings import Floats, Ints
from simulators.chance import HOUR
from simulators.faults import FaultKind
from simulators.observation import Columns, Observation, rounded
from simulators.physics.daytime import day_of, midnight

# Local hours in which a kitchen cooks, some minutes earlier or later by its own habit and by the day.
_MEALS = ((10.6, 13.5), (16.6, 20.5))
_NIGHT_MEAL = (21.5, 25.0)  # of those that close at two
_HABIT_H, _LUCK_H = 0.4, 0.3
_CLEANED_EVERY_D = 28
_SPIKE_CELL = 4 * 60 * MICROS
_WARMS_UP_S, _COOLS_DOWN_S = 420.0, 1500.0
_NEVER = 30 * HOUR


def measure(o: Observation) -> Columns:
    """One minute: fan and purifier run together while the kitchen cooks, unless somebody sees to it that they don't."""
    cooking, since_start, since_end = meals(o)
    off = o.struck(FaultKind.PURIFIER_OFF)
    smoking = o.ill(FaultKind.DIRTY_PURIFIER, FaultKind.HEAVY_SMOKE, FaultKind.WOK_SPIKES, FaultKind.DILUTED_DUCT)
    without = off.active if off else np.zeros(len(o), dtype=bool)
    fan = cooking | without | smoking | o.ill(FaultKind.COVERED_INLET)
    purifier = fan & ~without
    days = _days_since_clean(o)
    fouling = np.where(o.ill(FaultKind.CLEANING_OVERDUE), 0.4, days / 400)
    load = 0.65 + 0.2 * o.wander("orders", hours=0.3) + 0.15 * o.wander("hands", hours=0.07)
    fume = _fume(o, fan, load, fouling, without)
    air = o.world.weather.air_temperature(o.at)
    warmth = np.where(fan, 1 - np.exp(-since_start / _WARMS_UP_S), np.exp(-since_end / _COOLS_DOWN_S))
    shape = 1 + 0.06 * o.normal("mixture")
    return {
        "fume": rounded(fume, 2),
        "pm": rounded(1.7 * fume * shape, 2),
        "nmhc": rounded(3.0 * fume / shape + 0.05, 2),
        "fan_current": rounded(np.where(fan, 4 + 7 * o.trait + 1.2 * load + 0.12 * o.normal("fan"), 0.0), 2),
        "purifier_current": rounded(_draw(o, load, fouling) * purifier, 2),
        "purifier_hv": rounded((10.8 - 14 * fouling * (fouling < 0.1) - 3 * (fouling > 0.1)) * purifier, 1),
        "fan_on": fan.astype(np.float64),
        "purifier_on": purifier.astype(np.float64),
        "flue_temp": rounded(air + (16 + 14 * load) * warmth + 0.2 * o.normal("flue"), 1),
        "flue_rh": rounded(np.clip(52 + 25 * warmth * load + 4 * o.wander("steam", hours=0.4), 5, 98), 1),
        "days_since_clean": days,
    }


def meals(o: Observation) -> tuple[NDArray[np.bool_], Floats, Floats]:
    """Whether the kitchen cooks, since when it has, and how long ago it last stopped, in seconds."""
    cooking = np.zeros(len(o), dtype=bool)
    started, ended = np.full(len(o), _NEVER), np.full(len(o), _NEVER)
    late = o.word("business_close") == "02:00"
    today = day_of(o.at)
    for day in (today - 1, today):
        for number, (opens, closes) in enumerate((*_MEALS, _NIGHT_MEAL)):
            start, end = _meal(o, day, number, opens), _meal(o, day, number, closes)
            here = late if (opens, closes) == _NIGHT_MEAL else np.ones(len(o), dtype=bool)
            now = here & (start <= o.at) & (o.at < end)
            cooking |= now
            started = np.where(now, o.at - start, started)
            ended = np.where(here & (end <= o.at), np.minimum(ended, o.at - end), ended)
    return cooking, started / MICROS, ended / MICROS


def _meal(o: Observation, day: Ints, number: int, hour: float) -> Ints:
    luck = o.world.chance.between(f"meal {number} {hour}", o.key, day, -_LUCK_H / 2, _LUCK_H / 2)
    found: Ints = midnight(day) + ((hour + (o.trait - 0.5) * _HABIT_H + luck) * HOUR).astype(np.int64)
    return found


def _fume(o: Observation, fan: NDArray[np.bool_], load: Floats, fouling: Floats, without: NDArray[np.bool_]) -> Floats:
    """What leaves stays below the national 2.0 mg/m³ in the mean of ten minutes, as long as the purifier is well."""
    cooks = (0.45 + 0.35 * o.trait) * load * np.exp(0.25 * o.normal("fume") + 0.3 * o.wander("dish", hours=0.15))
    cooks = cooks * (1 + fouling * (fouling < 0.1))
    spikes = _spikes(o, 0.22)
    if often := o.struck(FaultKind.WOK_SPIKES):
        spikes = np.where(often.active, _spikes(o, 0.5), spikes)
    fume = np.where(fan, cooks + spikes, 0.06 + 0.03 * o.wander("zero", hours=1) + 0.01 * o.normal("zero"))
    fume = np.where(without, 2.6 * fume + 1.2, fume)
    if fouled := o.struck(FaultKind.DIRTY_PURIFIER):
        fume = np.where(fouled.active, (2.7 * fouled.size + 0.3 * o.normal("excess")) * (0.8 + 0.2 * load), fume)
    if heavy := o.struck(FaultKind.HEAVY_SMOKE):
        fume = np.where(heavy.active, 5.6 * heavy.size + 0.5 * o.normal("excess"), fume)
    fume = np.where(o.ill(FaultKind.DILUTED_DUCT), o.uniform("thin", 0, 0.02), fume)
    fume = np.where(o.ill(FaultKind.COVERED_INLET), 0.31 + rounded(0.5 * o.trait, 2), fume)
    return np.clip(fume, 0, 30)


def _spikes(o: Observation, share: float) -> Floats:
    """Wok flares: 1 to 3 mg/m³ more for a minute or two, in a share of the four-minute spans."""
    cell = o.at // _SPIKE_CELL
    chance = o.world.chance
    here = chance.uniform("flare", o.key, cell) < share
    peak = cell * _SPIKE_CELL + (chance.between("flare at", o.key, cell, 0.25, 0.75) * _SPIKE_CELL).astype(np.int64)
    height = chance.between("flare height", o.key, cell, 1.0, 3.2)
    return np.asarray(np.where(here, height * np.exp(-(((o.at - peak) / (35 * MICROS)) ** 2)), 0.0))


def _draw(o: Observation, load: Floats, fouling: Floats) -> Floats:
    """The purifier's current; dirty plates draw less."""
    healthy = np.asarray(1 + o.trait + 0.05 * load + 0.03 * o.normal("purifier"))
    return np.where(fouling > 0.1, 0.55 * healthy, healthy * (1 - fouling))


def _days_since_clean(o: Observation) -> Floats:
    period = 20 + np.floor(o.trait * (_CLEANED_EVERY_D - 20))
    days = np.asarray((day_of(o.at) + np.floor(997 * o.trait)) % period)
    if overdue := o.struck(FaultKind.CLEANING_OVERDUE):
        days = np.where(overdue.active, 32 + np.floor(overdue.elapsed / 86_400), days)
    return days
