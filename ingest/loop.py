"""The one loop: everything else hangs on this.

A batch is what has arrived. It is decoded to columns, written, judged and committed as one, and only then
acknowledged; until then the broker keeps it. Written comes before judged, so that rules see each reading once,
whatever the broker delivers twice: the table's key decides what is new, in the same transaction.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from devices.readings import Readings
from ingest.decoding import Decoder
from ingest.messages import DecodedBatch, Ledger
from ingest.session import Session
from ingest.watermarks import Watermarks

Verdicts = TypeVar("Verdicts")
Verdicts_contra = TypeVar("Verdicts_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Written:
    """What a batch left in the database: its ledger, and the readings that were new, late ones included."""

    ledger: Ledger
    fresh: list[Readings]


class Engine(Protocol[Verdicts]):
    """What judges readings. ``step`` is pure; ``apply`` makes its memory follow what was committed."""

    def step(self, readings: Sequence[Readings]) -> Verdicts:
        """What these readings start, raise and end."""

    def apply(self, verdicts: Verdicts) -> None:
        """Remember verdicts that are committed."""


class Transaction(Protocol[Verdicts_contra]):
    """One commit: all of it or none."""

    def write(self, batch: DecodedBatch) -> Written:
        """Readings to their tables, the rest to quarantine, all of it to the ledger."""

    def record(self, verdicts: Verdicts_contra) -> None:
        """Rule state, alarms and alarm events."""


class Store(Protocol[Verdicts_contra]):
    """Where batches are committed."""

    def transaction(self) -> AbstractContextManager[Transaction[Verdicts_contra]]:
        """A transaction that commits when left in peace and rolls back on any error."""


def run(
    session: Session,
    decoder: Decoder,
    watermarks: Watermarks,
    engine: Engine[Verdicts],
    store: Store[Verdicts],
) -> Iterator[Written]:
    """Collect until the session stops; yields what each batch left, once the broker has been told.

    Any error leaves the batch unacknowledged: nothing is lost by raising.
    """
    for batch in session.batches():
        decoded = decoder.decode(batch)
        marked = decoded.marked(watermarks.mark)
        with store.transaction() as tx:
            written = tx.write(marked)
            verdicts = engine.step(written.fresh)
            tx.record(verdicts)
        engine.apply(verdicts)
        for readings in written.fresh:
            watermarks.advance(readings)
        session.acknowledge(batch)
        yield written
