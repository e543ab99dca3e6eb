"""The city's indicators on small cases counted by hand, the same whatever keeps the roll-ups."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from astral import Observer
from astral.sun import sunrise, sunset
from psycopg.types.json import Jsonb

from devices.kind import LimitChange
from devices.quality import Quality
from storage.limit_tables import write_limits
from storage.migrate import migrate
from storage.reading_writer import write
from storage.view_making import drop_views
from tests.fix_rolled import Store
from tests.integration.making import MINUTE, micros, readings, rows

CITY = ZoneInfo("Asia/Shanghai")
# So far ahead that nothing depends on the machine's clock: the city's latest news is its present.
MIDNIGHT = datetime(2036, 11, 20, tzinfo=CITY)
DAY = MIDNIGHT.date()
LAT, LON = 31.8, 119.97


def at(hour: float) -> int:
    return micros(MIDNIGHT) + round(hour * 60) * MINUTE


def put(store: Store, kind: str, batch: Iterable[Mapping[str, Any]]) -> None:
    each = [{"received_at": row["ts"], **row} for row in batch]
    with store.connection.transaction():
        write(store.connection, readings(store.kinds[kind], *each))


def every(device: int, start: float, end: float, *, minutes: int = 1, **metrics: Any) -> list[dict[str, Any]]:
    """The same reading every few minutes between two hours of the day."""
    return [
        {"device": device, "ts": at(start) + step * MINUTE, **metrics}
        for step in range(0, round((end - start) * 60), minutes)
    ]


def heard(store: Store, until: float = 24, *devices: int) -> None:
    """The devices were last heard then, and this is as late as it is."""
    store.connection.execute(
        "INSERT INTO device_status (device, last_ts, last_received_at, readings)"
        " SELECT device, to_timestamp(%(at)s), to_timestamp(%(at)s), 1 FROM unnest(%(devices)s::integer[]) AS device",
        {"at": at(until) / 1_000_000, "devices": list(devices)},
    )


def one(store: Store, query: str, *parameters: object) -> tuple[Any, ...]:
    (row,) = rows(store.connection, query, *parameters)
    return row


# --- the sun --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lat", "lon"), [(31.8, 119.97), (23.9, 100.1), (43.8, 87.6), (45.8, 126.5), (18.3, 109.5)])
def test_the_sun_rises_and_sets_within_a_minute_of_astral(store: Store, lat: float, lon: float) -> None:
    moments, dark, light = [], [], []
    margin, minute = timedelta(minutes=15), timedelta(minutes=1)
    for day in (date(2026, 1, 5), date(2026, 3, 21), date(2026, 6, 21), date(2026, 9, 1), date(2027, 12, 1)):
        up, down = (event(Observer(lat, lon), day, tzinfo=CITY) for event in (sunrise, sunset))
        moments += [up - margin - minute, up - margin + minute, down + margin - minute, down + margin + minute]
        dark += [True, False, False, True]
        light += [False] * 4
        moments += [up + margin - minute, up + margin + minute, down - margin - minute, down - margin + minute]
        dark += [False] * 4
        light += [False, True, True, False]
    query = (
        "SELECT dark(at, %s, %s), daylight(at, %s, %s)"
        " FROM unnest(%s::timestamptz[]) WITH ORDINALITY AS moment (at, place) ORDER BY place"
    )
    assert rows(store.connection, query, lat, lon, lat, lon, moments) == list(zip(dark, light, strict=True))


@pytest.mark.parametrize("lat", [18.3, 31.8, 43.8, 69.6])
def test_the_dark_quarters_of_a_day_are_as_many_as_there_are(store: Store, lat: float) -> None:
    """Also where the sun does not set, or does not rise."""
    query = """
        SELECT day, dark_minutes(day::date, 'Asia/Shanghai', %(lat)s, 110),
               (SELECT 15 * count(*) FROM generate_series(0, 95) AS slot
                WHERE dark((day AT TIME ZONE 'Asia/Shanghai') + (slot * 15 + 7.5) * interval '1 minute', %(lat)s, 110))
        FROM generate_series('2026-01-01'::timestamp, '2026-12-31', '17 days') AS day
    """
    found = store.connection.execute(query, {"lat": lat}).fetchall()
    assert [(day, minutes) for day, minutes, _ in found] == [(day, counted) for day, _, counted in found]


# --- lighting -------------------------------------------------------------------------------------------------------


def dark_quarters() -> int:
    """Quarters of an hour of 20 November whose middle is 15 min after sunset and before sunrise, by astral."""
    up, down = (event(Observer(LAT, LON), DAY, tzinfo=CITY) for event in (sunrise, sunset))
    margin = timedelta(minutes=15)
    middles = [MIDNIGHT + timedelta(minutes=15 * slot + 7.5) for slot in range(96)]
    return sum(middle <= up - margin or middle >= down + margin for middle in middles)


def test_lit_rate_known_leaves_silent_lamps_out_and_strict_counts_them_dark(store: Store) -> None:
    lamp = Jsonb({"rated_power": 60})
    burns, dark, late_off, silent = (
        store.device(name, "streetlight", attributes=lamp) for name in ("burns", "dark", "late-off", "silent")
    )
    store.device("elsewhere", "streetlight", road="Side Lane", road_class="branch")
    put(store, "streetlight", every(burns, 0, 24, minutes=5, active_power=58, dim_level=100))
    put(store, "streetlight", every(dark, 0, 24, minutes=15, active_power=2, dim_level=100))
    # Lit from 18:00 to 22:00 and dark from 22:00 on; not known in the morning.
    put(store, "streetlight", every(late_off, 18, 22, minutes=15, active_power=30, dim_level=50))
    put(store, "streetlight", every(late_off, 22, 24, minutes=15, active_power=1, dim_level=50))
    # What its gateway repeats says nothing of a lamp.
    put(store, "streetlight", every(silent, 18, 24, minutes=15, active_power=58, quality=Quality.REPEATED))
    heard(store, 24, burns)
    store.settle()
    night = dark_quarters() * 15
    known, lit = 2 * night + 360, night + 240
    found = one(
        store,
        "SELECT lamps, expected_minutes, known_minutes, lit_minutes, lit_rate_known, lit_rate_strict, target"
        " FROM kpi_lit_rate_road WHERE day = %s AND road = 'Ring Road'",
        DAY,
    )
    assert found[:4] == (4, 4 * night, known, lit)
    assert found[4:6] == pytest.approx((lit / known, lit / (4 * night)))
    assert [float(target) for target in found[6:]] == [0.98]
    assert one(
        store,
        "SELECT lamps, known_minutes, lit_rate_known, lit_rate_strict, target::float FROM kpi_lit_rate_class"
        " WHERE day = %s AND road_class = 'branch'",
        DAY,
    ) == (1, 0, None, 0, 0.96), "a road without any news is dark"
    assert one(store, "SELECT lit_rate_strict FROM kpi_lit_rate_district WHERE day = %s", DAY) == pytest.approx(
        (lit / (5 * night),)
    )


def test_a_lamp_that_burns_by_day_is_counted_and_its_energy_continues_over_midnight(store: Store) -> None:
    lamp = store.device("lamp", "streetlight")
    put(store, "streetlight", every(lamp, -1, 1, minutes=30, active_power=0, energy=100.0))
    put(store, "streetlight", every(lamp, 11, 12, minutes=15, active_power=110, energy=101.5))
    put(store, "streetlight", every(lamp, 14, 15, minutes=15, active_power=110, energy=0.5))  # a new meter
    store.settle()
    assert one(
        store, "SELECT day_burning_minutes, energy_kwh FROM lamp_day WHERE day = %s AND device = %s", DAY, lamp
    ) == (120, 2.0)
    # The meter was changed at midnight: the first value of the day is what it has counted.
    other = store.device("other", "streetlight")
    put(store, "streetlight", every(other, -1, 0, minutes=30, energy=50.0))
    put(store, "streetlight", every(other, 0, 1, minutes=30, energy=0.25))
    store.settle()
    assert one(store, "SELECT energy_kwh FROM lamp_day WHERE day = %s AND device = %s", DAY, other) == (0.25,)


# --- noise ----------------------------------------------------------------------------------------------------------


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


# --- fume, bridges, covers ------------------------------------------------------------------------------------------


def test_linkage_and_exceedance_by_district(store: Store) -> None:
    good, bad = (store.device(name, "fume") for name in ("good", "bad"))
    strict = store.device("strict", "fume", attributes=Jsonb({"local_standard": "beijing"}))
    put(store, "fume", every(good, 11, 13, fan_on=True, purifier_on=True, fume=1.5))
    put(store, "fume", every(bad, 11, 13, fan_on=True, purifier_on=True, fume=3))
    put(store, "fume", every(bad, 13, 14, fan_on=True, purifier_on=False, fume=1))
    put(store, "fume", every(bad, 14, 20, fan_on=False, purifier_on=False, fume=9))
    put(store, "fume", every(strict, 11, 12, fan_on=True, purifier_on=True, fume=1.5))
    store.settle()
    assert one(store, "SELECT restaurants, fan_minutes, linked_minutes, linkage, below FROM kpi_linkage") == (
        3, 360, 300, pytest.approx(300 / 360), 1,
    )  # fmt: skip
    assert one(store, "SELECT hours, hours_over, exceedance FROM kpi_fume_exceedance") == (6, 3, 0.5)
    query = "SELECT fan_minutes, purifier_minutes, linkage, fume_mean FROM fume_day WHERE device = %s"
    assert one(store, query, bad) == (
        180, 120, pytest.approx(2 / 3), pytest.approx(7 / 3),
    )  # fmt: skip


def test_a_bridge_is_covered_while_one_of_its_sensors_lives(store: Store) -> None:
    river = [store.device(f"river-{n}", "bridge", attributes=Jsonb({"bridge": "river"})) for n in range(2)]
    store.device("lake-0", "bridge", attributes=Jsonb({"bridge": "lake"}))
    lone = store.device("lone", "bridge")
    heard(store, 24, river[0])
    heard(store, -1, lone)  # 25 h before the latest
    assert one(store, "SELECT bridges, covered, coverage FROM kpi_bridge_coverage") == (3, 1, pytest.approx(1 / 3))


def test_overloads_are_counted_above_the_bridges_own_limit(store: Store) -> None:
    posted = store.device("posted", "bridge", limits=Jsonb({"gross_t": 20}))
    usual = store.device("usual", "bridge")
    for device in (posted, usual):
        put(
            store,
            "bridge",
            [{"device": device, "ts": at(8) + 1 + n, "gross_t": t} for n, t in enumerate((10, 30, 50, 210))],
        )
    put(store, "bridge", every(usual, 8, 9, minutes=30, strain=3.0))
    put(store, "bridge", every(usual, 8.25, 9, minutes=30, strain=-4.0))
    store.settle()
    query = "SELECT device, vehicles, overloaded, strain_rms FROM bridge_hour ORDER BY device"
    assert rows(store.connection, query) == [
        (posted, 4, 3, None), (usual, 4, 2, pytest.approx(math.sqrt(12.5))),
    ]  # fmt: skip


def test_openings_of_a_cover_are_its_events(store: Store) -> None:
    cover = store.device("cover", "manhole")
    opened = {"device": cover, "open_state": 1, "tilt": 60}
    put(store, "manhole", [{"ts": at(8), "type": 1, **opened}, {"ts": at(8.5), "type": 0, **opened}])
    put(store, "manhole", [{"device": cover, "ts": at(9), "type": 1, "open_state": 0, "tilt": 1, "water_level": 0.5}])
    store.settle()
    assert one(store, "SELECT openings, tilt_max, water_level_max, immersed FROM manhole_day") == (1, 60, 0.5, False)


# --- data, alarms, cases --------------------------------------------------------------------------------------------


def test_completeness_of_data_counts_silent_devices_and_no_surplus(store: Store) -> None:
    full, half = (store.device(name, "noise") for name in ("full", "half"))
    store.device("silent", "noise")
    put(store, "noise", [*every(full, 0, 24, laeq=50), {"device": full, "ts": at(1) + 5, "laeq": 50}])
    put(store, "noise", every(half, 0, 12, laeq=50, quality=Quality.LATE))
    heard(store, 23.9, full)
    store.settle()
    assert one(
        store,
        "SELECT devices, heard, readings, late, completeness FROM kpi_data WHERE day = %s AND kind = 'noise'",
        DAY,
    ) == (3, 2, 1440 + 1 + 720, 720, pytest.approx(0.5))


def test_the_ledger_by_day_balances(store: Store) -> None:
    store.connection.execute("DELETE FROM ledger")
    store.connection.execute(
        "INSERT INTO ledger VALUES (%(a)s, 'all', 10, 7, 2, 1), (%(b)s, 'all', 5, 5, 0, 0)",
        {"a": MIDNIGHT, "b": MIDNIGHT + timedelta(hours=23)},
    )
    assert rows(store.connection, "SELECT day, received, stored, duplicate, quarantined, balanced FROM kpi_ledger") == [
        (DAY, 15, 12, 2, 1, True)
    ]
    store.connection.execute("DELETE FROM ledger")


def alarm(
    store: Store, device: int, hours: Iterable[float], *, rule: str = "NO-03", severity: int = 2, active: bool = True
) -> None:
    made = one(
        store,
        "INSERT INTO alarm (rule_id, rule_version, device, severity, active, acknowledged, raised_at)"
        " VALUES (%s, 'v', %s, %s, %s, true, %s) RETURNING id",
        rule, device, severity, active, MIDNIGHT + timedelta(hours=min(hours)),
    )  # fmt: skip
    for hour in hours:
        moment = MIDNIGHT + timedelta(hours=hour)
        store.connection.execute(
            "INSERT INTO alarm_event (alarm_id, event, severity, at, seen_at, actor, detail)"
            " VALUES (%s, 'raised', %s, %s, %s, 'engine', '{}')",
            [made[0], severity, moment, moment],
        )


def test_alarm_load_floods_and_nuisance(store: Store) -> None:
    devices = [store.device(f"d{n}", "noise") for n in range(12)]
    for device in devices[:11]:
        alarm(store, device, [8.05])  # eleven within ten minutes: a flood
    alarm(store, devices[11], [1.0, 2.0, 3.0], severity=4)
    alarm(store, devices[0], [-20], rule="NO-06", severity=1)
    heard(store, 23, devices[0])
    assert one(
        store, "SELECT raised, peak_10_minutes, flood_share, critical, minor FROM kpi_alarm_load WHERE day = %s", DAY
    ) == (14, 11, pytest.approx(1 / 144), 3, 11)
    assert one(
        store,
        "SELECT raised, devices, chattering FROM kpi_alarm_nuisance WHERE bucket = %s AND rule_id = 'NO-03'",
        MIDNIGHT,
    ) == (14, 12, 1)
    assert rows(store.connection, "SELECT severity, active, stale FROM kpi_alarm_standing ORDER BY 1") == [
        (1, 1, 1), (2, 11, 0), (4, 1, 0),
    ]  # fmt: skip


def case(store: Store, device: int, number: int, *, opened: float, fix: float, **fields: object) -> None:
    moments = {
        name: MIDNIGHT + timedelta(hours=value) for name, value in fields.items() if isinstance(value, int | float)
    }
    row = {"done_at": None, "closed_at": None, "state": "dispatched", "problem": "lamp_dark", **fields, **moments}
    store.connection.execute(
        "INSERT INTO dispatch_case (number, device, district, problem, severity, state, open, unit, reason, opened_at,"
        " fix_by, done_at, closed_at, rework, started_at, white_at, red_at, fix_allowed, outcome, delays)"
        " VALUES (%(number)s, %(device)s, 'd', %(problem)s, 2, %(state)s, %(open)s, 'u', 'owner', %(opened)s, %(fix)s,"
        " %(done_at)s, %(closed_at)s, %(reworked)s, %(opened)s, %(fix)s, %(fix)s, '24h natural', %(outcome)s,"
        " %(delays)s)",
        {
            **row, "number": f"{number:019}", "device": device, "open": row["closed_at"] is None,
            "opened": MIDNIGHT + timedelta(hours=opened), "fix": MIDNIGHT + timedelta(hours=fix),
            "reworked": int(bool(fields.get("again"))), "delays": int(bool(fields.get("delayed"))),
            "outcome": "evidence" if row["state"] == "closed" else None,
        },
    )  # fmt: skip


def test_case_indicators_of_a_unit(store: Store) -> None:
    lamps = [store.device(f"l{n}", "streetlight") for n in range(5)]
    case(store, lamps[0], 1, opened=1, fix=20, done_at=10.0, closed_at=11.0, state="closed")
    case(store, lamps[1], 2, opened=1, fix=20, done_at=22.0, state="verifying", again="yes")
    case(store, lamps[2], 3, opened=1, fix=20, delayed="yes")
    case(store, lamps[3], 4, opened=1, fix=20, closed_at=2.0, state="cancelled")
    case(store, lamps[4], 5, opened=1, fix=30, problem="device_offline")
    heard(store, 24, lamps[0])
    found = one(
        store,
        "SELECT should_handle, handled, handled_in_time, closed, reworked, overdue, handled_rate, on_time_rate,"
        " closed_rate, rework_rate, overdue_rate, delay_rate FROM kpi_cases",
    )
    assert found == (4, 2, 1, 1, 1, 1, 0.5, 0.25, 0.5, 0.5, 0.25, 0.25)


def test_intact_are_facilities_without_a_fault_of_their_own(store: Store) -> None:
    lamps = [store.device(f"l{n}", "streetlight") for n in range(4)]
    case(store, lamps[0], 1, opened=-30, fix=20, closed_at=10.0, state="closed")  # on the 18th, until the 20th
    case(store, lamps[1], 2, opened=1, fix=20)
    case(store, lamps[1], 3, opened=1, fix=20, problem="leakage")
    case(store, lamps[2], 4, opened=1, fix=20, problem="device_offline")
    heard(store, 23, lamps[0])
    assert one(store, "SELECT facilities, intact, intact_rate FROM kpi_intact_rate") == (4, 3, 0.75)
    found = rows(store.connection, "SELECT day, intact FROM kpi_intact_rate_day WHERE day <= %s ORDER BY 1", DAY)
    assert [(day.day, intact) for day, intact in found] == [(18, 3), (19, 3), (20, 3)]
