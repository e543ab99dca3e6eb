"""How far a stored reading is to be believed: a bit set on every row."""

from enum import IntFlag


class Quality(IntFlag):
    """Zero is good. The numbers are stored: never renumber."""

    GOOD = 0
    LATE = 1  # older than what had already been evaluated for this device: kept, raises no live alarm
    IMPLAUSIBLE = 2  # a metric outside its instrument's plausible range: no rule believes that metric
    REPLAYED = 4  # taken from quarantine after it had first been refused; received_at is the first arrival
    FROZEN = 8  # the kind's live metrics have not moved for long: no rule believes any metric of it
    REPEATED = 16  # the device's last reading under a new time: said by its gateway, and no sign of life
    SKEWED = 32  # its time was more than a minute ahead of its arrival: believed, but weak as evidence
