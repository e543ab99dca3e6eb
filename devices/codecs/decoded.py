"""What every codec makes of a payload."""

import re
from collections.abc import Iterable

import msgspec

# µs of 2000 and 2100: outside it is another unit (seconds for milliseconds) or a dead clock.
EARLIEST, LATEST = 946_684_800_000_000, 4_102_444_800_000_000
# The largest 32-bit float: what the table can hold.
LARGEST_REAL = 3.4028234e38
# What is kept of keys that a kind does not know: enough to describe a device, too little to flood anything.
_ALSO_SENT, _KEY_LENGTH = 16, 64
_ODD = re.compile(r"[^\w.=-]")


class Aside(msgspec.Struct, frozen=True, gc=False):
    """What a device says of itself beside its metrics; None where it says nothing.

    ``firmware`` as it names it; ``csq`` and ``rsrp`` (dBm) where its kind does not measure them.
    """

    firmware: str | None = None
    csq: float | None = None
    rsrp: float | None = None

    @property
    def signal(self) -> dict[str, float]:
        """The signal strengths that it says."""
        return {name: value for name, value in (("csq", self.csq), ("rsrp", self.rsrp)) if value is not None}

    def over(self, earlier: "Aside") -> "Aside":
        """This, and what was said earlier where this says nothing."""
        return Aside(
            self.firmware if self.firmware is not None else earlier.firmware,
            self.csq if self.csq is not None else earlier.csq,
            self.rsrp if self.rsrp is not None else earlier.rsrp,
        )


class Presence(msgspec.Struct, frozen=True, gc=False):
    """Whether a device is connected, as it or its last will says. No reading: it measures nothing."""

    online: bool


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """One reading as it was sent.

    ``ts`` in microseconds since 1970 UTC; ``values`` in the order of the kind's metrics, None where not sent;
    ``also_sent`` names keys that the kind does not know; ``aside`` is what the device says of itself.
    """

    ts: int
    seq: int
    type: int
    values: tuple[float | bool | str | None, ...]
    also_sent: tuple[str, ...] = ()
    aside: Aside | None = None


def noted(keys: Iterable[str]) -> tuple[str, ...]:
    """The first few of these keys, cut short and without characters that would trouble a list of words."""
    return tuple(_ODD.sub("?", key)[:_KEY_LENGTH] for key, _ in zip(keys, range(_ALSO_SENT), strict=False))
