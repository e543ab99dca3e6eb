"""A collector that is killed while it tries quarantined messages again: its real code, ended by SIGKILL in mid-way."""

import os
import signal
import sys

from cityward.cli import main
from ingest.loop import Written
from ingest.messages import DecodedBatch
from rules.engine import Engine
from rules.verdicts import Verdicts
from storage.partition_store import BatchTransaction

MOMENT = sys.argv[1]
_replaying = False


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def write(transaction: BatchTransaction, batch: DecodedBatch) -> Written:
    """Notes that a replay is under way; dies of it with everything written and nothing committed."""
    global _replaying  # noqa: PLW0603 - there is one collector
    written = _write(transaction, batch)
    _replaying = bool(batch.again)
    if _replaying and MOMENT == "before commit":
        die()
    return written


def apply(engine: Engine, verdicts: Verdicts) -> None:
    """Everything of a replay is committed, and nothing of it known to anybody."""
    if _replaying:
        die()
    _apply(engine, verdicts)


_write, _apply = BatchTransaction.write, Engine.apply
BatchTransaction.write = write  # type: ignore[method-assign,assignment]
Engine.apply = apply  # type: ignore[method-assign,assignment]
sys.argv[1:] = ["collect"]
main()
