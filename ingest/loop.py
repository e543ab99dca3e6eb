"""The one loop: everything else hangs on this.

A batch is what has arrived. It is decoded to columns, written, judged and committed as one, and only then
acknowledged; until then the broker keeps it. Written comes before judged, so that rules see each reading once,
whatever the broker delivers twice: the table's key decides what is new, in the same transaction. Readings of a kind
that waits for late ones are judged in a later batch, be it an empty one. Quarantined messages that somebody wants tried
again go the same way, between two batches.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from devices.kind import Kind
from devices.readings import Ints, Readings
from devices.rejection import Code
from ingest.decoding import Decoder
from ingest.holding import Holding, Progress, Turn
from ingest.marking import Marking
from ingest.messages import DecodedBatch, Ledger, Quarantined
from ingest.replaying import decode_again
from ingest.session import Session

Verdicts = TypeVar("Verdicts")
Verdicts_contra = TypeVar("Verdicts_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Written:
    """What a batch left in the database.

    Its ledger; the readings that were new, late ones included; why how many were refused.
    """

    ledger: Ledger
    fresh: list[Readings]
    refused: Counter[Code] = field(default_factory=Counter)


class Engine(Protocol[Verdicts]):
    """What judges readings. ``step`` is pure; ``apply`` makes its memory follow what was committed."""

    def step(self, readings: Sequence[Readings]) -> Verdicts:
        """What these readings start, raise and end."""

    def apply(self, verdicts: Verdicts) -> None:
        """Remember verdicts that are committed."""


class Transaction(Protocol[Verdicts_contra]):
    """One commit: all of it or none."""

    def latest(self, kind: Kind, devices: Ints) -> Readings:
        """The last stored reading that each of these devices of a kind has sent itself, where there is one."""

    def write(self, batch: DecodedBatch) -> Written:
        """Readings to their tables, the rest to quarantine, all of it to the ledger."""

    def requested(self) -> Sequence[Quarantined]:
        """Quarantined messages that somebody wants tried again, some at a time, the oldest first."""

    def record(self, verdicts: Verdicts_contra) -> None:
        """Rule state, alarms and alarm events."""

    def proceed(self, progress: Sequence[Progress]) -> None:
        """How far kinds have been judged whose readings wait, and the doubts about them."""


class Store(Protocol[Verdicts_contra]):
    """Where batches are committed."""

    def transaction(self) -> AbstractContextManager[Transaction[Verdicts_contra]]:
        """A transaction that commits when left in peace and rolls back on any error."""

    def replays_waiting(self) -> bool:
        """Whether somebody wants quarantined messages tried again."""


def run(
    session: Session,
    decoder: Decoder,
    marking: Marking,
    engine: Engine[Verdicts],
    store: Store[Verdicts],
    holding: Holding,
) -> Iterator[Written]:
    """Collect until the session stops; yields what each batch of it left, once the broker has been told.

    Any error leaves the batch unacknowledged: nothing is lost by raising.
    """
    memory = _Memory(marking, engine, holding)
    for batch in session.batches():
        decoded = decoder.decode(batch)
        with store.transaction() as tx:
            written, turn, verdicts = memory.write(tx, decoded)
        memory.follow(written, turn, verdicts)
        session.acknowledge(batch)
        yield written
        if store.replays_waiting():
            with store.transaction() as tx:
                again = decode_again(decoder, tx.requested(), batch.received_at)
                repeated, turn, verdicts = memory.write(tx, again)
            memory.follow(repeated, turn, verdicts)


@dataclass(frozen=True, slots=True)
class _Memory(Generic[Verdicts]):
    """What is remembered between batches: of devices, of rules, and the readings that wait."""

    marking: Marking
    engine: Engine[Verdicts]
    holding: Holding

    def write(self, tx: Transaction[Verdicts], decoded: DecodedBatch) -> tuple[Written, Turn, Verdicts]:
        """The one way of a reading: marked, written, and if it is new judged in its turn; each in one transaction."""
        for readings in decoded.readings:
            for marking in (self.marking, *self.holding.memories(readings.kind)):
                strangers = marking.strangers(readings)
                if len(strangers):
                    marking.recall(strangers, tx.latest(readings.kind, strangers))
        written = tx.write(decoded.marked(self.marking.mark))
        turn = self.holding.step(written.fresh, decoded.batch.received_at)
        verdicts = self.engine.step(turn.ready)
        tx.record(verdicts)
        if turn.progress:
            tx.proceed(turn.progress)
        return written, turn, verdicts

    def follow(self, written: Written, turn: Turn, verdicts: Verdicts) -> None:
        """What is committed, in memory too."""
        self.engine.apply(verdicts)
        self.holding.apply(turn)
        for readings in written.fresh:
            self.marking.advance(readings)
