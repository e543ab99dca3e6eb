from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from devices.kind import Kind
from devices.moments import micros
from devices.quality import Quality
from devices.registry import Registry
from storage.completeness import Gap, Stretch, gaps, stretches
from storage.reading_tables import table_name
from storage.reading_writer import write
from tests.integration.making import COVER_EAST, COVER_WEST, KITCHEN, device_of, readings, rows

pytestmark = pytest.mark.each_server

MIDNIGHT = datetime(2026, 11, 19, 16, tzinfo=UTC)  # of 20 November in Shanghai
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


class Meter:
    """Writes readings of a kitchen and asks how complete they are."""

    def __init__(self, connection: Connection, kind: Kind, registry: Registry, device_id: str = KITCHEN) -> None:
        self.connection, self.device_id = connection, device_id
        self._kind, self._device = kind, device_of(registry, device_id).id

    def told(self, *numbers: int | None, since: float = 0, quality: Quality = Quality.GOOD) -> None:
        """A reading a minute with these numbers, beginning so many minutes after midnight."""
        batch = [
            {
                "device": self._device,
                "ts": micros(MIDNIGHT + (since + minute) * MINUTE),
                "quality": int(quality),
                **({} if seq is None else {"seq": seq}),
            }
            for minute, seq in enumerate(numbers)
        ]
        if batch:
            write(self.connection, readings(self._kind, *batch))

    def stretch(self, day: int = 0, *, until: int = 1) -> Stretch:
        (found,) = stretches(
            self.connection, MIDNIGHT + day * DAY, MIDNIGHT + (day + until) * DAY, device_id=self.device_id
        )
        return found

    def says(self, *names: str, day: int = 0) -> tuple[Any, ...]:
        described = asdict(self.stretch(day))
        return tuple(described[name] for name in names)

    def gaps(self, day: int = 0) -> list[tuple[int, int, float, float]]:
        """First, last, and the minutes of the day around them."""
        start = MIDNIGHT + day * DAY
        found = gaps(self.connection, self.device_id, start, start + DAY)
        return [(gap.first, gap.last, (gap.after - start) / MINUTE, (gap.before - start) / MINUTE) for gap in found]


@pytest.fixture
def meter(connection: Connection, registry: Registry, kinds: dict[str, Kind]) -> Meter:
    """A kitchen that has been heard of."""
    made = Meter(connection, kinds["fume"], registry)
    heard(connection)
    return made


def heard(connection: Connection) -> None:
    """Every device was heard at some time."""
    connection.execute(
        "INSERT INTO device_status (device, last_ts, last_received_at, readings) SELECT id, now(), now(), 1 FROM device"
    )


def test_a_day_without_a_gap_is_complete(meter: Meter) -> None:
    meter.told(*range(100, 160))
    found = meter.stretch()
    assert (found.readings, found.numbers, found.missing, found.restarts, found.completeness) == (60, 60, 0, 0, 1)
    assert (found.first_seq, found.last_seq, found.kind, found.district) == (100, 159, "fume", "east")
    assert meter.gaps() == []


def test_every_missing_number_is_named_with_the_times_around_it(meter: Meter) -> None:
    meter.told(1, 2, 5, 6, 8)
    assert meter.says("readings", "numbers", "missing", "completeness") == (5, 5, 3, 5 / 8)
    assert meter.gaps() == [(3, 4, 1, 2), (7, 7, 3, 4)]
    assert [Gap(3, 4, MIDNIGHT, MIDNIGHT).missing, Gap(7, 7, MIDNIGHT, MIDNIGHT).missing] == [2, 1]


def test_a_gap_over_midnight_belongs_to_the_day_that_shows_it_and_to_no_other(meter: Meter) -> None:
    meter.told(10, 11, since=-2)
    meter.told(15, 16)
    meter.told(19, since=1440)
    assert [meter.says("numbers", "missing", day=day) for day in (-1, 0, 1)] == [(2, 0), (2, 3), (1, 2)]
    assert meter.gaps(-1) == []
    assert meter.gaps(0) == [(12, 14, -1, 0)]
    assert meter.gaps(1) == [(17, 18, 1 - 1440, 0)]


def test_after_days_of_silence_all_that_is_missing_shows_on_the_day_of_return(meter: Meter) -> None:
    meter.told(10, since=-5 * 1440)
    meter.told(110)
    assert meter.says("readings", "numbers", "missing", "completeness", day=-1) == (0, 0, 0, None)
    assert meter.says("readings", "numbers", "missing") == (1, 1, 99)


