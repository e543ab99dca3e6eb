from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from devices.kind import Kind, MetricType
from devices.moments import micros
from devices.readings import MESSAGE_TYPES, Readings
from storage.capability import detect
from storage.reading_tables import ensure
from storage.reading_writer import WriteResult, latest, stored, write
from tests.integration.making import MINUTE, NOON, everything, readings, rows

pytestmark = pytest.mark.each_server

T = micros(NOON)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVERYTHING = everything()
NAMES = [metric.name for metric in EVERYTHING.metrics]
VALUES: Mapping[MetricType, st.SearchStrategy[Any]] = {
    MetricType.REAL: st.floats(width=32, allow_nan=False, allow_infinity=False),
    MetricType.DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
    MetricType.SMALLINT: st.integers(-(2**15), 2**15 - 1),
    MetricType.INTEGER: st.integers(-(2**31), 2**31 - 1),
    MetricType.BOOL: st.booleans(),
    MetricType.ENUM: st.integers(0, 2),
    MetricType.TEXT: st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
}
any_row = st.fixed_dictionaries(
    {
        "device": st.integers(1, 2**31 - 1),
        "ts": st.integers(0, 4_102_444_800_000_000),
        "received_at": st.integers(0, 4_102_444_800_000_000),
        "quality": st.integers(0, 2**15 - 1),
        "seq": st.integers(-1, 2**31 - 1),
        "type": st.integers(0, len(MESSAGE_TYPES) - 1),
        **{metric.name: st.none() | VALUES[metric.type] for metric in EVERYTHING.metrics},
    }
)


@pytest.fixture
def measuring_everything(connection: Connection) -> Connection:
    """A database with a table for a kind that has every type of metric."""
    ensure(connection, [EVERYTHING], detect(connection))
    return connection


def stored_rows(connection: Connection) -> list[tuple[Any, ...]]:
    # As a 32-bit number a_real would be read back in PostgreSQL's shortest notation, which Python takes for 64 bits.
    names = [f"{name}::double precision" if name == "a_real" else name for name in NAMES]
    columns = ", ".join(["device", "ts", "received_at", "quality", "seq", "type", *names])
    return rows(connection, f"SELECT {columns} FROM reading_everything ORDER BY device, ts")  # noqa: S608 - our own names


def moment(ts: int) -> datetime:
    return EPOCH + timedelta(microseconds=ts)


def expected(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        row["device"],
        moment(row["ts"]),
        moment(row["received_at"]),
        row["quality"],
        None if row["seq"] < 0 else row["seq"],
        row["type"],
        *(row[name] for name in NAMES),
    )


def manholes(kinds: Mapping[str, Kind], *tilts: tuple[int, float]) -> Readings:
    """Readings of one cover: minute after noon, tilt."""
    return readings(kinds["manhole"], *({"ts": T + minute * MINUTE, "tilt": tilt} for minute, tilt in tilts))


def tilts(connection: Connection) -> list[tuple[float]]:
    return rows(connection, "SELECT tilt FROM reading_manhole ORDER BY device, ts")


def fates(result: WriteResult) -> str:
    """A letter a row: fresh, conflict, unstorable, duplicate."""
    letters = np.full(len(result.fresh), "d")
    for letter, flags in (("f", result.fresh), ("c", result.conflicts), ("u", result.unstorable)):
        assert not (flags & (letters != "d")).any(), "two fates"
        letters[flags] = letter
    return "".join(letters)


def put(connection: Connection, batch: Readings) -> WriteResult:
    with connection.transaction():
        return write(connection, batch)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.lists(any_row, min_size=1, max_size=12, unique_by=lambda row: (row["device"], row["ts"])))
def test_whatever_is_written_is_read_back(measuring_everything: Connection, batch: list[dict[str, Any]]) -> None:
    with measuring_everything.transaction(force_rollback=True):
        result = put(measuring_everything, readings(EVERYTHING, *batch))
        assert result.fresh.all()
        assert stored_rows(measuring_everything) == sorted(map(expected, batch), key=lambda row: row[:2])


def test_every_type_of_metric_is_written_with_its_largest_values_and_without_any(
    measuring_everything: Connection,
) -> None:
    full = {
        "device": 2**31 - 1, "ts": T + 1, "received_at": T + 999_999, "quality": 3, "seq": 0, "type": 2,
        "a_real": 3.4028234663852886e38, "a_double": -1.7976931348623157e308, "a_smallint": -(2**15),
        "a_integer": 2**31 - 1, "a_bool": True, "a_enum": 2, "a_text": "鄂A·12345 ❄",
    }  # fmt: skip
    nothing = {"device": 1, "ts": T, "received_at": T, "quality": 0, "seq": -1, "type": 0} | dict.fromkeys(NAMES)
    false = {**nothing, "ts": T + 2, "a_bool": False, "a_text": "", "a_real": 0.0, "a_enum": 0}
    put(measuring_everything, readings(EVERYTHING, full, nothing, false))
    assert stored_rows(measuring_everything) == [expected(nothing), expected(false), expected(full)]
    assert set(VALUES) == set(MetricType)


def test_what_was_not_measured_is_null_and_not_nan(connection: Connection, kinds: dict[str, Kind]) -> None:
    put(connection, readings(kinds["manhole"], {"tilt": 1.5, "battery_v": float("nan")}))
    found = rows(connection, "SELECT tilt, battery_v IS NULL, water_immersed IS NULL, seq IS NULL FROM reading_manhole")
    assert found == [(1.5, True, True, True)]


