"""How far a stored reading is to be believed: a bit set on every row."""

from enum import IntFlag


class Quality(IntFlag):
    """Zero is good. The numbers are stored: never renumber."""

    GOOD = 0
    LATE = 1  # older than what had already been evaluated for this device: kept, raises no live alarm
    IMPLAUSIBLE = 2  # a metric outside its instrument's plausible range: no rule believes that metric
