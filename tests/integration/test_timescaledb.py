from dataclasses import replace
from datetime import timedelta

import pytest
from psycopg import Connection

from devices.kind import Kind, Metric, MetricType
from devices.moments import micros
from storage.capability import Capability, detect
from storage.hypertables import CHUNK, COLUMNSTORE_AFTER
from storage.migrate import migrate
from storage.partition_store import PartitionStore
from storage.reading_tables import ensure, table_name
from storage.reading_writer import latest, stored, write, write_all
from tests.fix_timescale import Migrated
from tests.integration.making import MINUTE, NOON, everything, readings, rows

T = micros(NOON)
CHUNKS = """
    SELECT range_start, range_end, is_compressed FROM timescaledb_information.chunks
    WHERE hypertable_name = 'reading_manhole' ORDER BY range_start
"""


def put(connection: Connection, kind: Kind, *tilts: tuple[int, float]) -> str:
    """Readings of one cover, minute after noon and tilt; a letter a row: fresh, conflict, duplicate."""
    batch = readings(kind, *({"ts": T + minute * MINUTE, "tilt": tilt} for minute, tilt in tilts))
    result = write(connection, batch)
    return "".join(
        "f" if fresh else "c" if conflict else "d"
        for fresh, conflict in zip(result.fresh, result.conflicts, strict=True)
    )


def compress(connection: Connection) -> None:
    connection.execute("SELECT compress_chunk(chunk) FROM show_chunks('reading_manhole') AS chunk")


def test_the_community_edition_is_recognised(timescale: Migrated, hypertables: Connection) -> None:
    assert timescale.capability is detect(hypertables) is Capability.COMMUNITY


def test_migrating_again_changes_nothing_here_either(timescale: Migrated, kinds: dict[str, Kind]) -> None:
    said: list[str] = []
    assert migrate(timescale.dsn, kinds, said.append) is timescale.capability
    assert said == []


def test_every_kind_has_a_hypertable_with_a_chunk_a_day(hypertables: Connection, kinds: dict[str, Kind]) -> None:
    found = rows(
        hypertables,
        "SELECT hypertable_name, column_name, time_interval FROM timescaledb_information.dimensions"
        " WHERE starts_with(hypertable_name, 'reading') ORDER BY 1",
    )
    assert found == [(table_name(kind), "ts", CHUNK) for kind in kinds.values()]
    assert timedelta(days=1) == CHUNK


def test_the_key_is_the_only_index(hypertables: Connection, kinds: dict[str, Kind]) -> None:
    """Each further index would cost every reading."""
    query = "SELECT indexname FROM pg_indexes WHERE tablename = %s AND schemaname = 'public'"
    for kind in kinds.values():
        assert rows(hypertables, query, table_name(kind)) == [(f"{table_name(kind)}_pkey",)]


def test_readings_are_compressed_after_a_week_by_device_where_it_sends_many(
    hypertables: Connection, kinds: dict[str, Kind]
) -> None:
    by_device = rows(
        hypertables,
        "SELECT hypertable::text, segmentby, orderby FROM timescaledb_information.hypertable_columnstore_settings"
        " WHERE starts_with(hypertable::text, 'reading') ORDER BY 1",
    )
    many, few = ("device", "ts DESC"), ("", "device,ts DESC")  # covers speak once a day, lamps every five minutes
    seldom = {"manhole", "streetlight"}
    assert by_device == [(table_name(kind), *(few if kind.name in seldom else many)) for kind in kinds.values()]
    jobs = rows(
        hypertables,
        "SELECT hypertable_name, (config->>'compress_after')::interval, scheduled FROM timescaledb_information.jobs"
        " WHERE proc_name = 'policy_compression' AND starts_with(hypertable_name, 'reading') ORDER BY 1",
    )
    assert jobs == [(table_name(kind), COLUMNSTORE_AFTER, True) for kind in kinds.values()]


def test_every_type_of_metric_goes_into_a_hypertable_and_comes_back(hypertables: Connection) -> None:
    kind = everything()
    ensure(hypertables, [kind], Capability.COMMUNITY)
    row = {
        "a_real": 1.5, "a_double": 1e300, "a_smallint": -7, "a_integer": 2**31 - 1, "a_bool": True, "a_enum": 2,
        "a_text": "鄂A·12345",
    }  # fmt: skip
    write(hypertables, readings(kind, row, {"ts": T + 1}))
    columns = ", ".join(row)
    found = rows(hypertables, f"SELECT {columns} FROM reading_everything ORDER BY ts")  # noqa: S608 - our own names
    assert found == [tuple(row.values()), (None,) * len(row)]


