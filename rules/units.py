"""Units through expressions: what may be added and compared, and what comes of products.

A unit is a text as kind.toml has it; None is taken on trust: a written number, a product of two quantities, a number
converted by a power of ten, by 60 or by 3600.
"""

import math

NUMBER = "1"
_CONVERSIONS = {60.0, 3600.0, 86400.0}


class UnitError(ValueError):
    """Two quantities that cannot be added or compared."""


def same(a: str | None, b: str | None) -> str | None:
    """The unit of a sum, or of both sides of a comparison.

    Raises:
        UnitError: naming both.
    """
    if a is None or b is None or a == b:
        return a if b is None else b
    if _level(a) and _level(b) and "dB" in {a, b}:  # a difference of levels added to a level
        return a if b == "dB" else b
    raise UnitError(f"{_called(a)} and {_called(b)} do not go together; a written factor such as 1000 or 60 converts")


def product(a: str | None, b: str | None) -> str | None:
    """The unit of a product."""
    if a == NUMBER:
        return b
    return a if b == NUMBER else None


def quotient(a: str | None, b: str | None) -> str | None:
    """The unit of a quotient."""
    if a is not None and a == b:
        return NUMBER
    return a if b == NUMBER else None


def scaled(unit: str | None, factor: float) -> str | None:
    """The unit of a quantity times a written number."""
    power = math.log10(abs(factor)) if factor else 0.0
    converts = (factor != 1 and power == round(power) and abs(power) >= 2) or factor in _CONVERSIONS
    return None if converts else unit


def _level(unit: str) -> bool:
    return unit.startswith("dB")


def _called(unit: str) -> str:
    return "a plain number (1)" if unit == NUMBER else unit
