"""Who lives, the device or its gateway; and whose clock is behind."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest
from psycopg import Connection

from devices.kind import Kind
from devices.moments import micros
from devices.quality import Quality
from devices.registry import Registry
from ingest.decoding import Decoder
from ingest.marking import Marking
from ingest.messages import Batch, Message
from rules.local_time import LocalTime
from rules.lookout import Lookout
from rules.silence import watch
from rules.verdicts import Verdicts
from storage import alarm_store, partition_store
from storage.partition_store import PartitionStore
from storage.reading_writer import latest
from storage.registry_store import lags, load_city
from tests.fix_city import payload, topic_of
from tests.installed import installed_rules
from tests.integration.making import COVER_EAST, KITCHEN, NOON, device_of, rows

pytestmark = pytest.mark.each_server

MINUTE = timedelta(minutes=1)


class Collector:
    """The loop without a broker: messages arrive in the minute that the test says."""

    def __init__(self, connection: Connection, dsn: str, registry: Registry, kinds: dict[str, Kind]) -> None:
        self._connection, self._dsn, self._registry, self._kinds = connection, dsn, registry, kinds
        self._decoder = Decoder(registry)
        self.start_over()

    def start_over(self) -> None:
        self._marking = Marking(self._kinds.values())
        self._store = PartitionStore(self._connection, self._dsn, "all", self._registry.revision)

    def hear(self, minute: float, *payloads: bytes, device: str = KITCHEN) -> list[Quality]:
        """Take in payloads of a device; what is stored of them, by time."""
        messages = [Message(topic_of(self._registry, device), each) for each in payloads]
        decoded = self._decoder.decode(Batch(messages, micros(NOON + minute * MINUTE)))
        with self._store.transaction() as tx:
            for readings in decoded.readings:
                strangers = self._marking.strangers(readings)
                self._marking.recall(strangers, tx.latest(readings.kind, strangers))
            written = tx.write(decoded.marked(self._marking.mark))
            tx.record(Verdicts())
        for readings in written.fresh:
            self._marking.advance(readings)
        return [Quality(each) for table in written.fresh for each in table.quality.tolist()]

    def silent(self, minute: float) -> list[str]:
        """What the watchdog finds."""
        city, rules, now = load_city(self._connection), installed_rules(), NOON + minute * MINUTE
        active = alarm_store.active_silence_alarms(self._connection, [rule.id for rule in rules])
        heard = Lookout(rules, self._registry).look(
            micros(now), {device for _, device in active}, partial(alarm_store.heard, self._connection)
        )
        with self._connection.transaction():
            found = watch(
                rules,
                self._registry,
                LocalTime(city.calendar.timezone),
                heard,
                active,
                micros(now),
            ).transitions
            alarm_store.record(self._connection, found, now)
        return [f"{each.rule_id} {each.change}" for each in found]


@pytest.fixture
def collector(
    connection: Connection, dsn: str, registry: Registry, kinds: dict[str, Kind], monkeypatch: pytest.MonkeyPatch
) -> Collector:
    monkeypatch.setattr(partition_store, "STATUS_EVERY", -1.0)  # with every batch
    return Collector(connection, dsn, registry, kinds)


def fume(minute: float, seq: int, value: float = 0.5) -> bytes:
    return payload(NOON + minute * MINUTE, seq=seq, fume=value, fan_on=True)


def heard(connection: Connection) -> Sequence[tuple[float, int]]:
    """Minutes after noon at which the kitchen was last heard, and how often so far."""
    found = rows(connection, "SELECT last_received_at, readings FROM device_status")
    return [((at - NOON) / MINUTE, count) for at, count in found]


def test_a_dead_device_behind_a_gateway_that_repeats_its_last_reading_is_silent(
    connection: Connection, collector: Collector
) -> None:
    for minute in range(3):
        assert collector.hear(minute, fume(minute, seq=20 + minute)) == [Quality.GOOD]
    for minute in range(3, 40):
        assert collector.hear(minute, fume(minute, seq=22)) == [Quality.REPEATED]
    assert heard(connection) == [(2, 3)]
    assert collector.silent(32) == []
    assert collector.silent(33) == ["FU-08 raised"]

    collector.start_over()
    for minute in range(40, 50):
        assert collector.hear(minute, fume(minute, seq=22)) == [Quality.REPEATED]
    assert collector.silent(50) == [], "a repeated reading ends no silence, not even after a restart"

    for minute in range(50, 53):
        assert collector.hear(minute, fume(minute, seq=minute)) == [Quality.GOOD]
    assert collector.silent(53) == ["FU-08 cleared"]


def test_a_device_that_was_heard_by_a_clock_a_day_ahead_is_missed_once_the_clock_is_right(
    connection: Connection, collector: Collector
) -> None:
    collector.hear(24 * 60, fume(0, seq=1))
    collector.hear(1, fume(1, seq=2))
    assert heard(connection) == [(1, 2)]
    assert collector.silent(32) == ["FU-08 raised"]


def test_what_the_device_kept_while_its_gateway_repeated_is_live_even_after_a_restart(collector: Collector) -> None:
    collector.hear(0, fume(0, seq=20))
    collector.hear(9, fume(9, seq=20))
    collector.start_over()
    assert collector.hear(10, fume(5, seq=21, value=0.7)) == [Quality.GOOD]


def test_a_frozen_instrument_is_still_frozen_after_a_restart(collector: Collector) -> None:
    last = 241
    for minute in range(0, last, 10):
        assert collector.hear(minute, fume(minute, seq=100 + minute)) == [Quality.GOOD]
    assert collector.hear(last, fume(last, seq=500)) == [Quality.FROZEN]
    collector.start_over()
    assert collector.hear(last + 1, fume(last + 1, seq=501)) == [Quality.FROZEN]
    assert collector.hear(last + 2, fume(last + 2, seq=502, value=0.51)) == [Quality.GOOD]


def test_a_device_with_a_clock_somewhat_ahead_is_believed_and_flagged(collector: Collector) -> None:
    assert collector.hear(0, fume(1, seq=1), fume(1.01, seq=2), fume(5, seq=3)) == [
        Quality.GOOD, Quality.SKEWED, Quality.SKEWED,
    ]  # fmt: skip


def lag(connection: Connection) -> float:
    """In minutes."""
    return lags(connection)[KITCHEN] / MINUTE


def test_a_clock_that_is_behind_or_ahead_shows_as_a_lag(connection: Connection, collector: Collector) -> None:
    collector.hear(12, fume(0, seq=1))
    assert lag(connection) == 12
    collector.hear(13, fume(1, seq=2))
    assert lag(connection) == 12
    collector.hear(13.5, fume(14, seq=3))
    assert lag(connection) == -0.5


def test_the_lag_of_an_array_is_that_of_its_newest_reading(connection: Connection, collector: Collector) -> None:
    collector.hear(60, *(fume(minute, seq=minute) for minute in range(60)))
    assert lag(connection) == 1


def test_only_what_is_new_tells_of_the_clock(connection: Connection, collector: Collector) -> None:
    collector.hear(1, fume(0, seq=30))
    collector.hear(90, fume(0, seq=30))
    collector.hear(91, fume(90.5, seq=30))
    assert heard(connection) == [(90, 2)]
    assert lag(connection) == 1


def test_a_clock_set_back_shows_although_its_readings_are_late(connection: Connection, collector: Collector) -> None:
    collector.hear(60, fume(60, seq=1))
    assert collector.hear(61, fume(1, seq=2)) == [Quality.LATE]
    assert lag(connection) == 60


def test_the_latest_readings_come_back_as_they_were_told(
    connection: Connection, collector: Collector, registry: Registry, kinds: dict[str, Kind]
) -> None:
    cover = payload(NOON, seq=7, tilt=1.5, open_state="open", water_immersed=True, csq=20)
    collector.hear(0, cover, device=COVER_EAST)
    collector.hear(1, fume(0, seq=30), fume(1, seq=30), fume(0.5, seq=0, value=0.6))
    covers, kitchens = (latest(connection, kinds[name], list(registry.devices)) for name in ("manhole", "fume"))
    assert len(latest(connection, kinds["noise"], list(registry.devices))) == 0
    assert covers.device.tolist() == [device_of(registry, COVER_EAST).id]
    assert (covers.seq.tolist(), covers.received_at.tolist()) == ([7], [micros(NOON)])
    told = {name: covers.metric(name).tolist() for name in ("tilt", "open_state", "water_immersed", "csq")}
    assert told == {"tilt": [1.5], "open_state": [1], "water_immersed": [1], "csq": [20]}
    assert kitchens.ts.tolist() == [micros(NOON + MINUTE)]
