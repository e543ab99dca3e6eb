"""Waiting for the collectors to try messages again, and saying what became of them."""

import threading
from collections.abc import Callable, Sequence

from cityward.showing import many
from storage.connection import Connection
from storage.locks import PARTITION, holders
from storage.quarantine import Progress, Resolution, progress

LOOK_EVERY = 0.2  # seconds
# Seconds without any collector after which nobody is waited for: one that reloads its registry is back before.
PATIENCE = 5.0


def await_replay(connection: Connection, ids: Sequence[int], show: Callable[[Progress], None]) -> Progress:
    """Wait until these messages have been tried again, or nobody is there to do it.

    Args:
        connection: In autocommit mode.
        ids: The messages.
        show: Told how far they are, again and again.
    """
    pause = threading.Event()
    alone = 0.0
    while True:
        now = progress(connection, ids)
        show(now)
        alone = 0.0 if holders(connection, PARTITION, list(now.waiting)) else alone + LOOK_EVERY
        if not now.waiting or alone > PATIENCE:
            return now
        pause.wait(LOOK_EVERY)


def what_became(now: Progress) -> str:
    """A sentence for each thing that became of messages."""
    said = []
    if replayed := now.resolved.get(Resolution.REPLAYED, 0):
        duplicate = f", {many(now.duplicate, 'duplicate')}" if now.duplicate else ""
        said.append(f"{many(replayed, 'message')} replayed: {many(now.stored, 'reading')} stored{duplicate}.")
    if dropped := now.resolved.get(Resolution.DROPPED, 0):
        said.append(f"{many(dropped, 'message')} dropped meanwhile.")
    if now.refused:
        codes = ", ".join(f"{count} {code}" for code, count in now.refused.items())
        said.append(f"{many(sum(now.refused.values()), 'message')} refused again: {codes}.")
    return "\n".join(said)


def nobody_there(now: Progress) -> str:
    """What to do where messages wait and no collector is there."""
    partitions = " and ".join(now.waiting)
    count = sum(now.waiting.values())
    return (
        f"no collector of partition {partitions} is running: {many(count, 'message')} will be tried again when one is"
        " (cityward collect)"
    )
