"""Roll-ups that add up: whatever came when, they are what the readings themselves give."""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from devices.moments import micros
from devices.quality import Quality
from storage.reading_writer import write
from storage.rollups import catch_up
from tests.fix_rolled import Store, on_timescale
from tests.integration.making import MINUTE, readings, rows

# So far ahead that nothing depends on the machine's clock.
MIDNIGHT = datetime(2036, 11, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
CITY = ZoneInfo("Asia/Shanghai")
Row = Mapping[str, Any]


def put(store: Store, kind: str, batch: Iterable[Row], *, received_at: datetime | None = None) -> None:
    each = [{"received_at": micros(received_at) if received_at else row["ts"], **row} for row in batch]
    with store.connection.transaction():
        write(store.connection, readings(store.kinds[kind], *each))


def noise_of(device: int, seed: int, *, start: datetime = MIDNIGHT, hours: int = 30) -> list[dict[str, Any]]:
    """A meter's minutes, some of them doubtful, implausible, wet or missing."""
    chance = random.Random(seed)
    rows_made = []
    for minute in range(hours * 60):
        if chance.random() < 0.1:
            continue
        row: dict[str, Any] = {"device": device, "ts": micros(start) + minute * MINUTE}
        row["laeq"] = round(chance.uniform(35, 85), 1)
        row["lmax"] = row["laeq"] + 5
        row["quality"] = chance.choice([0] * 12 + [Quality.LATE, Quality.FROZEN, Quality.REPEATED, Quality.SKEWED])
        if chance.random() < 0.05:
            row["rain"] = 0.2
        if chance.random() < 0.05:
            row["wind_speed"] = 7
        if chance.random() < 0.03:
            row |= {"laeq": 250, "quality": Quality.IMPLAUSIBLE}
        rows_made.append(row)
    return rows_made


def expected(stored: Iterable[Row], key: Callable[[datetime], object]) -> dict[object, dict[str, float]]:
    """What a stretch of a noise meter is by the definition, from the readings one by one."""
    groups = defaultdict(list)
    for row in stored:
        groups[key(row["ts"])].append(row)
    made = {}
    for name, group in groups.items():
        trusted = [row for row in group if not row["quality"] & (Quality.FROZEN | Quality.REPEATED)]
        believed = [row for row in trusted if row["laeq"] is not None and 30 <= row["laeq"] <= 130]
        valid = [row for row in believed if (row["rain"] or 0) <= 0 and (row["wind_speed"] or 0) < 5]
        made[name] = {
            "readings": len(group),
            "frozen_n": sum(bool(row["quality"] & Quality.FROZEN) for row in group),
            "laeq_n": len(believed),
            "laeq_max": max((row["laeq"] for row in believed), default=math.nan),
            "laeq_valid_n": len(valid),
            "laeq_valid_minutes": len({row["ts"].replace(second=0, microsecond=0) for row in valid}),
            "leq": 10 * math.log10(sum(10 ** (row["laeq"] / 10) for row in valid) / len(valid)) if valid else math.nan,
        }
    return made


def found(store: Store, level: str) -> dict[object, dict[str, float]]:
    names = ("readings", "frozen_n", "laeq_n", "laeq_max", "laeq_valid_n", "laeq_valid_minutes")
    query = f"SELECT bucket, {', '.join(names)}, decibels(laeq_energy, laeq_valid_n) FROM rollup_{level}_noise"  # noqa: S608
    return {
        bucket.astimezone(UTC): dict(zip((*names, "leq"), (math.nan if v is None else v for v in values), strict=True))
        for bucket, *values in rows(store.connection, query)
    }


def hour_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(at: datetime) -> datetime:
    return at.astimezone(CITY).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def check(store: Store) -> None:
    """Hours and days of noise are what the stored readings give."""
    names = ("ts", "quality", "laeq", "rain", "wind_speed")
    stored = [
        dict(zip(names, row, strict=True))
        for row in rows(store.connection, f"SELECT {', '.join(names)} FROM reading_noise")  # noqa: S608
    ]
    assert stored
    for level, key in (("hour", hour_of), ("day", day_of)):
        want, have = expected(stored, key), found(store, level)
        assert have.keys() == want.keys(), level
        for bucket, numbers in want.items():
            assert have[bucket] == pytest.approx(numbers, abs=0.005, nan_ok=True), (level, bucket)


def test_hours_and_days_are_what_the_readings_give(store: Store) -> None:
    # Later than whatever other tests had refreshed: what is newer than that is read in real time.
    put(store, "noise", noise_of(store.device("n", "noise"), seed=1, start=MIDNIGHT + timedelta(days=200)))
    check(store)
    store.settle()
    check(store)
    assert len(found(store, "day")) == 2, "the city's days, not UTC's"


def test_late_readings_and_a_replay_change_what_they_belong_to(store: Store) -> None:
    device = store.device("n", "noise")
    every = noise_of(device, seed=2)
    first, late = every[::2], every[1::2]
    put(store, "noise", first)
    store.settle()
    put(store, "noise", [{**row, "quality": row.get("quality", 0) | Quality.LATE} for row in late[:200]])
    put(store, "noise", [{**row, "quality": row.get("quality", 0) | Quality.REPLAYED} for row in late[200:]])
    put(store, "noise", first[:50])  # again: duplicates count once
    store.settle()
    check(store)


def test_the_job_finds_readings_that_the_regular_refresh_no_longer_reaches(store: Store) -> None:
    device = store.device("n", "noise")
    every = noise_of(device, seed=3)
    put(store, "noise", every[::2])
    store.settle()
    put(store, "noise", every[1::2], received_at=MIDNIGHT + timedelta(days=30))
    store.catch_up()
    check(store)
    assert rows(store.connection, "SELECT * FROM late_day") == []


def test_readings_that_are_in_time_are_not_noted_as_late(store: Store) -> None:
    batch = noise_of(store.device("n", "noise"), seed=4, hours=1)
    put(store, "noise", batch, received_at=MIDNIGHT + timedelta(days=2))
    assert rows(store.connection, "SELECT * FROM late_day") == []


def test_a_bridge_adds_up_from_minutes_to_hours_to_days(store: Store) -> None:
    device, chance = store.device("b", "bridge"), random.Random(5)
    start = micros(MIDNIGHT)
    batch = [
        {"device": device, "ts": start + second * 1_000_000, "strain": round(chance.uniform(-100, 100), 1)}
        for second in range(0, 7500, 5)
    ]
    batch += [{"device": device, "ts": start + 123 + truck * MINUTE, "gross_t": 30 + truck} for truck in range(40)]
    put(store, "bridge", batch)
    store.settle()
    strains = [row["strain"] for row in batch if "strain" in row]
    for level, buckets in (("minute", 125), ("hour", 3), ("day", 1)):
        ((number, least, most, total, squares, vehicles, over),) = rows(
            store.connection,
            "SELECT count(*), min(strain_min), max(strain_max), sum(strain_sum), sum(strain_squares), sum(gross_t_n),"  # noqa: S608
            f" sum(classes_above(gross_classes, 49, 0, 1)) FROM rollup_{level}_bridge",
        )
        assert number == buckets
        assert (least, most) == (min(strains), max(strains))
        assert total == pytest.approx(sum(strains), abs=1e-2)
        assert squares == pytest.approx(sum(strain**2 for strain in strains), rel=1e-6)
        assert (vehicles, over) == (40, 21), "49 to 69 t"


def test_growth_of_a_counter_adds_up_over_hours_and_resets(store: Store) -> None:
    device = store.device("l", "streetlight")
    # 10.0 … 12.0, then the meter is replaced and begins at 0.2: 2.0 + 0.2 + 1.8 kWh.
    values = [10.0, 10.5, 11.0, 12.0, 0.2, 1.0, 2.0]
    batch = [
        {"device": device, "ts": micros(MIDNIGHT) + n * 25 * MINUTE, "energy": value} for n, value in enumerate(values)
    ]
    put(store, "streetlight", batch)
    store.settle()
    assert rows(store.connection, "SELECT energy_counter FROM rollup_hour_streetlight ORDER BY bucket") == [
        ([10.0, 11.0, 1.0],),
        ([12.0, 0.2, 0.2],),
        ([1.0, 2.0, 1.0],),
    ]
    assert rows(store.connection, "SELECT energy_counter FROM rollup_day_streetlight") == [([10.0, 2.0, 4.0],)]


def test_percentiles_are_within_a_class_of_the_exact_ones(store: Store) -> None:
    device, chance = store.device("n", "noise"), random.Random(6)
    levels = [round(chance.gauss(58, 6), 1) for _ in range(600)]
    put(
        store,
        "noise",
        [{"device": device, "ts": micros(MIDNIGHT) + n * MINUTE, "laeq": at} for n, at in enumerate(levels)],
    )
    store.settle()
    ordered = sorted(levels)
    ((classes,),) = rows(store.connection, "SELECT laeq_classes FROM rollup_day_noise")
    assert sum(classes) == 600
    for share in (0.9, 0.5, 0.1):
        ((quantile,),) = rows(store.connection, "SELECT classes_quantile(%s::integer[], %s, 30, 0.5)", classes, share)
        assert quantile == pytest.approx(ordered[round(share * 600) - 1], abs=0.5)


@on_timescale
def test_more_stored_hours_than_one_statement_may_decompress_are_refreshed(store: Store) -> None:
    """TimescaleDB's own limit is 100,000 rows; here it is 10."""
    device = store.device("n", "noise")
    every = noise_of(device, seed=7)
    put(store, "noise", every[::2])
    store.settle()
    store.connection.execute("SELECT compress_chunk(c) FROM show_chunks('rollup_hour_noise_live') AS c")
    store.connection.execute("SELECT compress_chunk(c) FROM show_chunks('reading_noise') AS c")
    put(store, "noise", every[1::2], received_at=MIDNIGHT + timedelta(days=30))
    store.connection.execute("SET timescaledb.max_tuples_decompressed_per_dml_transaction = 10")
    try:
        catch_up(store.connection)
    finally:
        store.connection.execute("RESET timescaledb.max_tuples_decompressed_per_dml_transaction")
    check(store)
