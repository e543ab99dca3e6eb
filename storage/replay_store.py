"""The collector's side of the quarantine: which messages to try again, and what became of them."""

from collections.abc import Sequence
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row

from ingest.messages import Ledger, Quarantined
from ingest.replaying import Outcome
from storage.queries import load

# At most so much between two live batches, about 0.3 s.
MOST_MESSAGES, MOST_BYTES = 1000, 4 * 1024 * 1024
_SQL = load("quarantine")


def waiting(connection: Connection, partition: str) -> bool:
    """Whether there is something to try again."""
    return connection.execute(_SQL["replays_waiting"], {"partition": partition}).fetchone() == (True,)


def requested(connection: Connection, partition: str) -> list[Quarantined]:
    """The oldest messages to try again, locked until the transaction ends."""
    bounds = {"most": MOST_MESSAGES, "bytes": MOST_BYTES}
    with connection.cursor(row_factory=class_row(Quarantined)) as cursor:
        return cursor.execute(_SQL["take_requested"], {"partition": partition, **bounds}).fetchall()


def settle(connection: Connection, outcomes: Sequence[Outcome], at: datetime) -> Ledger:
    """Write down what became of messages, in the transaction that holds their readings; the change of the ledger."""
    resolved = [outcome for outcome in outcomes if not outcome.rejected]
    refused = [outcome for outcome in outcomes if outcome.rejected]
    if resolved:
        connection.execute(_SQL["resolve_replayed"], {"at": at, **_columns(resolved)})
    if refused:
        first = [(outcome, 0) for outcome in refused]
        connection.execute(_SQL["refuse_again"], {**_columns(refused), **_reasons(first)})
    if further := [(outcome, number) for outcome in refused for number in range(1, len(outcome.rejected))]:
        ids = [outcome.quarantined.id for outcome, _ in further]
        connection.execute(_SQL["refuse_further"], {"ids": ids, **_reasons(further)})
    moved = [outcome for outcome in outcomes if outcome.ledger != Ledger()]
    if moved:
        connection.execute(
            _SQL["move_ledger"],
            {
                "ids": [outcome.quarantined.id for outcome in moved],
                "received": [outcome.ledger.received for outcome in moved],
                "stored": [outcome.ledger.stored for outcome in moved],
                "duplicate": [outcome.ledger.duplicate for outcome in moved],
                "quarantined": [outcome.ledger.quarantined for outcome in moved],
            },
        )
    return sum((outcome.ledger for outcome in moved), Ledger())


def _columns(outcomes: Sequence[Outcome]) -> dict[str, list[int]]:
    return {
        "ids": [outcome.quarantined.id for outcome in outcomes],
        "stored": [outcome.stored for outcome in outcomes],
        "duplicate": [outcome.duplicate for outcome in outcomes],
    }


def _reasons(refusals: Sequence[tuple[Outcome, int]]) -> dict[str, list[str] | list[int]]:
    rejected = [outcome.rejected[number] for outcome, number in refusals]
    return {
        "codes": [each.code.value for each in rejected],
        "details": [storable(each.detail) for each in rejected],
        "parts": [each.part for each in rejected],
    }


def storable(text: str) -> str:
    """A text without NUL, which PostgreSQL does not store."""
    return text.replace("\0", "\\0")
