"""What the broker hands over, and what a batch of it turns into."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from devices.readings import Readings
from devices.rejection import Rejected


@dataclass(frozen=True, slots=True)
class Message:
    """One PUBLISH that has arrived and is not yet acknowledged. ``packet_id`` is 0 for QoS 0."""

    topic: str
    payload: bytes
    packet_id: int = 0
    qos: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that arrived together.

    ``received_at``: microseconds since 1970 UTC. An empty batch is a tick: nothing arrived for a while.
    """

    messages: list[Message]
    received_at: int


@dataclass(frozen=True, slots=True)
class DecodedBatch:
    """A batch as columns per kind, plus what could not be read.

    ``received`` counts readings, not messages: an array of three is three, an unreadable message one.
    ``also_sent`` holds, by device number, keys that its kind does not know.
    """

    batch: Batch
    readings: list[Readings]
    rejected: list[Rejected]
    also_sent: dict[int, set[str]] = field(default_factory=dict)

    def marked(self, mark: Callable[[Readings], Readings]) -> "DecodedBatch":
        """The same batch with ``mark`` applied to the readings of each kind."""
        return replace(self, readings=[mark(readings) for readings in self.readings])

    @property
    def received(self) -> int:
        """How many readings must find a fate."""
        return sum(map(len, self.readings)) + len(self.rejected)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where everything that was received went: ``received == stored + duplicate + quarantined``."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0

    def __post_init__(self) -> None:
        if self.received != self.stored + self.duplicate + self.quarantined:
            raise LedgerError(self)


class LedgerError(AssertionError):
    """A message found no fate, or two. The batch must not be committed."""
