"""What devices should not send: kept whole with a reason, and nobody's neighbour suffers."""

from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from cityward.clock import Clock
from devices.broker import Broker
from devices.registry import Registry
from storage.overview import ledger
from tests.fix_city import payload, plain_client, topic_of
from tests.fix_processes import Starter
from tests.waiting import eventually

COVER, KITCHEN, SCALE = "4201020102000001", "4201020380000003", "bridge-1-wim"
SECOND = timedelta(seconds=1)


def bad_messages(registry: Registry, now: datetime, taken: datetime) -> list[tuple[str, str, bytes]]:
    """The code that each should get, its topic, its payload."""
    cover, kitchen, scale = (topic_of(registry, device) for device in (COVER, KITCHEN, SCALE))
    ms = round(now.timestamp() * 1000)
    return [
        ("malformed", cover, b'{"ts": 17952'),
        ("malformed", cover, b"\x00\xff\xfe{}"),
        ("malformed", cover, b'{"ts": %d, "m": {"tilt": 1' % ms + b"[" * 100_000),
        ("unregistered", "city/east/manhole/nobody/up", payload(now, tilt=1)),
        ("unregistered", "city/west/manhole/4201020102000001/up", payload(now, tilt=1)),
        ("unknown_kind", "city/east/toaster/t-1/event", payload(now, crumbs=3)),
        ("wrong_type", cover, payload(now, tilt="1.5")),
        ("wrong_type", kitchen, payload(now, fan_on=1)),
        ("wrong_type", cover, b'{"ts": %d, "m": {"open_state": "ajar"}}' % ms),
        ("wrong_type", scale, b'{"ts": %d, "m": {"plate": "\\u0000"}}' % ms),
        ("wrong_type", cover, b'{"m": {"tilt": 1}}'),
        ("non_finite", cover, b'{"ts": %d, "m": {"tilt": NaN}}' % ms),
        ("non_finite", cover, b'{"ts": %d, "m": {"tilt": 1e999}}' % ms),
        ("empty", cover, b""),
        ("empty", cover, b" [] "),
        ("too_large", cover, payload(now, tilt=1).ljust(1024 * 1024)),
        ("bad_topic", f"city/east/manhole/{'x' * 65}/up", payload(now, tilt=1)),
        ("bad_time", cover, b'{"ts": %d, "m": {"tilt": 1}}' % (ms // 1000)),
        ("clock_skew", cover, payload(now + timedelta(hours=8), tilt=1)),
        ("conflict", cover, payload(taken, tilt=2)),
    ]


def test_each_bad_message_is_kept_with_its_reason_and_its_neighbours_are_stored(
    connection: Connection, registry: Registry, broker: Broker, start: Starter
) -> None:
    start("collect").says("collecting")
    now = Clock().now().replace(microsecond=0)
    bad = bad_messages(registry, now, taken=now - 100 * SECOND)
    good = [payload(now - (100 - number) * SECOND, seq=number, tilt=number % 3) for number in range(len(bad) + 1)]
    messages = [(topic_of(registry, COVER), good[0])]
    for (_, topic, message), neighbour in zip(bad, good[1:], strict=True):
        messages += [(topic, message), (topic_of(registry, COVER), neighbour)]
    with plain_client(broker) as anybody:
        anybody.publish_all(messages)
    eventually(lambda: ledger(connection).received == len(messages), "all of it is received")

    def kept(columns: str) -> list[tuple[Any, ...]]:
        return connection.execute(f"SELECT {columns} FROM quarantine ORDER BY id".encode()).fetchall()  # noqa: S608

    # Conflicts are known only once the rest of their batch is written, so that the order may differ.
    assert sorted(kept("code, topic, payload")) == sorted(bad)
    assert all(detail for (detail,) in kept("detail"))
    assert all(now <= received_at <= Clock().now() for (received_at,) in kept("received_at"))
    tilts = connection.execute("SELECT tilt FROM reading_manhole ORDER BY ts").fetchall()
    assert tilts == [(float(number % 3),) for number in range(len(good))]
    book = ledger(connection)
    assert (book.stored, book.duplicate, book.quarantined) == (len(good), 0, len(bad))


def test_a_thousand_unreadable_messages_do_not_hide_the_good_one_behind_them(
    connection: Connection, registry: Registry, broker: Broker, start: Starter
) -> None:
    start("collect").says("collecting")
    cover, count = topic_of(registry, COVER, "event"), 1001
    opened = payload(Clock().now(), kind="event", open_state="open")
    with plain_client(broker) as broken:
        broken.publish_all([(cover, b"\xde\xad%d" % number) for number in range(count)] + [(cover, opened)])
    eventually(lambda: ledger(connection).received == count + 1, "all of it is received")
    assert (ledger(connection).stored, ledger(connection).quarantined) == (1, count)
    distinct = connection.execute("SELECT count(DISTINCT payload), min(code), max(code) FROM quarantine").fetchone()
    assert distinct == (count, "malformed", "malformed")
    assert connection.execute("SELECT rule_id FROM alarm").fetchall() == [("MH-01",)]
