"""The sun and the indicators of lighting on small cases counted by hand, whatever keeps the roll-ups."""

from datetime import date, timedelta

import pytest
from astral import Observer
from astral.sun import sunrise, sunset
from psycopg.types.json import Jsonb

from devices.quality import Quality
from tests.fix_rolled import Store
from tests.integration.indicating import CITY, DAY, MIDNIGHT, every, heard, one, put
from tests.integration.making import rows

LAT, LON = 31.8, 119.97


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


def test_what_a_meter_counted_while_its_lamp_was_silent_is_told_apart_from_the_days_energy(store: Store) -> None:
    lamp = store.device("lamp", "streetlight")
    put(store, "streetlight", every(lamp, -30, -29, minutes=30, energy=10.0))  # the evening before last
    put(
        store,
        "streetlight",
        [*every(lamp, 6, 7, minutes=30, energy=14.5), *every(lamp, 18, 19, minutes=30, energy=15.0)],
    )
    put(store, "streetlight", every(lamp, 24, 25, minutes=30, energy=15.75))
    never_silent = store.device("other", "streetlight")
    put(store, "streetlight", every(never_silent, 20, 28, minutes=60, energy=1.0))
    store.settle()
    assert rows(
        store.connection, "SELECT energy_kwh, silent_kwh FROM lamp_day WHERE device = %s ORDER BY bucket", lamp
    ) == [(0, None), (0.5, 4.5), (0.75, None)]
    assert rows(store.connection, "SELECT energy_kwh, silent_kwh FROM kpi_energy_road ORDER BY bucket") == [
        (0, 0),
        (0.5, 4.5),
        (0.75, 0),
    ]
