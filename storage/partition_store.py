"""What the collector of one partition reads and writes: the lock, the batch, the state of its rules."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection

from devices.kind import Kind
from devices.moments import moment
from devices.readings import Ints, Readings
from devices.rejection import Code, Rejected
from ingest import backlog
from ingest.hearing import Hearing
from ingest.holding import Progress
from ingest.loop import Written
from ingest.messages import DecodedBatch, Ledger, Quarantined, condensed
from ingest.replaying import outcomes
from rules.verdicts import Verdicts
from storage import alarm_store, device_status, reading_writer, replay_store, rule_states, waiting, worked_off
from storage.connection import describe
from storage.errors import RegistryChangedError, translated
from storage.queries import load
from storage.registry_store import revision
from storage.replay_store import storable

STATUS_EVERY = 2.0  # seconds between bulk updates of device_status and looks at the registry's revision
# On a clock that runs faster than the wall: µs of arrivals after which a device must not look silent.
STATUS_BEHIND = 30_000_000
REPLAYS_EVERY = 1.0  # seconds between looks for messages to try again, while there are none
_SQL = load("ingest")
_CONFLICT = "same device and time as a stored reading, but other values; the first one stays"
_UNSTORABLE = "the database refuses a value of this reading; report it as a defect"


class PartitionStore:
    """The database as one collector sees it, for as long as its connection lives.

    The connection carries the partition's lock: when it breaks, the lock is gone, and so is this object's right to
    write. Nothing is retried here; the collector starts over.

    Args:
        connection: Its own; in autocommit mode.
        dsn: What it is connected to, for messages.
        partition: The partition's name.
        registry_revision: The registry's revision that readings are decoded against.
    """

    def __init__(self, connection: Connection, dsn: str, partition: str, registry_revision: int) -> None:
        self._connection = connection
        self._where = describe(dsn)
        self._partition = partition
        self._revision = registry_revision
        self._hearing = Hearing()
        self._looked = time.monotonic()
        self._told = 0  # the arrivals that device_status has come to, µs; 0 before the first
        self._no_replay_before = self._looked
        with translated(self._where):
            connection.execute(_SQL["unpack_any_number"])

    @contextmanager
    def transaction(self) -> Iterator["BatchTransaction"]:
        """One commit.

        Raises:
            DatabaseUnavailableError: if the connection breaks; whether the commit happened is then unknown, and a
                redelivered batch finds out.
            RegistryChangedError: if devices were imported since this collector read them.
        """
        due = time.monotonic() - self._looked > STATUS_EVERY
        with translated(self._where):
            if due:
                self._check_revision()
            with self._connection.transaction():
                batch = BatchTransaction(self._connection, self._partition, self._hearing, self._check_revision)
                yield batch
                self._told = self._told or batch.arrived
                due = due or batch.arrived - self._told >= STATUS_BEHIND
                if due:
                    device_status.write(self._connection, self._hearing.summary())
                    batch.note_worked_off()
        if due:
            self._hearing.clear()
            self._looked, self._told = time.monotonic(), batch.arrived

    def replays_waiting(self) -> bool:
        """Whether there are messages to try again.

        Raises:
            DatabaseUnavailableError: if the connection breaks.
        """
        if time.monotonic() < self._no_replay_before:
            return False
        with translated(self._where):
            waiting = replay_store.waiting(self._connection, self._partition)
        if not waiting:
            self._no_replay_before = time.monotonic() + REPLAYS_EVERY
        return waiting

    def _check_revision(self) -> None:
        if revision(self._connection) != self._revision:
            raise RegistryChangedError("the registry of devices has changed")


class BatchTransaction:
    """The writes of one batch, which ``arrived`` then."""

    def __init__(
        self, connection: Connection, partition: str, hearing: Hearing, check_revision: Callable[[], None]
    ) -> None:
        self._connection = connection
        self._partition = partition
        self._hearing = hearing
        self._check_revision = check_revision
        self._at = moment(0)
        self._batch: DecodedBatch | None = None
        self.arrived = 0  # µs since 1970 UTC

    def latest(self, kind: Kind, devices: Ints) -> Readings:
        """The last stored reading that each of these devices of a kind has sent itself, where there is one."""
        return reading_writer.latest(self._connection, kind, devices.tolist())

    def write(self, batch: DecodedBatch) -> Written:
        """Readings to their tables, the rest to quarantine, all of it to the ledger."""
        self._batch, self.arrived = batch, batch.batch.received_at
        self._at = moment(self.arrived)
        fresh: list[Readings] = []
        rejected = list(batch.rejected)
        results = reading_writer.write_all(self._connection, batch.readings)
        for readings, result in zip(batch.readings, results, strict=True):
            fresh.append(readings.where(result.fresh))
            rejected += _rejected(Code.CONFLICT, _CONFLICT, readings, result.conflicts)
            rejected += _rejected(Code.UNSTORABLE, _UNSTORABLE, readings, result.unstorable)
            self._hearing.add(readings, result.fresh)
        self._hearing.note(batch.also_sent, batch.asides)
        if batch.statuses:
            device_status.write_connections(self._connection, batch.statuses)
        if batch.again:
            ledger = replay_store.settle(self._connection, outcomes(batch, fresh, rejected), self._at)
        else:
            stored = sum(map(len, fresh))
            duplicate = batch.received - stored - len(rejected)
            rejected = condensed(rejected, batch.batch.messages)
            ledger = Ledger(stored + duplicate + len(rejected), stored, duplicate, len(rejected))
            self._quarantine(rejected, batch)
            self._enter(ledger)
        refused = Counter(each.code for each in rejected)
        return Written(ledger, [readings for readings in fresh if len(readings)], refused)

    def requested(self) -> list[Quarantined]:
        """Messages to try again.

        Raises:
            RegistryChangedError: if devices were imported since this collector read them: what was waiting for them
                must not be refused for a second time.
        """
        found = replay_store.requested(self._connection, self._partition)
        self._check_revision()
        return found

    def record(self, verdicts: Verdicts) -> None:
        """Rule state, alarms and their events, rules that crashed."""
        rule_states.save(self._connection, verdicts.states)
        alarm_store.record(self._connection, verdicts.transitions, self._at)
        rule_states.record_crashes(self._connection, verdicts.crashes, self._at, self._partition)

    def proceed(self, progress: Sequence[Progress]) -> None:
        """How far kinds have been judged whose readings wait, and the doubts about them.

        Raises:
            RegistryChangedError: if devices were imported: another partition may have taken some of them over.
        """
        waiting.proceed(self._connection, self._partition, progress)
        self._check_revision()

    def note_worked_off(self) -> None:
        """How far the collector has come with what was sent to its partition."""
        until = backlog.worked_off(self._batch) if self._batch else None
        if until is not None:
            worked_off.save(self._connection, self._partition, until)

    def _quarantine(self, rejected: list[Rejected], batch: DecodedBatch) -> None:
        if not rejected:
            return
        messages = [batch.batch.messages[each.message] for each in rejected]
        self._connection.execute(
            _SQL["write_quarantine"],
            {
                "received_at": self._at,
                "partition": self._partition,
                "codes": [each.code.value for each in rejected],
                "details": [storable(each.detail) for each in rejected],
                "topics": [storable(message.topic) for message in messages],
                "parts": [each.part for each in rejected],
                "payloads": [message.payload for message in messages],
            },
        )

    def _enter(self, ledger: Ledger) -> None:
        if ledger.received:
            self._connection.execute(
                _SQL["write_ledger"],
                {
                    "at": self._at,
                    "partition": self._partition,
                    "received": ledger.received,
                    "stored": ledger.stored,
                    "duplicate": ledger.duplicate,
                    "quarantined": ledger.quarantined,
                },
            )


def _rejected(code: Code, detail: str, readings: Readings, which: NDArray[np.bool_]) -> list[Rejected]:
    places = zip(readings.message[which].tolist(), readings.part[which].tolist(), strict=True)
    return [Rejected(code, detail, message, part) for message, part in places]
