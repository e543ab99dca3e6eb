"""The indicators of noise on small cases counted by hand, the same whatever keeps the roll-ups."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import msgspec
import pytest
from psycopg.types.json import Jsonb

from devices.kind import LimitChange
from rules.jobs import Moments
from rules.local_time import LocalTime
from rules.measures import load_measures
from storage import measures
from storage.limit_tables import write_limits
from storage.migrate import migrate
from storage.registry_store import load_registry, register_groups
from storage.view_making import drop_views
from tests.fix_rolled import Store
from tests.integration.indicating import CITY, DAY, MIDNIGHT, at, every, one, put
from tests.integration.making import rows


def test_day_night_and_day_night_level(store: Store) -> None:
    meter = store.device("meter", "noise", attributes=Jsonb({"noise_zone": "1"}))
    put(store, "noise", every(meter, 6, 14, laeq=60))
    put(store, "noise", every(meter, 14, 22, laeq=50))
    put(store, "noise", every(meter, 22, 30, laeq=40, lmax=58))
    put(store, "noise", every(meter, 30, 31, laeq=90))  # the next day's
    store.settle()
    ld = 10 * math.log10((10**6 + 10**5) / 2)  # 57.40: energy, not (60 + 50) / 2
    ldn = 10 * math.log10((16 * 10 ** (ld / 10) + 8 * 10**5) / 24)
    found = one(
        store,
        "SELECT ld, ln, ldn, lmax_night, vdr_day, vdr_night, day_limit, night_limit, day_ok, night_ok"
        " FROM noise_day WHERE day = %s",
        DAY,
    )
    assert found[:6] == pytest.approx((ld, 40, ldn, 58, 1, 1), abs=0.01)
    assert found[6:] == (55, 45, False, True)
    query = "SELECT laeq, l50, vdr, valid, night FROM noise_hour WHERE bucket = %s"
    assert one(store, query, MIDNIGHT + timedelta(hours=7)) == (
        pytest.approx(60), pytest.approx(60, abs=0.5), 1, True, False,
    )  # fmt: skip


@pytest.fixture
def later_nights(store: Store) -> Iterator[None]:
    """The city's nights last from 23:00 to 07:00; afterwards they no longer do."""
    document = {"timezone": "Asia/Shanghai", "night": {"start": "23:00", "end": "07:00"}}
    store.connection.execute("INSERT INTO city (document, imported_at) VALUES (%s, now())", [Jsonb(document)])
    migrate(store.dsn, store.kinds, lambda _step: None)
    yield
    store.clear()
    with store.connection.transaction():
        drop_views(store.connection)
        store.connection.execute("DROP TABLE IF EXISTS rollup_hour_noise_kept, rollup_day_noise_kept")
    migrate(store.dsn, store.kinds, lambda _step: None)


@pytest.mark.usefixtures("later_nights")
def test_the_citys_own_night_and_a_devices_own_limit_count(store: Store) -> None:
    dated = [{"value": 62, "valid_from": "2036-01-01"}, {"value": 58, "valid_from": "2036-11-20"}]
    meter = store.device("meter", "noise", limits=Jsonb({"day": 61.5, "night": dated}))
    put(store, "noise", every(meter, 22, 23, laeq=70))
    put(store, "noise", every(meter, 23, 31, laeq=60))
    put(store, "noise", every(meter, -1, 7, laeq=60))
    store.settle()
    assert rows(store.connection, "SELECT day, ln, night_limit, night_ok FROM noise_day ORDER BY day") == [
        (DAY - timedelta(days=1), pytest.approx(60), 62, True),
        (DAY, pytest.approx(60), 58, False),
    ]


def test_a_kinds_limit_that_changes_on_a_day_counts_from_that_day(store: Store) -> None:
    change = LimitChange(date(2036, 11, 20), values={"1": 53})
    noise = store.kinds["noise"]
    limit = msgspec.structs.replace(noise.limits["day"], changes=(change,))
    with store.connection.transaction(force_rollback=True):
        write_limits(store.connection, [replace(noise, limits={"day": limit})])
        homes, mixed = (store.device(f"zone-{zone}", "noise", attributes=Jsonb({"noise_zone": zone})) for zone in "12")
        query = "SELECT valid_from::text, value, valid_until::text FROM device_limit WHERE device = %s ORDER BY 1"
        assert rows(store.connection, query, homes) == [
            ("2008-10-01", 55, "2036-11-20"),
            ("2036-11-20", 53, "infinity"),
        ]
        assert rows(store.connection, query, mixed) == [
            ("2008-10-01", 60, "2036-11-20"),
            ("2036-11-20", None, "infinity"),
        ]


def judged(store: Store, measure: str, hour: float) -> dict[str, dict[str, float | None]]:
    """What the rule's measure says of each district at an hour of the day's count."""
    by = ("district",)
    register_groups(store.connection, load_registry(store.connection, store.kinds), [("noise", by)], MIDNIGHT)
    registry, local = load_registry(store.connection, store.kinds), LocalTime(CITY)
    found = measures.ask(
        store.connection, load_measures()[measure], "noise", registry.membership("noise", by), registry, local,
        Moments.of(local, at(hour)),
    )  # fmt: skip
    return {group.name: dict(found[group.id]) for group in registry.groups.values()}


def test_night_compliance_counts_valid_point_nights_of_areas(store: Store) -> None:
    quiet, loud, gaps, site = (
        store.device(name, "noise", attributes=Jsonb({"noise_zone": "2", "site": kind}))
        for name, kind in (("quiet", "area"), ("loud", "area"), ("gaps", "area"), ("site", "construction"))
    )
    for night in (0, 24):
        put(store, "noise", every(quiet, night + 22, night + 30, laeq=49))
        put(store, "noise", every(loud, night + 22, night + 30, laeq=50 if night else 52))
        put(store, "noise", every(gaps, night + 22, night + 27, laeq=30))  # 300 of 480 min: 62 %
        put(store, "noise", every(site, night + 22, night + 30, laeq=80))
    store.settle()
    query = (
        "SELECT month, point_nights, compliant, compliance, target::float FROM kpi_night_compliance"
        " WHERE district IS NULL"
    )
    assert one(store, query) == (date(2036, 11, 1), 4, 3, 0.75, 0.75), "50 dB(A) keeps a limit of 50"
    of_rule = {"valid_nights": 4, "compliant_nights": 3, "night_compliance": 0.75}
    assert judged(store, "night_compliance", 55.5) == {"d": of_rule}, "the rule judges by the same figure"


def test_area_noise_is_the_arithmetic_mean_of_the_points(store: Store) -> None:
    one_point, other = (store.device(name, "noise", district=name) for name in ("east", "west"))
    put(store, "noise", every(one_point, 6, 22, laeq=50))
    put(store, "noise", every(other, 6, 22, laeq=60))
    store.settle()
    found = rows(
        store.connection, "SELECT district, points, mean_ld FROM kpi_area_noise WHERE day = %s ORDER BY 1", DAY
    )
    assert [(district, points) for district, points, _ in found] == [("east", 1), ("west", 1), (None, 2)]
    assert [mean for _, _, mean in found] == pytest.approx([50, 60, 55])
    of_rule = {name: {"points": 1, "day_mean": pytest.approx(mean)} for name, _, mean in found[:2]}
    assert judged(store, "area_noise_mean", 31.5) == of_rule, "the rule judges by the same figure"
