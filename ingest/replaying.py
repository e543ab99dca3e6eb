"""Quarantined messages tried again: they go the way of live ones, flagged, and under their first time of arrival.

Pure. Whoever mended what was wrong (registered a device, extended a kind) asks for it; the collector of the partition
does it between two batches, because the rules' memory is its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from devices.quality import Quality
from devices.readings import Ints, Readings
from devices.rejection import Code, Rejected
from ingest.decoding import Decoder
from ingest.messages import Batch, DecodedBatch, Ledger, Message, Quarantined, Status, condensed

_GONE = "the message holds no such reading any more; replay another one of it, or drop this one with a reason"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a quarantined message: resolved if nothing of it is refused again."""

    quarantined: Quarantined
    stored: int
    duplicate: int
    rejected: tuple[Rejected, ...]

    @property
    def ledger(self) -> Ledger:
        """What it changes in the ledger of the minute in which it first arrived.

        There it counts as one quarantined reading. That one moves to where it is now; a message that could not be
        read at all may turn out to hold several, which that minute had received without knowing; one that turns out to
        be a status held no reading.
        """
        refused = len(self.rejected)
        return Ledger(self.stored + self.duplicate + refused - 1, self.stored, self.duplicate, refused - 1)


def decode_again(decoder: Decoder, quarantined: Sequence[Quarantined], now: int) -> DecodedBatch:
    """These messages as one batch that is dealt with at ``now``, microseconds since 1970 UTC.

    Each is judged by the clock of its own arrival: what was ahead of it then is ahead of it still.
    """
    tables: dict[str, list[Readings]] = defaultdict(list)
    rejected: list[Rejected] = []
    also_sent: dict[int, set[str]] = defaultdict(set)
    statuses: dict[int, Status] = {}
    for position, each in enumerate(quarantined):
        decoded = decoder.decode(Batch([Message(each.topic, each.payload)], each.received_at))
        readings = [table.take(_wanted(table.part, each)) for table in decoded.readings]
        refused = [one for one in decoded.rejected if each.part in {-1, one.part} or one.part == -1]
        statuses |= decoded.statuses
        if not any(map(len, readings)) and not refused and not decoded.statuses:
            refused = [Rejected(Code.MALFORMED, _GONE, part=each.part)]
        rejected += [replace(one, message=position) for one in refused]
        for table in filter(len, readings):
            tables[table.kind.name].append(_replayed(table, position))
        for device, keys in decoded.also_sent.items():
            also_sent[device] |= keys
    joined = [Readings.joined(parts) for parts in tables.values()]
    messages = [Message(each.topic, each.payload) for each in quarantined]
    return DecodedBatch(Batch(messages, now), joined, rejected, dict(also_sent), statuses=statuses, again=quarantined)


def outcomes(batch: DecodedBatch, fresh: Iterable[Readings], rejected: Sequence[Rejected]) -> list[Outcome]:
    """What became of each message of a batch that was tried again.

    Args:
        batch: As ``decode_again`` made it.
        fresh: Its readings that the tables took as new.
        rejected: All of it that is refused, by the decoder or by a table.
    """
    sent, stored = _by_message(batch.readings, batch), _by_message(fresh, batch)
    refused: dict[int, list[Rejected]] = defaultdict(list)
    for one in batch.rejected:
        sent[one.message] += 1
    for one in rejected:
        refused[one.message].append(one)
    return [
        Outcome(
            each,
            new,
            all_of_it - new - len(refused[position]),
            tuple(condensed(refused[position], batch.batch.messages)),
        )
        for position, (each, all_of_it, new) in enumerate(zip(batch.again, sent.tolist(), stored.tolist(), strict=True))
    ]


def _wanted(part: Ints, each: Quarantined) -> NDArray[np.bool_]:
    return np.equal(part, each.part) | (each.part == -1)


def _replayed(table: Readings, position: int) -> Readings:
    message = np.full(len(table), position, dtype=np.int64)
    return replace(table, message=message, quality=table.quality | int(Quality.REPLAYED))


def _by_message(tables: Iterable[Readings], batch: DecodedBatch) -> Ints:
    """How many readings of these tables each message of the batch brought."""
    count = np.zeros(len(batch.again), dtype=np.int64)
    for table in tables:
        count += np.bincount(table.message, minlength=len(batch.again))
    return count
