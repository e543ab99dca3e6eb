"""Roll-ups when what stands behind them changes: the kind, the city's time zone, for how long they are kept."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from psycopg import errors
from psycopg.types.json import Jsonb

from devices.kind import Kind, Metric, MetricType
from devices.moments import micros
from devices.rollup import Measure
from storage.capability import Capability
from storage.hypertables import READINGS_DAYS, ROLLUPS_DAYS, Keep
from storage.migrate import migrate
from storage.roles import APP, GRAFANA, ensure_roles
from storage.storage_report import report
from storage.view_making import drop_views
from storage.views import load_views
from tests.fix_rolled import STORES, Store, on_timescale
from tests.integration.making import rows
from tests.integration.test_rollups import MIDNIGHT, noise_of, put

RETENTION = """
    SELECT hypertable_name, extract(days FROM (config ->> 'drop_after')::interval)::integer
    FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'
"""


def again(store: Store, kinds: dict[str, Kind], keep: Keep | None = None) -> list[str]:
    said: list[str] = []
    migrate(store.dsn, kinds, said.append, keep)
    return said


@pytest.fixture
def changed(store: Store, kinds: dict[str, Kind]) -> Iterator[dict[str, Kind]]:
    """The noise meters measure something more; afterwards they no longer do."""
    noise = kinds["noise"]
    extra = Metric(
        name="l99", type=MetricType.REAL, unit="dB(A)", doc="Level exceeded 99 % of the time.", range=(0, 140)
    )
    loud = Measure(doc="Loud readings.", count=True, when="laeq > 80")
    rollup = msgspec.structs.replace(noise.rollup, measures={**noise.rollup.measures, "loud_n": loud})
    yield {**kinds, "noise": replace(noise, metrics=(*noise.metrics, extra), rollup=rollup)}
    store.clear()
    with store.connection.transaction():
        drop_views(store.connection)
        store.connection.execute("DROP TABLE IF EXISTS rollup_hour_noise_kept, rollup_day_noise_kept")
    again(store, kinds)
    store.connection.execute("ALTER TABLE reading_noise DROP COLUMN l99")


def test_a_kind_that_measures_more_keeps_what_was_rolled_up_before(store: Store, changed: dict[str, Kind]) -> None:
    put(store, "noise", noise_of(store.device("n", "noise"), seed=1, hours=72))
    store.settle()
    query = "SELECT bucket, readings, laeq_valid_n FROM rollup_hour_noise ORDER BY 1"
    before = rows(store.connection, query)
    if store.capability is Capability.COMMUNITY:  # the first day's readings have been dropped as old
        store.connection.execute("SELECT drop_chunks('reading_noise', %s)", [MIDNIGHT + timedelta(days=1)])
    assert "added reading_noise.l99" in again(store, changed)
    assert rows(store.connection, query) == before
    assert rows(store.connection, "SELECT sum(loud_n) > 0, sum(l99_n) FROM rollup_day_noise") == [(True, 0)]
    assert again(store, changed) == [], "once"


@pytest.mark.parametrize(("zone", "hours"), [("Asia/Kolkata", [3, 24, 3]), ("Europe/Berlin", [7, 23])])
def test_days_are_those_of_the_citys_time_zone(
    store: Store, kinds: dict[str, Kind], zone: str, hours: list[int]
) -> None:
    """From 00:00 to 30:00 in Shanghai; and in Berlin over the end of winter, a day of 23 hours."""
    start = MIDNIGHT + timedelta(days=129) if zone == "Europe/Berlin" else MIDNIGHT  # 29 March 2037
    store.connection.execute("INSERT INTO city (document, imported_at) VALUES (%s, now())", [Jsonb({"timezone": zone})])
    try:
        assert any("views" in step for step in again(store, kinds))
        device = store.device("n", "noise")
        put(
            store,
            "noise",
            [{"device": device, "ts": micros(start + timedelta(hours=n, minutes=1)), "laeq": 50} for n in range(30)],
        )
        store.settle()
        assert [n for (n,) in rows(store.connection, "SELECT readings FROM rollup_day_noise ORDER BY bucket")] == hours
        put(
            store,
            "noise",
            [{"device": device, "ts": micros(start + timedelta(hours=n)), "laeq": 50} for n in range(30)],
        )
        store.settle()
        found = rows(store.connection, "SELECT readings FROM rollup_day_noise ORDER BY bucket")
        assert [n for (n,) in found] == [2 * n for n in hours], "late readings on both sides of midnight"
    finally:
        store.clear()
        again(store, kinds)


@on_timescale
def test_readings_are_dropped_when_they_are_old_by_kind_and_hours_after_five_years(
    store: Store, kinds: dict[str, Kind]
) -> None:
    found = dict(rows(store.connection, RETENTION))
    assert found["reading_noise"] == found["rollup_minute_bridge_live"] == READINGS_DAYS
    assert found["rollup_hour_noise_live"] == ROLLUPS_DAYS
    assert not any("_day_" in name for name in found), "days are kept for ever"
    said = again(store, kinds, Keep({"noise": 30}))
    assert said == ["reading_noise is kept for 30 days"]
    found = dict(rows(store.connection, RETENTION))
    assert (found["reading_noise"], found["reading_fume"]) == (30, READINGS_DAYS)
    assert again(store, kinds) == ["reading_noise is kept for 400 days"]


@on_timescale
def test_what_an_earlier_version_left_otherwise_is_as_it_should_be_after_migrating(
    store: Store, kinds: dict[str, Kind]
) -> None:
    kept = """
        SELECT (SELECT array_agg(pg_get_indexdef(indexrelid) ORDER BY indkey::text) FROM pg_index
                WHERE indrelid = format('%%I.%%I', made.materialization_hypertable_schema,
                                        made.materialization_hypertable_name)::regclass),
               (SELECT array_agg((proc_name, schedule_interval, config)::text ORDER BY proc_name)
                FROM timescaledb_information.jobs WHERE hypertable_name = made.view_name),
               (SELECT (segmentby, orderby)::text FROM timescaledb_information.hypertable_columnstore_settings
                WHERE hypertable::text LIKE '%%' || made.materialization_hypertable_name)
        FROM timescaledb_information.continuous_aggregates AS made WHERE view_name = 'rollup_day_streetlight_live'
    """
    ((indexes, *others),) = rows(store.connection, kept)
    named = re.compile(r"INDEX \S+")
    name = "rollup_day_streetlight_live"
    ((counts,),) = rows(
        store.connection,
        "SELECT indexrelid::regclass::text FROM pg_index WHERE pg_get_indexdef(indexrelid) LIKE '%%lit_minutes%%'"
        " AND indrelid::regclass::text LIKE '%%_materialized_hypertable_%%'",
    )
    for statement in (
        f"DROP INDEX {counts}",
        f"CREATE INDEX ON {name} (bucket) INCLUDE (device, readings)",
        f"SELECT remove_continuous_aggregate_policy('{name}')",
        f"SELECT add_continuous_aggregate_policy('{name}', '4 days', '1 hour', '1 hour')",
        f"CALL remove_columnstore_policy('{name}')",
        f"CALL add_columnstore_policy('{name}', after => interval '60 days')",
        "ALTER TABLE reading_streetlight SET (timescaledb.segmentby = 'device', timescaledb.orderby = 'ts DESC')",
    ):
        store.connection.execute(statement.encode())
    assert again(store, kinds) == [
        "reading_streetlight is compressed after 7 days",
        f"{name} is refreshed every 0:05:00",
        f"{name} is compressed after 30 days",
        f"{name} has other indexes",
    ]
    ((mended, *rest),) = rows(store.connection, kept)
    assert [named.sub("", each) for each in mended] == [named.sub("", each) for each in indexes]
    without_ids = [re.sub(r'"mat_hypertable_id": \d+|"hypertable_id": \d+', "", str(each)) for each in (others, rest)]
    assert without_ids[0] == without_ids[1]
    assert again(store, kinds) == []


def test_the_report_tells_rows_room_and_how_far_back(store: Store) -> None:
    device = store.device("n", "noise")
    put(store, "noise", noise_of(device, seed=1, hours=48))
    store.settle()
    if store.capability is Capability.COMMUNITY:
        store.connection.execute("SELECT compress_chunk(c) FROM show_chunks('reading_noise') AS c LIMIT 1")
    rooms = {room.table: room for room in report(store.connection, store.kinds.values(), store.capability)}
    noise = rooms["reading_noise"]
    ((count,),) = rows(store.connection, "SELECT count(*) FROM reading_noise")
    assert noise.rows == pytest.approx(count, rel=0.5)
    assert noise.bytes_per_row == pytest.approx(noise.bytes / noise.rows)
    assert noise.oldest is not None
    assert abs(noise.oldest - MIDNIGHT) < timedelta(days=1)
    assert rooms["reading_fume"].bytes_per_row is None
    if store.capability is Capability.COMMUNITY:
        assert (noise.chunks, noise.compressed_chunks) == (3, 1)
        assert noise.compression is not None
        assert rooms["rollup_day_noise"].rows >= 2
    else:
        assert (noise.chunks, noise.compression) == (0, None)


def test_every_view_says_what_it_is(store: Store) -> None:
    query = "SELECT relname, obj_description(oid) FROM pg_class WHERE relkind = 'v' AND relname = ANY (%s)"
    views = load_views()
    found = dict(rows(store.connection, query, [view.name for view in views]))
    assert found.keys() == {view.name for view in views}
    assert [name for name, doc in found.items() if not doc or len(doc) < 40] == []


def test_dashboards_read_views_and_nothing_else(store: Store) -> None:
    with store.connection.transaction(force_rollback=True):
        store.connection.execute(f"SET LOCAL ROLE {GRAFANA}".encode())
        for view in load_views():
            store.connection.execute(f"SELECT * FROM {view.name} LIMIT 1".encode())  # noqa: S608 - our own names
        store.connection.execute("SELECT * FROM rollup_hour_noise LIMIT 1")
        for table in ("device", "device_credential", "service_credential", "reading_bridge", "quarantine", "unit"):
            with pytest.raises(errors.InsufficientPrivilege), store.connection.transaction():
                store.connection.execute(f"SELECT * FROM {table}".encode())  # noqa: S608 - our own names


# PGlite's COPY goes through a file, which only a superuser may read.
@pytest.mark.parametrize("rolled", [one for one in STORES if one != "pglite"], indirect=True)
def test_the_application_writes_readings_and_changes_no_table(store: Store) -> None:
    device = store.device("n", "noise")
    with store.connection.transaction(force_rollback=True):
        store.connection.execute(f"SET LOCAL ROLE {APP}".encode())
        put(store, "noise", noise_of(device, seed=1, hours=1), received_at=MIDNIGHT + timedelta(days=9))
        put(store, "noise", noise_of(device, seed=1, hours=1))  # sorted out in a temporary table
        store.connection.execute("UPDATE device SET name = 'x'")
        for statement in ("ALTER TABLE device ADD COLUMN x text", "DROP TABLE reading_noise", "CREATE ROLE x"):
            with pytest.raises(errors.InsufficientPrivilege), store.connection.transaction():
                store.connection.execute(statement.encode())


def test_a_user_who_may_make_no_roles_is_told_what_to_run(store: Store) -> None:
    with store.connection.transaction(force_rollback=True):
        store.connection.execute("CREATE ROLE w_owner")
        for role in (APP, GRAFANA):
            store.connection.execute(f"ALTER ROLE {role} RENAME TO {role}_elsewhere".encode())
        store.connection.execute("SET LOCAL ROLE w_owner")
        (said,) = [step for step in ensure_roles(store.connection, []) if GRAFANA in step]
    assert "run CREATE ROLE cityward_grafana as one who may, then cityward migrate again" in said
