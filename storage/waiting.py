"""Readings that wait for older ones of their device: what a collector finds of them, and how far it has judged."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from psycopg import Connection

from devices.kind import Kind
from devices.moments import micros, moment
from devices.readings import Readings
from ingest.holding import Progress, Waiting
from storage import reading_writer
from storage.queries import load

_SQL = load("ingest")


def begin(
    connection: Connection,
    partition: str,
    kinds: Mapping[str, Kind],
    bound: Iterable[str],
    devices_of: Callable[[str], Sequence[int]],
    now: int,
) -> list[Waiting]:
    """What waits in a partition, of the kinds with a bound and of those that had one.

    Args:
        connection: Of the collector that holds the partition.
        partition: Its name.
        kinds: The installed kinds.
        bound: The names of those of which readings wait.
        devices_of: The numbers of the partition's devices of a kind.
        now: µs since 1970 UTC: from here on readings of a kind wait that had no bound before.
    """
    with connection.transaction():
        wanted = {"partition": partition, "kinds": [name for name in bound if name in kinds], "at": moment(now)}
        connection.execute(_SQL["begin_waiting"], wanted)
        found = connection.execute(_SQL["load_waiting"], {"partition": partition}).fetchall()
        waiting = []
        for name, until, since in found:
            if name not in kinds:
                continue
            readings = _waiting(connection, partition, kinds[name], devices_of(name), since, until)
            waiting.append(Waiting(micros(until), readings, _before(connection, readings)))
    return waiting


def _waiting(
    connection: Connection, partition: str, kind: Kind, devices: Sequence[int], since: datetime, until: datetime
) -> Readings:
    """What waits of these devices; of those that another partition had until now, what it has not judged."""
    mine = {"partition": partition, "kind": kind.name, "devices": list(devices)}
    connection.execute(_SQL["lock_waiting"], mine)
    connection.execute(_SQL["take_over"], mine)
    connection.execute(_SQL["judge_from_now_on"], mine)
    taken = connection.execute(_SQL["taken_over"], mine).fetchall()
    others = {device for *_, group in taken for device in group}
    own = [device for device in devices if device not in others]
    return Readings.joined([
        reading_writer.waiting(connection, kind, own, since, until),
        *(
            reading_writer.waiting(connection, kind, group, begun, judged_until)
            for judged_until, begun, group in taken
        ),
    ])  # fmt: skip


def proceed(connection: Connection, partition: str, progress: Sequence[Progress]) -> None:
    """Write how far kinds have been judged, within the transaction that is open on ``connection``."""
    for each in progress:
        if each.corrected is not None and len(each.corrected):
            reading_writer.correct_quality(connection, each.corrected)
    if ended := [each.kind.name for each in progress if each.over]:
        connection.execute(_SQL["end_waiting"], {"partition": partition, "kinds": ended})
        connection.execute(_SQL["forget_who_judges"], {"partition": partition, "kinds": ended})
    if moved := [each for each in progress if not each.over]:
        columns = {
            "kinds": [each.kind.name for each in moved],
            "untils": [moment(each.until) for each in moved],
            "sinces": [moment(each.since) for each in moved],
        }
        connection.execute(_SQL["catch_up"], {"partition": partition, **columns})
        connection.execute(_SQL["save_waiting"], {"partition": partition, **columns})


def _before(connection: Connection, readings: Readings) -> Readings:
    """The last reading of each device before the first of these, in order of device and time."""
    firsts = {
        device: moment(ts)
        for device, ts in zip(reversed(readings.device.tolist()), reversed(readings.ts.tolist()), strict=True)
    }
    return reading_writer.latest(connection, readings.kind, [*firsts], [*firsts.values()])
