"""Whom the watchdog looks at: nobody who was heard can be silent before the patience of its rules is over.

What a look costs follows from those who may be silent and not from the city.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import numpy as np

from devices.moments import MICROS
from devices.readings import Ints
from devices.registry import Registry
from rules.rule import Input, Rule
from rules.silence import Heard

# Project default: so often it is asked for devices that were never heard of, µs; a replay may bring one with its past.
_NEWCOMERS = 5 * 60 * MICROS


@dataclass(frozen=True, slots=True)
class Signs:
    """When devices were last heard (µs since 1970 UTC) and how often, as columns; those never heard are left out."""

    device: Ints
    last: Ints
    readings: Ints


class Lookout:
    """When each device of a kind with silence rules must be looked at next.

    Args:
        rules: All rules; those of another input are passed over.
        registry: Who should be heard.
    """

    def __init__(self, rules: Iterable[Rule], registry: Registry) -> None:
        patience: dict[str, int] = {}
        for rule in rules:
            if rule.input is Input.SILENCE:
                patience[rule.kind] = min(rule.patience, patience.get(rule.kind, rule.patience))
        kinds = [(registry.all_of(kind), least) for kind, least in patience.items()]
        nobody = np.zeros(0, dtype=np.int64)
        device = np.concatenate([nobody, *(devices for devices, _ in kinds)])
        order = np.argsort(device)
        self._device: Ints = device[order]
        self._patience: Ints = np.concatenate([nobody, *(np.full_like(*each) for each in kinds)])[order]
        self._well_until: Ints = np.zeros(len(device), dtype=np.int64)

    def look(self, now: int, in_alarm: Collection[int], ask: Callable[[Ints], Signs]) -> dict[int, Heard]:
        """When those were heard that may be silent, and those in alarm; by number.

        Args:
            now: Microseconds since 1970 UTC.
            in_alarm: Devices that are, by a silence rule.
            ask: When these devices were last heard.
        """
        alarmed = np.array([*in_alarm], dtype=np.int64)
        wanted = self._well_until < now
        wanted[self._places(alarmed)] = True
        places = np.flatnonzero(wanted)
        signs = ask(self._device[places])
        self._well_until[places] = now + np.minimum(self._patience[places], _NEWCOMERS)
        heard = self._places(signs.device)
        # A collector's clock may be ahead.
        self._well_until[heard] = np.minimum(signs.last, now) + self._patience[heard]
        told = (self._well_until[heard] < now) | np.isin(signs.device, alarmed)
        columns = (column[told].tolist() for column in (signs.device, signs.last, signs.readings))
        return {device: Heard(last, readings) for device, last, readings in zip(*columns, strict=True)}

    def _places(self, devices: Ints) -> Ints:
        """Where devices stand; those that are not watched are left out."""
        places = np.searchsorted(self._device, devices)
        known = places < len(self._device)
        known[known] = self._device[places[known]] == devices[known]
        return places[known]
