"""What the controller of a streetlight measures."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from devices.moments import MICROS
from devices.readings import Floats, Ints
from simulators.chance import HOUR
from simulators.faults import FaultKind
from simulators.observation import Columns, Observation, rounded
from simulators.physics.daytime import DAY, day_of
from simulators.physics.sun import crossings
from simulators.population import Population

Bools = NDArray[np.bool_]

# Lamps go on while there is still light: the sun 1.5° up, some 5 to 10 min before it sets.
_ON_BELOW_DEG = 1.5
_SWITCHES_WITHIN_S = 40  # a group is switched lamp by lamp
_DIMMED_FROM_H = 23.0
RATED_W = 120.0
_LEAKAGE_GROWS_S = 1200.0
_WARMS_UP_S = 1500.0
_INSTALLED = 19_815  # day number in April 2024
# An average night for the meter: full power from 17:30 to 23:00, half until 06:30.
_FULL_H, _HALF_H = 5.5, 7.5
_CYCLE_S = 480  # of a lamp that gives up and starts anew


def measure(o: Observation) -> Columns:
    """One report: the lamp draws its rated power times its dimming level, a little less with the years."""
    on, off = switching(o.population, o.rows, o.at)
    lit = (o.at >= on) & (o.at < off)
    command = np.where(lit, np.where(_dimmed(o), 50.0, 100.0), 0.0)
    burns, dim = _burning(o, lit, command)
    voltage = _voltage(o, lit)
    ageing = 1 - 0.05 * o.trait
    power = (
        o.number("rated_power", RATED_W) * dim / 100 * ageing * (voltage / 222) ** 0.3 * (1 + 0.012 * o.normal("load"))
    )
    factor = np.where(dim >= 80, 0.97, 0.92) + 0.004 * o.normal("factor")
    if weak := o.struck(FaultKind.WORN_LAMP):
        power = np.where(weak.active, 0.66 * power, power)
        factor = np.where(weak.active, 0.78, factor)
    power = np.where(burns, power, o.uniform("idle", 0.1, 0.5))  # what the controller itself draws
    burning_s = np.where(lit, o.at - on, 0) / MICROS
    out_s = np.where(lit, _WARMS_UP_S * 9, np.where(o.at >= off, o.at - off, 86_400 * MICROS) / MICROS)
    warmth = np.where(burns, 1 - np.exp(-burning_s / _WARMS_UP_S), np.exp(-out_s / _WARMS_UP_S))
    age = _nights(o.at)
    return {
        "voltage": rounded(voltage, 1),
        "current": rounded(power / voltage / factor, 3),
        "active_power": rounded(power, 1),
        "power_factor": np.where(burns, rounded(factor, 2), np.nan),
        "energy": rounded(_energy(o), 3),
        "dim_level": dim,
        "dim_command": command,
        "lamp_state": o.codes("lamp_state", {"on": dim > 0}, "off"),
        "lamp_failure": np.zeros(len(o)),
        "leakage_ma": rounded(_leakage(o), 1),
        "gear_temp": rounded(o.world.weather.air_temperature(o.at) + 27 * warmth * _load(o), 1),
        "pole_tilt": rounded(1.2 * o.trait + 0.05 * o.wander("sway", hours=2), 1),
        "operating_hours": rounded(age * (_FULL_H + _HALF_H), 1),
        "switch_count": np.floor(age) + 1,
    }


def switching(population: Population, rows: Ints, at: Ints) -> tuple[Ints, Ints]:
    """When the night that matters begins and ends for each lamp: before noon the last one, after it the next one."""
    evening = day_of(at - DAY // 2)
    begins, ends = np.empty_like(at), np.empty_like(at)
    for day in np.unique(evening).tolist():
        here = evening == day
        dusk, dawn = night(population, day)
        begins[here], ends[here] = dusk[rows[here]], dawn[rows[here]]
    return begins, ends


@lru_cache(maxsize=16)
def night(population: Population, evening: int) -> tuple[Ints, Ints]:
    """When each lamp is switched on on the evening of a day, and off the next morning."""
    day = np.full(len(population), evening)
    _, dusk = crossings(population.lat, population.lon, day, _ON_BELOW_DEG)
    dawn, _ = crossings(population.lat, population.lon, day + 1, _ON_BELOW_DEG)
    late = (population.trait * _SWITCHES_WITHIN_S * 1000).astype(np.int64) * 1000
    return _whole_ms(dusk) + late, _whole_ms(dawn) + late


def _whole_ms(at: Ints) -> Ints:
    return at // 1000 * 1000


def _dimmed(o: Observation) -> Bools:
    hour = o.hour
    dimmed: Bools = (hour >= _DIMMED_FROM_H) | (hour < 12)
    return dimmed


def _load(o: Observation) -> Floats:
    """How warm the present level makes the gear against the full one, which it feels for a while after dimming."""
    dimmed_s = (o.hour - _DIMMED_FROM_H) % 24 * 3600
    return np.where(_dimmed(o), 0.55 + 0.45 * np.exp(-dimmed_s / _WARMS_UP_S), 1.0)


def _burning(o: Observation, lit: Bools, command: Floats) -> tuple[Bools, Floats]:
    """Whether it burns, and at which level the controller believes it does."""
    dim, burns = command, lit.copy()
    if dark := o.struck(FaultKind.DARK_LAMP):
        burns &= ~dark.active
        dim = np.where(dark.active & lit, 100.0, dim)
    if circuit := o.struck(FaultKind.DARK_CIRCUIT):
        burns &= ~circuit.active
    if sticks := o.struck(FaultKind.DAY_BURNER):
        burns |= sticks.active
        dim = np.where(sticks.active, 100.0, dim)
    if cycles := o.struck(FaultKind.FLICKERING_LAMP):
        burns &= ~(cycles.active & (cycles.elapsed % _CYCLE_S >= _CYCLE_S / 2))
    return burns, dim


def _voltage(o: Observation, lit: Bools) -> Floats:
    """Lamps on one cabinet share it: lower in the evening when everybody cooks, and by the lamps' own load."""
    chance, cabinet = o.world.chance, o.population.cabinet[o.rows]
    evening = np.exp(-(((o.hour - 19.5) / 2.2) ** 2))
    feeder = 226.5 + 2.5 * chance.wander("feeder", cabinet, o.at, hours=0.8) - 4 * evening
    return np.asarray(feeder - 2.5 * lit * o.trait + 0.3 * o.normal("volts"))


