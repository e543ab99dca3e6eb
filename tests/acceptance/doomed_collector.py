"""A collector that is killed at the worst moment: its real code, ended by SIGKILL between two real steps."""

import os
import signal
import sys

from cityward.cli import main
from ingest.messages import Batch
from ingest.session import Session
from rules.verdicts import Verdicts
from storage.partition_store import BatchTransaction


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_before_commit(transaction: BatchTransaction, verdicts: Verdicts) -> None:
    """The readings are copied, the alarms written, nothing is committed."""
    _record(transaction, verdicts)
    if verdicts.transitions:
        die()


def die_before_puback(session: Session, batch: Batch) -> None:
    """Everything is committed, the broker does not know."""
    if batch.messages:
        die()
    _acknowledge(session, batch)


_record, _acknowledge = BatchTransaction.record, Session.acknowledge
if sys.argv[1] == "before commit":
    BatchTransaction.record = die_before_commit  # type: ignore[method-assign,assignment]
else:
    Session.acknowledge = die_before_puback  # type: ignore[method-assign,assignment]
sys.argv[1:] = ["collect"]
main()
