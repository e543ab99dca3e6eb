"""Three-valued logic on columns: true, false, unknown.

A reading that does not carry a metric says nothing about it: silence never raises an alarm and never clears one.
Kleene's tables: unknown AND false is false, unknown OR true is true, everything else unknown stays unknown.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from devices.readings import Floats

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Truth:
    """A column of truth values; a row that is neither true nor false is unknown."""

    true: Bools
    false: Bools

    @classmethod
    def known(cls, true: Bools) -> Self:
        """A column without unknowns."""
        return cls(true, ~true)

    @classmethod
    def of(cls, true: Bools, *operands: Floats) -> Self:
        """A comparison of numbers: unknown wherever an operand is none, or beyond all bounds."""
        unknown = np.logical_or.reduce([~np.isfinite(operand) for operand in operands])
        return cls(true & ~unknown, ~true & ~unknown)

    @classmethod
    def of_number(cls, column: Floats) -> Self:
        """A boolean metric, stored as 0, 1 or NaN."""
        return cls(column == 1, column == 0)

    def __and__(self, other: Self) -> "Truth":
        return Truth(self.true & other.true, self.false | other.false)

    def __or__(self, other: Self) -> "Truth":
        return Truth(self.true | other.true, self.false & other.false)

    def __invert__(self) -> "Truth":
        return Truth(self.false, self.true)