def test_of_equal_readings_in_a_batch_the_first_is_stored(connection: Connection, kinds: dict[str, Kind]) -> None:
    result = put(connection, manholes(kinds, (0, 1), (0, 1), (1, 5), (0, 1)))
    assert fates(result) == "fdfd"
    assert tilts(connection) == [(1.0,), (5.0,)]


def test_a_duplicate_is_looked_up_and_not_searched_for(connection: Connection, kinds: dict[str, Kind]) -> None:
    put(connection, manholes(kinds, *((minute, 1) for minute in range(2000))))
    connection.execute("ANALYZE")
    with connection.transaction():
        assert fates(write(connection, manholes(kinds, (7, 1), (2000, 1)))) == "df"
        read = "SELECT sum(seq_tup_read)::int FROM pg_stat_xact_user_tables WHERE NOT starts_with(relname, 'staging')"
        assert rows(connection, read) == [(0,)]


def test_a_reading_that_is_stored_already_is_a_duplicate(connection: Connection, kinds: dict[str, Kind]) -> None:
    put(connection, manholes(kinds, (0, 1)))
    again = manholes(kinds, (0, 1), (1, 2))
    again.received_at[:] = T + 5 * MINUTE
    again.seq[:] = 77
    assert fates(put(connection, again)) == "df", "another arrival of the same measurement contradicts nothing"
    assert tilts(connection) == [(1.0,), (2.0,)]
    assert rows(connection, "SELECT received_at FROM reading_manhole WHERE tilt = 1") == [(NOON,)]


def test_other_values_at_the_same_time_are_a_conflict_and_the_first_stay(
    connection: Connection, kinds: dict[str, Kind]
) -> None:
    put(connection, manholes(kinds, (0, 1)))
    assert fates(put(connection, manholes(kinds, (0, 9), (1, 2)))) == "cf"
    assert tilts(connection) == [(1.0,), (2.0,)]


def test_a_value_more_or_less_is_a_conflict_too(connection: Connection, kinds: dict[str, Kind]) -> None:
    kind = kinds["manhole"]
    put(connection, readings(kind, {"tilt": 1, "battery_v": 3.6}, {"ts": T + 1, "tilt": 1}))
    result = put(connection, readings(kind, {"tilt": 1}, {"ts": T + 1, "tilt": 1, "battery_v": 3.6}))
    assert fates(result) == "cc"


def test_duplicates_conflicts_and_new_readings_in_one_batch_find_their_fates(
    connection: Connection, kinds: dict[str, Kind]
) -> None:
    put(connection, manholes(kinds, (0, 1), (1, 2)))
    batch = manholes(kinds, (0, 1), (1, 7), (2, 3), (2, 3), (2, 8), (3, 4), (0, 6), (4, 5))
    assert fates(put(connection, batch)) == "dcfdcfcf"
    assert tilts(connection) == [(1.0,), (2.0,), (3.0,), (4.0,), (5.0,)]


def test_one_duplicate_among_a_thousand_costs_one_reading(connection: Connection, kinds: dict[str, Kind]) -> None:
    minutes = [*range(500), 499, *range(500, 999)]
    result = put(connection, manholes(kinds, *((minute, 1) for minute in minutes)))
    assert fates(result) == "f" * 500 + "d" + "f" * 499
    assert stored(connection, [kinds["manhole"]]) == {"manhole": 999}


@pytest.mark.parametrize("again", [[], [0]], ids=["alone", "beside a duplicate"])
def test_a_value_that_the_table_cannot_hold_costs_its_own_reading_only(
    measuring_everything: Connection, again: list[int]
) -> None:
    # More than PostgreSQL inserts at once, so that it meets the duplicate before it has read to the end.
    count = 1500
    batch: list[dict[str, Any]] = [{"ts": T + number, "a_text": "fine"} for number in [*again, *range(count)]]
    batch[-1]["a_text"] = "no\0good"
    result = put(measuring_everything, readings(EVERYTHING, *batch))
    assert fates(result) == "f" + "d" * len(again) + "f" * (count - 2) + "u"
    assert len(stored_rows(measuring_everything)) == count - 1


def test_what_goes_wrong_after_a_write_takes_the_write_back(connection: Connection, kinds: dict[str, Kind]) -> None:
    with connection.transaction(force_rollback=True):
        put(connection, manholes(kinds, (0, 1), (0, 1)))
        assert tilts(connection) == [(1.0,)]
    assert tilts(connection) == []


def test_a_second_batch_of_duplicates_in_the_same_transaction_is_sorted_out_too(
    connection: Connection, kinds: dict[str, Kind]
) -> None:
    with connection.transaction():
        assert fates(put(connection, manholes(kinds, (0, 1), (0, 1)))) == "fd"
        assert fates(put(connection, manholes(kinds, (0, 1), (1, 1)))) == "df"


def test_the_latest_reading_of_each_device_that_is_asked_for_is_found(
    connection: Connection, kinds: dict[str, Kind]
) -> None:
    batch = [{"device": device, "ts": T + minute * MINUTE + 1} for device in (1, 2, 3) for minute in (3, 9, 5 * device)]
    put(connection, readings(kinds["manhole"], *batch))
    found = latest(connection, kinds["manhole"], [2, 4, 1])
    assert (found.device.tolist(), found.ts.tolist()) == ([1, 2], [T + 9 * MINUTE + 1, T + 10 * MINUTE + 1])
