"""Work permits: what is being worked on, until when, by whom and why."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.rows import class_row

from alarms.permits import State, state_at
from devices.errors import Permanent
from rules.spells import Spell, Spells
from storage.queries import load

MAINTENANCE = "maintenance"
# How far back rules may ask for permits: a window of a day may wait for its readings.
REMEMBERED = timedelta(days=3)
_SQL = load("permits")
_REGISTRY = load("registry")


class PermitError(Permanent):
    """A permit cannot be granted or revoked; the message says what would be right."""


class NothingCoveredError(PermitError):
    """A permit's target is no registered device."""

    def __init__(self, target: str) -> None:
        self.target = target
        super().__init__(
            f"{target!r} means no registered device; write a device id, or a field and its value such as"
            " 'road:Jiefang Road', 'grid:420102001001001', 'circuit:C-03', 'district:east' or 'city:all'"
        )


class PermitOverError(PermitError):
    """A permit would end before it begins, or has ended already."""

    def __init__(self, end: datetime) -> None:
        super().__init__(f"it would end {end:%Y-%m-%d %H:%M}, which is before it begins or already past")


class UnknownPermitError(PermitError):
    """No permit of this number can be revoked."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"there is no permit {number} that could be revoked; see cityward permits list")


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """What somebody may do. Times are aware.

    ``kind`` is a word such as ``maintenance``, which takes what it covers out of service, or ``night_work``, which a
    rule can ask for. ``target`` is a device id, a field and its value such as ``road:Jiefang Road``, or a group's id.
    """

    kind: str
    target: str
    valid_from: datetime
    valid_to: datetime
    holder: str
    reason: str


@dataclass(frozen=True, slots=True)
class PermitRow:
    """A permit in a list, with how many devices it covers and alarms it has hushed now."""

    id: int
    kind: str
    target: str
    valid_from: datetime
    valid_to: datetime
    holder: str
    reason: str
    granted_by: str
    revoked_at: datetime | None
    revoke_reason: str | None
    devices: int
    alarms: int

    def state_at(self, at: datetime) -> State:
        """Where it stands at a moment."""
        return state_at(at, self.valid_from, self.valid_to, self.revoked_at)


def grant(connection: Connection, permit: Permit, *, at: datetime, actor: str) -> tuple[int, int]:
    """Grant a permit; its number, and how many devices it covers. Rules know of it within seconds.

    Raises:
        PermitError: if it covers nothing, ends before it begins or is over, or says neither who nor why.
    """
    if not permit.kind.replace("_", "").isalnum():
        raise PermitError(f"kind: {permit.kind!r} is no word; write maintenance, night_work, ...")
    if permit.valid_to <= max(permit.valid_from, at):
        raise PermitOverError(permit.valid_to)
    if not permit.holder.strip() or not permit.reason.strip():
        raise PermitError("say who works there and why")
    with connection.transaction():
        ((devices,),) = connection.execute(_SQL["covered"], {"target": permit.target}).fetchall()
        if not devices:
            raise NothingCoveredError(permit.target)
        ((number,),) = connection.execute(
            _SQL["grant"],
            {
                "kind": permit.kind,
                "target": permit.target,
                "valid_from": permit.valid_from,
                "valid_to": permit.valid_to,
                "holder": permit.holder.strip(),
                "reason": permit.reason.strip(),
                "at": at,
                "actor": actor,
            },
        ).fetchall()
        connection.execute(_REGISTRY["bump_revision"])
    return int(number), int(devices)


def revoke(connection: Connection, number: int, *, at: datetime, actor: str, reason: str) -> None:
    """End a permit before its time; what is still active under it comes up.

    Raises:
        PermitError: if there is none of that number in force or to come, or no reason is given.
    """
    if not reason.strip():
        raise PermitError("say why: a permit is revoked with a reason")
    with connection.transaction():
        parameters = {"id": number, "at": at, "actor": actor, "reason": reason.strip()}
        if connection.execute(_SQL["revoke"], parameters).fetchone() is None:
            raise UnknownPermitError(number)
        connection.execute(_REGISTRY["bump_revision"])


def list_permits(connection: Connection, now: datetime, *, everything: bool = False) -> list[PermitRow]:
    """Permits in force or to come; with ``everything`` those that are over too."""
    with connection.cursor(row_factory=class_row(PermitRow)) as cursor:
        return cursor.execute(_SQL["list_permits"], {"now": now, "everything": everything}).fetchall()


def spells(connection: Connection, since: datetime) -> Spells:
    """When which kinds of permit are in force over which devices, as rules ask; without those that ended before."""
    found = connection.execute(_SQL["permit_spells"], {"since": since})
    return Spells.of(Spell(str(kind), int(device), int(start), int(end)) for kind, device, start, end in found)


@dataclass(frozen=True, slots=True)
class PermitOver:
    """A permit over one facility; times are aware, in UTC."""

    id: int
    kind: str
    holder: str
    reason: str
    valid_from: datetime
    valid_to: datetime


def over(connection: Connection, device_id: str, at: datetime) -> list[PermitOver]:
    """The permits of any kind that were in force over a facility at a moment."""
    with connection.cursor(row_factory=class_row(PermitOver)) as cursor:
        return cursor.execute(_SQL["permits_over"], {"device_id": device_id, "at": at}).fetchall()