def _leakage(o: Observation) -> Floats:
    """Grows in wet weather, more so in old poles; a fault grows within twenty minutes."""
    wet = np.minimum(1.0, o.standing(3.0) / 12)
    leakage = 0.6 + 1.2 * o.trait + 7 * wet * o.trait**2 + 0.15 * o.normal("leaks")
    if ill := o.struck(FaultKind.LEAKAGE):
        grown = 2 + 58 * ill.size * ill.ramp(_LEAKAGE_GROWS_S) + 0.8 * o.normal("seeps")
        leakage = np.where(ill.active, grown, leakage)
    leakage = np.where(o.ill(FaultKind.LEAKAGE_SHOCK), o.uniform("shock", 115, 125), leakage)
    return np.maximum(0, leakage)


def _nights(at: Ints) -> Floats:
    """Nights since the lamps were installed, the one that runs counted as far as it has come."""
    local = (at - 4 * HOUR) / DAY  # a day from noon to noon, local time
    whole = np.floor(local)
    hour = (local - whole) * 24
    burnt = np.clip((hour - 5.5) / (_FULL_H + _HALF_H), 0, 1)
    return np.asarray(whole - _INSTALLED + burnt)


def _energy(o: Observation) -> Floats:
    """The meter in kWh, which never falls; by average nights, so a fault does not show in it."""
    nights = _nights(o.at)
    whole = np.floor(nights)
    hours = (nights - whole) * (_FULL_H + _HALF_H)
    burnt = np.minimum(_FULL_H, hours) + 0.5 * np.maximum(0, hours - _FULL_H)
    return o.number("rated_power", RATED_W) / 1000 * (whole * (_FULL_H + 0.5 * _HALF_H) + burnt)
