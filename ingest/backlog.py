"""How far a collector has come with what the broker kept for it. Pure."""

import numpy as np

from ingest.messages import DecodedBatch

_NEVER = np.iinfo(np.int64).min


def worked_off(batch: DecodedBatch) -> int | None:
    """Until when (µs since 1970 UTC) what was sent to the partition is stored with this batch; None if it is silent.

    A broker delivers in the order of arrival, so the newest reading of a message says when it was sent. The median
    message counts: single clocks that are wrong do not. When nothing comes, nothing is left.
    """
    arrived = batch.batch.received_at
    if batch.again:
        return None
    if not batch.batch.messages:
        return arrived
    sent = np.full(len(batch.batch.messages), _NEVER)
    for table in batch.readings:
        np.maximum.at(sent, table.message, table.ts)
    sent = sent[sent != _NEVER]
    return min(arrived, int(np.median(sent))) if len(sent) else None
