"""What a noise meter measures: a level every second, of which a minute's message is the statistics."""

import numpy as np

from devices.moments import MICROS
from devices.readings import Floats, Ints
from simulators.faults import FaultKind
from simulators.observation import Columns, Observation, rounded

# Usual level in dB(A) by day and by night in each zone of GB 3096: 6 to 7 below what is allowed.
_USUAL = {
    "0": (43.5, 33.5),
    "1": (48.5, 38.5),
    "2": (53.5, 43.5),
    "3": (58.5, 48.5),
    "4a": (63.5, 48.5),
    "4b": (63.5, 53.5),
}
_FLOOR = 30.0  # what the meter can resolve
_SECONDS = np.arange(60)
_PASSES_EVERY_S = 15
_BURSTS_A_MINUTE = 0.25
_WORKING_H = (7.0, 18.5)  # of a building site


def measure(o: Observation) -> Columns:
    """One minute's levels, and the weather that could void them."""
    levels = _levels(o)
    ordered = np.sort(levels, axis=1)
    energy = 10 * np.log10(np.mean(10 ** (levels / 10), axis=1))
    rain = o.rain()
    air = o.world.weather.air_temperature(o.at)
    burst = o.ill(FaultKind.NIGHT_BURST, FaultKind.NIGHT_WORKS)
    music = o.ill(FaultKind.SQUARE_MUSIC)
    heard = np.where(burst | music, 1.0, np.nan)
    return {
        "la": _db(levels[:, -1]),
        "laeq": _db(energy),
        "lmax": _db(ordered[:, -1]),
        "lmin": _db(ordered[:, 0]),
        "l5": _db(ordered[:, 56]),
        "l10": _db(ordered[:, 53]),
        "l50": _db((ordered[:, 29] + ordered[:, 30]) / 2),
        "l90": _db(ordered[:, 6]),
        "l95": _db(ordered[:, 3]),
        "sd": rounded(levels.std(axis=1), 1),
        "wind_speed": rounded(0.4 * o.world.weather.wind(o.at), 1),
        "rain": rounded(rain / 60, 2),
        "temperature": rounded(air + 0.05 * o.normal("air"), 1),
        "humidity": rounded(o.world.weather.humidity(o.at, rain), 1),
        "audio_class": o.codes("audio_class", {"construction": burst, "music": music}, "none") * heard,
        "audio_score": rounded(o.uniform("sure", 0.7, 0.98), 2) * heard,
    }