def test_a_counter_that_begins_anew_is_a_restart_and_nothing_is_missing(meter: Meter) -> None:
    meter.told(810, 811, 0, 1, 2)
    assert meter.says("numbers", "missing", "restarts", "first_seq", "last_seq") == (5, 0, 1, 810, 2)
    assert meter.gaps() == []


def test_gaps_before_and_after_a_restart_are_found(meter: Meter) -> None:
    meter.told(810, 812, 3, 5, 1, 2)
    assert meter.says("numbers", "missing", "restarts") == (6, 2, 2)
    assert meter.gaps() == [(811, 811, 0, 1), (4, 4, 2, 3)]


def test_a_restart_at_midnight_is_counted_on_the_new_day(meter: Meter) -> None:
    meter.told(810, since=-1)
    meter.told(0, 1)
    assert meter.says("numbers", "missing", "restarts") == (2, 0, 1)
    assert meter.says("numbers", "missing", "restarts", day=-1) == (1, 0, 0)


def test_readings_out_of_order_by_a_little_are_no_restart(meter: Meter) -> None:
    meter.told(100, 102, 101, 104, 103, 105)
    assert meter.says("numbers", "missing", "restarts") == (6, 0, 0)


def test_a_late_reading_heals_its_day(meter: Meter) -> None:
    meter.told(100, 101, 103)
    assert meter.says("missing", "late") == (1, 0)
    meter.told(102, since=1.5, quality=Quality.LATE)
    assert meter.says("missing", "late", "completeness") == (0, 1, 1)


def test_a_number_that_comes_twice_counts_once(meter: Meter) -> None:
    meter.told(100, 101, 101, 102)
    meter.told(102, 102, 102, since=10, quality=Quality.REPEATED)
    assert meter.says("readings", "numbers", "missing", "repeated", "completeness") == (7, 3, 0, 3, 1)


def test_a_message_that_comes_twice_is_one_reading(meter: Meter) -> None:
    meter.told(100, 101)
    meter.told(100, 101)
    assert meter.says("readings", "numbers", "missing") == (2, 2, 0)


@pytest.mark.parametrize("bit", ["late", "frozen", "repeated", "skewed"])
def test_doubtful_readings_are_counted_by_their_doubt(meter: Meter, bit: str) -> None:
    meter.told(1, 2, quality=Quality[bit.upper()] | Quality.IMPLAUSIBLE)
    meter.told(3, since=2)
    assert meter.says(bit) == (2,)
    assert sum(meter.says("late", "frozen", "repeated", "skewed")) == 2


def test_a_device_that_does_not_count_has_no_completeness(meter: Meter) -> None:
    meter.told(None, None)
    assert meter.says("readings", "numbers", "missing", "first_seq", "completeness") == (2, 0, 0, None, None)


def test_readings_without_a_number_do_not_hide_a_gap(meter: Meter) -> None:
    meter.told(1, None, 3)
    assert meter.says("readings", "numbers", "missing") == (3, 2, 1)
    assert meter.gaps() == [(2, 2, 0, 2)]


def test_the_silent_come_first_then_the_least_complete_and_last_those_that_do_not_count(
    connection: Connection, registry: Registry, kinds: dict[str, Kind]
) -> None:
    heard(connection)
    connection.execute("UPDATE device SET registered_at = %s WHERE kind = 'bridge'", [MIDNIGHT + DAY])
    Meter(connection, kinds["fume"], registry).told(1, 2, 3)
    Meter(connection, kinds["manhole"], registry, COVER_EAST).told(1, 9)
    Meter(connection, kinds["manhole"], registry, COVER_WEST).told(None)
    found = stretches(connection, MIDNIGHT, MIDNIGHT + DAY)
    assert [(each.kind, each.completeness) for each in found] == [
        ("streetlight", None), ("noise", None), ("manhole", 2 / 9), ("fume", 1), ("manhole", None),
    ]  # fmt: skip
    covers = stretches(connection, MIDNIGHT, MIDNIGHT + DAY, kind="manhole", district="west")
    assert [each.device_id for each in covers] == [COVER_WEST]
    assert stretches(connection, MIDNIGHT, MIDNIGHT + DAY, device_id="nobody") == []


def test_a_device_never_heard_of_is_not_asked_after(connection: Connection, registry: Registry) -> None:
    assert registry.devices
    assert stretches(connection, MIDNIGHT, MIDNIGHT + DAY) == []


