"""Random numbers that nobody has to draw in order: a number is a hash of who asks, for what, and when.

A generator remembers how often it was asked, so its numbers depend on how time is cut into calls, and a hundred
thousand devices with ten quantities each would need a million of them. Here a number follows from the seed, the
quantity, the device and a step of time alone, and whole columns of them are made at once. The mixing function is
the finaliser of SplitMix64, whose output passes the usual batteries of statistical tests.
"""

import math
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from devices.moments import MICROS
from devices.readings import Floats, Ints

Keys = NDArray[np.uint64]

_ODD = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_UNIT = 2.0**-53
HOUR = 3600 * MICROS


def key_of(text: str) -> int:
    """A number of 64 bits that stands for a text in the hashes; the same on every machine."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def keys_of(texts: list[str]) -> Keys:
    """The keys of many texts."""
    return np.array([key_of(text) for text in texts], dtype=np.uint64)


class Chance:
    """Everything that is left to chance in a pretend city.

    ``who`` are keys, one a row; ``step`` counts whatever the quantity changes with: days, minutes, messages.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._quantities: dict[str, np.uint64] = {}

    def uniform(self, quantity: str, who: Keys, step: Ints) -> Floats:
        """Between 0 and 1, 1 excluded."""
        with np.errstate(over="ignore"):
            mixed = _mix(who + self._key(quantity))
            mixed = _mix(mixed ^ (np.asarray(step).astype(np.uint64) * _ODD))
        shares: Floats = (mixed >> _S11).astype(np.float64) * _UNIT
        return shares

    def between(self, quantity: str, who: Keys, step: Ints, low: float, high: float) -> Floats:
        """Evenly between two values."""
        return low + (high - low) * self.uniform(quantity, who, step)

    def normal(self, quantity: str, who: Keys, step: Ints) -> Floats:
        """Mean 0, standard deviation 1 (Box and Muller)."""
        radius = np.sqrt(-2 * np.log(1 - self.uniform(quantity, who, step)))
        angle = math.tau * self.uniform(f"{quantity} angle", who, step)
        return np.asarray(radius * np.cos(angle))

    def wander(self, quantity: str, who: Keys, at: Ints, hours: float) -> Floats:
        """Drifts between -1 and 1: a new value every so many hours, smooth between."""
        span = round(hours * HOUR)
        step, within = np.divmod(at, span)
        ease = within / span
        ease = ease * ease * (3 - 2 * ease)
        before, after = (self.between(quantity, who, node, -1, 1) for node in (step, step + 1))
        return before * (1 - ease) + after * ease

    def _key(self, quantity: str) -> np.uint64:
        if quantity not in self._quantities:
            self._quantities[quantity] = np.uint64(key_of(f"{self._seed} {quantity}"))
        return self._quantities[quantity]


def _mix(bits: Keys) -> Keys:
    bits = (bits ^ (bits >> _S30)) * _FIRST
    bits = (bits ^ (bits >> _S27)) * _SECOND
    mixed: Keys = bits ^ (bits >> _S31)
    return mixed
