"""Durations as people write them in rule packs: ``30s``, ``10m``, ``1h``, ``2d``."""

import re

from devices.moments import MICROS

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 36525 * 86400  # s; what is added to a moment stays a moment
_FORM = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
# A reading that stays away for three intervals interrupts what was being observed.
INTERVALS_PER_GAP = 3


def parse_duration(text: str) -> int:
    """A duration in microseconds.

    Raises:
        ValueError: saying what a duration looks like, or that it is too long.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration: write 30s, 10m, 1h or 2d")
    seconds = float(match[1]) * _UNITS[match[2]]
    if seconds > _LONGEST:
        raise ValueError(f"{text[:40]!r} is longer than a hundred years")
    return round(seconds * MICROS)