@pytest.mark.parametrize("compressed", [False, True], ids=["fresh", "compressed"])
def test_every_reading_is_stored_once_whatever_comes_twice(
    hypertables: Connection, kinds: dict[str, Kind], *, compressed: bool
) -> None:
    kind = kinds["manhole"]
    assert put(hypertables, kind, (0, 1), (1, 2), (2, 3)) == "fff"
    if compressed:
        compress(hypertables)
        assert [chunk[2] for chunk in rows(hypertables, CHUNKS)] == [True]
    assert put(hypertables, kind, (3, 4)) == "f", "straight into the table"
    assert put(hypertables, kind, (0, 1)) == "d"
    assert put(hypertables, kind, (0, 1), (1, 9), (4, 5), (4, 5), (4, 6)) == "dcfdc"
    tilts = rows(hypertables, "SELECT tilt FROM reading_manhole ORDER BY ts")
    assert tilts == [(1.0,), (2.0,), (3.0,), (4.0,), (5.0,)]
    assert stored(hypertables, [kind]) == {"manhole": 5}


def test_a_batch_may_meet_more_compressed_readings_than_one_statement_may_unpack_by_default(
    hypertables: Connection, kinds: dict[str, Kind]
) -> None:
    """TimescaleDB's own limit is 100,000."""
    PartitionStore(hypertables, "", "all", 0)
    hypertables.execute(
        """
        INSERT INTO reading_manhole (ts, device, received_at, quality, type, tilt)
        SELECT %s::timestamptz + second * interval '1 s', device, now(), 0, 0, 1
        FROM generate_series(1, 105) AS device, generate_series(0, 999) AS second
        """,
        [NOON],
    )
    compress(hypertables)
    times = {T + 500_000_000: 1, T + 500_500_000: 2, T + 501_000_000: 3}  # a duplicate, a new one, a contradiction
    batch = [{"device": device, "ts": ts, "tilt": tilt} for device in range(1, 106) for ts, tilt in times.items()]
    [result] = write_all(hypertables, [readings(kinds["manhole"], *batch)])
    assert (result.fresh.sum(), result.conflicts.sum()) == (105, 105)
    # What the limit is for does not fail either.
    changed = hypertables.execute("UPDATE reading_manhole SET tilt = 4 WHERE ts = %s", [NOON])
    assert changed.rowcount == 105


def test_a_batch_may_span_days_of_which_some_are_compressed(hypertables: Connection, kinds: dict[str, Kind]) -> None:
    kind, day = kinds["manhole"], 24 * 60
    assert put(hypertables, kind, (-9 * day, 1), (-8 * day, 1)) == "ff"
    compress(hypertables)
    assert put(hypertables, kind, (-9 * day, 1), (-8 * day, 2), (-8 * day + 1, 3), (0, 4)) == "dcff"
    chunks = rows(hypertables, CHUNKS)
    assert [(end - start, compressed) for start, end, compressed in chunks] == [
        (CHUNK, True),
        (CHUNK, True),
        (CHUNK, False),
    ]


def test_the_newest_time_is_found_in_a_compressed_chunk_too(hypertables: Connection, kinds: dict[str, Kind]) -> None:
    batch = [{"device": 3, "ts": T + minute * MINUTE} for minute in (0, 7, 3)]
    write(hypertables, readings(kinds["manhole"], *batch))
    compress(hypertables)
    found = latest(hypertables, kinds["manhole"], [3, 4])
    assert (found.device.tolist(), found.ts.tolist()) == ([3], [T + 7 * MINUTE])


def test_a_new_metric_becomes_a_column_of_a_table_with_compressed_readings(
    hypertables: Connection, kinds: dict[str, Kind]
) -> None:
    kind = kinds["manhole"]
    put(hypertables, kind, (0, 1))
    compress(hypertables)
    oxygen = Metric(name="o2", type=MetricType.REAL, unit="%vol", doc="Oxygen.", range=(0, 25))
    extended = replace(kind, metrics=(*kind.metrics, oxygen))
    assert ensure(hypertables, [extended], Capability.COMMUNITY) == ["added reading_manhole.o2"]
    assert rows(hypertables, "SELECT tilt, o2 FROM reading_manhole") == [(1.0, None)]


def test_the_apache_edition_gets_hypertables_without_compression(hypertables: Connection) -> None:
    kind = everything()
    ensure(hypertables, [kind], Capability.APACHE)
    found = rows(
        hypertables,
        "SELECT compression_enabled FROM timescaledb_information.hypertables WHERE hypertable_name = %s",
        table_name(kind),
    )
    assert found == [(False,)]
