"""The quarantine as people see it: what is in it, asking for another try, giving up."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from psycopg import Connection
from psycopg.rows import class_row

from devices.device import Description
from devices.rejection import Code
from devices.topics import device_topic
from ingest.messages import Quarantined
from storage.queries import load
from storage.registry_store import import_devices

_SQL = load("quarantine")


class Resolution(StrEnum):
    """How a message left the quarantine; its row stays."""

    REPLAYED = "replayed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of a message. Times are aware, in UTC.

    ``part`` is the reading of the message that is meant, from 0, or -1 for the message as a whole; ``size`` its bytes.
    ``stored`` and ``duplicate`` count the readings that trying again has found in it.
    """

    id: int
    received_at: datetime
    partition: str
    code: str
    detail: str
    topic: str
    size: int
    part: int
    attempts: int
    stored: int
    duplicate: int
    replay_partition: str | None
    replay_requested_at: datetime | None
    replay_requested_by: str | None
    resolved_at: datetime | None
    resolution: Resolution | None
    resolved_by: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which messages are meant; what is None does not matter.

    ``topic`` is a pattern in which ``*`` stands for anything; times are aware, ``before`` is not included.
    """

    ids: Sequence[int] | None = None
    code: Code | None = None
    topic: str | None = None
    since: datetime | None = None
    before: datetime | None = None


@dataclass(slots=True)
class Progress:
    """How far messages are that were to be tried again: ``waiting`` by partition, ``refused`` by code."""

    waiting: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    resolved: dict[Resolution, int] = field(default_factory=dict)
    stored: int = 0
    duplicate: int = 0


@dataclass(frozen=True, slots=True)
class Unregistered:
    """A device that sends and is not registered: how often, from when to when, and the number of its last message.

    ``known_district`` and ``known_kind`` are set where a device of that id is registered, there and as that.
    """

    district: str
    kind: str
    device_id: str
    messages: int
    first: datetime
    last: datetime
    sample: int
    known_district: str | None
    known_kind: str | None


def find(
    connection: Connection, selection: Selection, *, resolved: bool = False, limit: int | None = None
) -> dict[int, str]:
    """The topics of the messages chosen by number, the newest first; with ``resolved`` those that left too."""
    parameters = {
        "ids": None if selection.ids is None else list(selection.ids),
        "code": selection.code,
        "topic": None if selection.topic is None else like(selection.topic),
        "since": selection.since,
        "before": selection.before,
    }
    return dict(connection.execute(_SQL["choose"], {**parameters, "resolved": resolved, "limit": limit}).fetchall())


def load_rows(connection: Connection, ids: Sequence[int]) -> list[Row]:
    """What is known of these messages, the newest first."""
    with connection.cursor(row_factory=class_row(Row)) as cursor:
        return cursor.execute(_SQL["load_rows"], {"ids": list(ids)}).fetchall()


def load_message(connection: Connection, number: int) -> Quarantined | None:
    """A message as it arrived; None if there is none of that number."""
    with connection.cursor(row_factory=class_row(Quarantined)) as cursor:
        return cursor.execute(_SQL["load_message"], {"id": number}).fetchone()


def request_replay(connection: Connection, partitions: Mapping[int, str], at: datetime, by: str) -> list[int]:
    """Ask for messages to be tried again; those that will be.

    Args:
        connection: Where to ask.
        partitions: By the number of each message, the partition whose collector is to do it.
        at: Now.
        by: Who asks.
    """
    asked = {"ids": list(partitions), "partitions": list(partitions.values())}
    return [int(number) for (number,) in connection.execute(_SQL["request_replay"], {**asked, "at": at, "by": by})]


def adopt(
    connection: Connection, device: Description, partition_of: Callable[[str], str | None], at: datetime, by: str
) -> list[int]:
    """Register a device and ask for its messages to be tried again, both or neither; the messages.

    Args:
        connection: Where to.
        device: What it is.
        partition_of: The partition that hears a topic, if any does.
        at: Now.
        by: Who adopts it.

    Raises:
        DescriptionError: if it is registered already as something else.
    """
    topics = device_topic(device.district, device.kind, device.device_id, "*")
    with connection.transaction():
        import_devices(connection, [device], device.device_id, at)
        mine = find(connection, Selection(code=Code.UNREGISTERED, topic=topics))
        routed = {number: partition for number, topic in mine.items() if (partition := partition_of(topic))}
        return request_replay(connection, routed, at, by)


def drop(connection: Connection, ids: Sequence[int], reason: str, at: datetime, by: str) -> list[int]:
    """Give messages up; those that were still in quarantine."""
    parameters = {"ids": list(ids), "reason": reason, "at": at, "by": by}
    return [int(number) for (number,) in connection.execute(_SQL["drop_messages"], parameters)]


def progress(connection: Connection, ids: Sequence[int]) -> Progress:
    """How far these messages are."""
    found = Progress()
    for partition, resolution, code, count, stored, duplicate in connection.execute(
        _SQL["progress"], {"ids": list(ids)}
    ):
        if partition is not None:
            found.waiting[partition] = found.waiting.get(partition, 0) + count
        elif resolution is not None:
            found.resolved[Resolution(resolution)] = count
        else:
            found.refused[code] = count
        found.stored += stored
        found.duplicate += duplicate
    return found


def unregistered(
    connection: Connection, device_id: str | None = None, *, limit: int | None = None
) -> list[Unregistered]:
    """Devices that send and are not registered, the busiest first; or those of one id."""
    with connection.cursor(row_factory=class_row(Unregistered)) as cursor:
        return cursor.execute(_SQL["unregistered"], {"device_id": device_id, "limit": limit}).fetchall()


def like(pattern: str) -> str:
    """A pattern with ``*`` as SQL's LIKE takes it: everything else stands for itself."""
    for special in "\\%_":
        pattern = pattern.replace(special, f"\\{special}")
    return pattern.replace("*", "%")
