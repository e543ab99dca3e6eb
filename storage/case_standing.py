"""How a case stands at the moment somebody wants to move it."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row

from cases.lifecycle import Event, State
from storage.queries import load

_SQL = load("cases")


@dataclass(frozen=True, slots=True)
class Standing:
    """A case as it stands.

    Attributes:
        state: Its state, one of ``cases.lifecycle.State``.
        unit: Who has it.
        joint: Who answers for it beside.
        delay_pending: Whether more time was asked for and is not decided.
        last: The number of the last line of its history: grows with everything that happens to it.
        moved_at: When it was last moved, aware; None for what has only been reported.
    """

    state: State
    unit: str
    joint: list[str]
    delay_pending: bool
    last: int
    moved_at: datetime | None


def standing(connection: Connection, number: str) -> Standing | None:
    """How a case stands, locked until the transaction ends; None if there is none of that number."""
    with connection.cursor(row_factory=class_row(Standing)) as cursor:
        return cursor.execute(_SQL["case_standing"], {"number": number, "moves": [*Event]}).fetchone()
