"""How much of what devices sent has arrived, told by their sequence numbers."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row

from storage.queries import load

_SQL = load("completeness")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What came of a device in a stretch of time.

    Attributes:
        device_id: The device.
        kind: Its kind.
        district: Its district.
        readings: Stored readings, by the device's time; duplicates are not stored.
        late: Of them, those that came after newer ones.
        frozen: Of them, those of an instrument that stood still.
        repeated: Of them, those that a gateway repeated.
        skewed: Of them, those whose time was more than a minute ahead.
        numbers: Distinct sequence numbers, a number counted again after a restart.
        first_seq: The number of the first reading; None where the device sends none.
        last_seq: The number of the last reading.
        missing: Numbers that were skipped since the reading before the stretch.
        restarts: How often the device began to count anew.
        completeness: The share of numbers that has arrived; None where the device sends none.
    """

    device_id: str
    kind: str
    district: str
    readings: int
    late: int
    frozen: int
    repeated: int
    skewed: int
    numbers: int
    first_seq: int | None
    last_seq: int | None
    missing: int
    restarts: int
    completeness: float | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Sequence numbers that are missing, both ends included, and the times of the readings around them (aware)."""

    first: int
    last: int
    after: datetime
    before: datetime

    @property
    def missing(self) -> int:
        """How many numbers."""
        return self.last - self.first + 1


def stretches(
    connection: Connection,
    since: datetime,
    until: datetime,
    *,
    device_id: str | None = None,
    kind: str | None = None,
    district: str | None = None,
) -> list[Stretch]:
    """What came of each device that has ever been heard, from ``since`` until before ``until`` by its own time.

    The doubtful come first: those not heard at all, then the least complete; those without numbers come last.
    """
    chosen = {"device_id": device_id, "kind": kind, "district": district}
    with connection.cursor(row_factory=class_row(Stretch)) as cursor:
        return cursor.execute(_SQL["stretches"], {"since": since, "until": until, **chosen}).fetchall()


def gaps(connection: Connection, device_id: str, since: datetime, until: datetime) -> list[Gap]:
    """What is missing of a device, in the order of its numbers.

    A gap belongs to the stretch in which the reading after it lies.
    """
    with connection.cursor(row_factory=class_row(Gap)) as cursor:
        return cursor.execute(_SQL["gaps"], {"device_id": device_id, "since": since, "until": until}).fetchall()