def _levels(o: Observation) -> Floats:
    """A level for each of the 60 seconds before each time: a slow ground, the street's flutter, what drives past."""
    zone = o.word("noise_zone")
    day, night = (np.array([_USUAL[each or "2"][half] for each in zone.tolist()]) for half in (0, 1))
    bustle = _bustle(o)
    usual = night + (day - night) * bustle + np.where(bustle > 0, 1.5 * (o.flow() - 0.6) * bustle, 0.0)
    usual = usual + _site(o, usual)
    ground = usual - 3.2 - 0.9 * bustle + 1.1 * o.wander("ground", hours=1.5) + 0.8 * o.wander("mood", hours=0.12)
    key = o.key[:, None]
    second = (o.at // MICROS)[:, None] - 59 + _SECONDS
    chance = o.world.chance
    levels = ground[:, None] + 1.9 * chance.wander("flutter", key, second * MICROS, hours=5 / 3600)
    levels = levels + 0.7 * chance.between("hiss", key, second, -1, 1)
    levels = np.maximum(levels, ground[:, None] + _passing(o, second, bustle))
    struck = _struck(o, second, bustle)
    levels = np.where(struck > 0, np.maximum(levels, ground[:, None] + struck), levels)
    rain = o.rain()
    if rain.any():  # drops on leaves and roofs
        drops = np.where(rain > 0, usual + 1.5 * np.log10(1 + 5 * rain), -np.inf)
        levels = 10 * np.log10(10 ** (levels / 10) + 10 ** (drops[:, None] / 10 - 0.4))
    return np.maximum(_FLOOR, _louder(o, levels, second))


def _bustle(o: Observation) -> Floats:
    """How lively it is, 0 to 1: from 6:00 to 8:00 it grows, from 20:00 on it dies down.

    It is still before the night of GB 3096 begins at 22:00.
    """
    hour = o.hour
    return np.asarray(np.clip(np.minimum((hour - 5.9) / 2, (21.75 - hour) / 1.9), 0.0, 1.0) ** 0.8)


def _site(o: Observation, usual: Floats) -> Floats:
    """A building site is louder while it works, and quieter than its own limit."""
    begins, ends = _WORKING_H
    works = (o.word("site") == "construction") & (begins <= o.hour) & (o.hour < ends)
    return np.where(works, 62.5 + 1.5 * o.wander("machines", hours=0.4) - usual, 0.0)


def _passing(o: Observation, second: Ints, bustle: Floats) -> Floats:
    """What single vehicles add: one in a share of the spans of 15 s, more of them by day."""
    share = (0.2 + 0.55 * bustle)[:, None]
    key, chance = o.key[:, None], o.world.chance
    added = np.zeros(second.shape)
    for cell in (second // _PASSES_EVERY_S - 1, second // _PASSES_EVERY_S, second // _PASSES_EVERY_S + 1):
        at = (cell + chance.uniform("passes", key, cell)) * _PASSES_EVERY_S
        loud = (3 + 12 * chance.uniform("passes loud", key, cell) ** 2) * (chance.uniform("passes?", key, cell) < share)
        added = np.maximum(added, loud - 0.16 * (second - at) ** 2)
    return added


def _struck(o: Observation, second: Ints, bustle: Floats) -> Floats:
    """Horns, doors and dogs: one second of a minute in ten by day, of one in fifty by night."""
    comes = o.uniform("knock") < 0.02 + 0.08 * bustle
    here = comes[:, None] & (second % 60 == np.floor(60 * o.uniform("knock at"))[:, None])
    return np.where(here, (8 + (4 + 6 * bustle) * o.uniform("knock loud"))[:, None], 0.0)


def _louder(o: Observation, levels: Floats, second: Ints) -> Floats:
    """Faults: bursts of a second, works at night, music, a street that is too loud."""
    chance, key = o.world.chance, o.key[:, None]
    night = o.limit("night")
    if burst := o.struck(FaultKind.NIGHT_BURST):
        # Hardly heard in the minute's mean, loud enough to wake people.
        comes = burst.active & (o.uniform("burst") < _BURSTS_A_MINUTE)
        here = comes[:, None] & (second % 60 == np.floor(60 * o.uniform("burst at"))[:, None])
        levels = np.where(here, (night + 17 + 7 * o.uniform("burst loud"))[:, None], levels)
    for kind, over in ((FaultKind.NIGHT_WORKS, 8.0), (FaultKind.LOUD_NIGHT, 4.5), (FaultKind.SQUARE_MUSIC, 0.0)):
        if struck := o.struck(kind):
            base = np.where(kind is FaultKind.SQUARE_MUSIC, o.limit("day") + 6, night + over) + 3 * (struck.size - 1)
            beat = 3 * o.wander(f"{kind} work", hours=0.12)[:, None] + 1.5 * chance.between(
                f"{kind} hum", key, second, -1, 1
            )
            beat = beat + 8 * chance.uniform(f"{kind} beat", key, second) ** 6
            levels = np.where(struck.active[:, None], base[:, None] + beat, levels)
    if loud := o.struck(FaultKind.LOUD_DAY):
        base = o.limit("day") + 4 + 2 * (loud.size - 1)
        levels = np.where(loud.active[:, None], levels - levels.mean(axis=1)[:, None] + base[:, None], levels)
    return levels


def _db(level: Floats) -> Floats:
    return rounded(np.maximum(_FLOOR, level), 1)
