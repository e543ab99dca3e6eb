"""What the broker hands over, and what a batch of it turns into."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from devices.codecs.decoded import Aside
from devices.readings import Readings
from devices.rejection import Rejected


class Message(msgspec.Struct, frozen=True, gc=False):
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
class Quarantined:
    """A message in quarantine, or one reading of it.

    ``received_at`` is its first arrival, microseconds since 1970 UTC; ``part`` says which reading of the message was
    refused, from 0, or is -1 for the message as a whole.
    """

    id: int
    received_at: int
    topic: str
    payload: bytes
    part: int = -1


@dataclass(frozen=True, slots=True)
class Status:
    """Whether a device is connected, and when that was heard, microseconds since 1970 UTC."""

    online: bool
    since: int


@dataclass(frozen=True, slots=True)
class DecodedBatch:
    """A batch as columns per kind, plus what could not be read.

    ``received`` counts readings, not messages: an array of three is three, an unreadable message one.
    ``also_sent`` holds, by device number, keys that its kind does not know, ``asides`` what it says of itself, and
    ``statuses`` whether it is connected. These are no readings and have no fate: a status that was understood is not in
    ``received``, one that was not is quarantined like any message. ``again`` is empty for what the broker
    handed over; otherwise it holds, message by message, the rows of the quarantine that are tried again.
    """

    batch: Batch
    readings: list[Readings]
    rejected: list[Rejected]
    also_sent: dict[int, set[str]] = field(default_factory=dict)
    asides: dict[int, Aside] = field(default_factory=dict)
    statuses: dict[int, Status] = field(default_factory=dict)
    again: Sequence[Quarantined] = ()

    def marked(self, mark: Callable[[Readings], Readings]) -> "DecodedBatch":
        """The same batch with ``mark`` applied to the readings of each kind."""
        return replace(self, readings=[mark(readings) for readings in self.readings])

    @property
    def received(self) -> int:
        """How many readings must find a fate."""
        return sum(map(len, self.readings)) + len(self.rejected)


# Above so many refused readings, or bytes, a message is quarantined once as a whole: each row keeps the payload it came
# in, and a batch whose copies take longer than the broker's patience would come again for ever.
MOST_REFUSALS, MOST_COPIED = 16, 16 * 1024


def condensed(rejected: Sequence[Rejected], messages: Sequence[Message]) -> list[Rejected]:
    """The same refusals, but one for the whole message where a message has too many of them."""
    counts = Counter(each.message for each in rejected)
    kept: list[Rejected] = []
    said: set[int] = set()
    for each in rejected:
        count = counts[each.message]
        if count == 1 or (count <= MOST_REFUSALS and count * len(messages[each.message].payload) <= MOST_COPIED):
            kept.append(each)
        elif each.message not in said:
            said.add(each.message)
            detail = f"{count} readings of this message are refused, the first: {each.detail}"
            kept.append(Rejected(each.code, detail, each.message))
    return kept


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where everything that was received went: ``received == stored + duplicate + quarantined``."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0

    def __add__(self, other: "Ledger") -> "Ledger":
        return Ledger(
            self.received + other.received,
            self.stored + other.stored,
            self.duplicate + other.duplicate,
            self.quarantined + other.quarantined,
        )

    def __post_init__(self) -> None:
        if self.received != self.stored + self.duplicate + self.quarantined:
            raise LedgerError(self)


class LedgerError(AssertionError):
    """A message found no fate, or two. The batch must not be committed."""