def test_one_view_shows_what_every_reading_has(
    connection: Connection, registry: Registry, kinds: dict[str, Kind]
) -> None:
    for device in registry.devices.values():
        Meter(connection, kinds[device.kind], registry, device.device_id).told(7)
    found = rows(connection, "SELECT kind, device, seq, quality FROM reading ORDER BY device")
    assert found == [(device.kind, device.id, 7, 0) for device in registry.devices.values()]


def plainly(told: Sequence[tuple[float, int]], since: float, until: float) -> tuple[int, int, int]:
    """Numbers, missing and restarts of readings (minute, number), in the plainest words."""
    before = [reading for reading in told if reading[0] < since][-1:]
    inside = [reading for reading in told if since <= reading[0] < until]
    runs: list[list[tuple[int, bool]]] = [[]]
    for (_, last), (minute, seq) in pairwise([(-1.0, 0), *before, *inside]):
        if runs[-1] and 2 * seq < last:
            runs.append([])
        runs[-1].append((seq, minute >= since))
    if before:
        runs[0] = [entry for entry in runs[0] if entry[0] >= before[0][1]]
    numbers = missing = 0
    for run in runs:
        seen = {seq for seq, _ in run}
        numbers += len(seen - {seq for seq, is_inside in run if not is_inside})
        missing += max(seen, default=0) - min(seen, default=1) + 1 - len(seen) if seen else 0
    return numbers, missing, len(runs) - 1


@st.composite
def told(draw: st.DrawFn) -> list[tuple[float, int]]:
    """Four hours around midnight: a counter that skips, swaps, repeats and begins anew."""
    seq, found = draw(st.integers(0, 50)), list[tuple[float, int]]()
    for minute in draw(st.lists(st.integers(-120, 120), unique=True, max_size=25).map(sorted)):
        found.append((minute, seq))
        seq = draw(st.sampled_from([seq + 1, seq + 1, seq + 1, seq + 2, seq + 9, seq, max(seq - 1, 0), 0, 1]))
    return found


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=told())
def test_what_the_database_counts_is_what_plain_words_count(meter: Meter, story: list[tuple[float, int]]) -> None:
    with meter.connection.transaction(force_rollback=True):
        for minute, seq in story:
            meter.told(seq, since=minute)
        for day in (-1, 0):
            found = meter.stretch(day)
            expected = plainly(story, day * 1440, (day + 1) * 1440)
            assert (found.numbers, found.missing, found.restarts) == expected
            assert sum(last - first + 1 for first, last, *_ in meter.gaps(day)) == found.missing


@pytest.fixture
def over_days(hypertables: Connection, kinds: dict[str, Kind]) -> Connection:
    """TimescaleDB with three days of a cover, the first of them compressed; number 5 is missing over midnight."""
    hypertables.execute("INSERT INTO unit VALUES ('u', 'u', 'u'); INSERT INTO district VALUES ('d', 'd', 'd')")
    hypertables.execute(
        """
        INSERT INTO device (device_id, kind, name, district, grid, lon, lat, road, road_class, component_class, circuit,
                            cabinet, gateway, limits, attributes, registered_at)
        VALUES ('x', 'manhole', '', 'd', '', 0, 0, '', '', '', '', '', '', '{}', '{}', %s)
        """,
        [MIDNIGHT - 9 * DAY],
    )
    heard(hypertables)
    ((device,),) = rows(hypertables, "SELECT id FROM device")
    told = [(-30, 3), (-20, 4), (1, 6), (20, 7)]  # hours after midnight
    batch = [
        {"device": device, "ts": micros(MIDNIGHT + timedelta(hours=hour)), "seq": seq, "tilt": 1} for hour, seq in told
    ]
    write(hypertables, readings(kinds["manhole"], *batch))
    chunk = f"SELECT compress_chunk(chunk) FROM show_chunks('{table_name(kinds['manhole'])}') AS chunk LIMIT 1"  # noqa: S608
    hypertables.execute(chunk.encode())
    return hypertables


def test_timescaledb_counts_over_compressed_days_too(over_days: Connection) -> None:
    (found,) = stretches(over_days, MIDNIGHT, MIDNIGHT + DAY)
    assert (found.readings, found.numbers, found.missing, found.completeness) == (2, 2, 1, 2 / 3)
    (gap,) = gaps(over_days, "x", MIDNIGHT, MIDNIGHT + DAY)
    assert gap == Gap(5, 5, MIDNIGHT - timedelta(hours=20), MIDNIGHT + timedelta(hours=1))
