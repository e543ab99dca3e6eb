"""Days that are stored say what is computed, whatever changes behind them."""

from datetime import datetime, timedelta
from typing import Any

from tests.fix_rolled import FAR, Store, on_timescale
from tests.integration.indicating import MIDNIGHT, at, every, put
from tests.integration.making import rows

BEFORE = -48.0  # hours: the lamps' first evening


def found(store: Store) -> list[tuple[Any, ...]]:
    """Each road's days, from the evening of the first: minutes, energy, readings."""
    return rows(
        store.connection,
        """
        SELECT road, extract(days FROM bucket - %s)::integer, dark_minutes::integer,
               round(energy_kwh::numeric, 3)::float, round(silent_kwh::numeric, 3)::float, readings::integer
        FROM rollup_road JOIN kpi_energy_road USING (bucket, road) JOIN rollup_district USING (bucket)
        WHERE kind = 'streetlight' ORDER BY 1, 2
        """,
        MIDNIGHT,
    )


def stored_until(store: Store) -> datetime:
    ((until,),) = rows(store.connection, "SELECT DISTINCT until FROM settled_view")
    assert isinstance(until, datetime)
    return until


def settled(store: Store) -> tuple[int, int]:
    """How many days of lamps and of meters stand in the tables."""
    ((lamps, meters),) = rows(
        store.connection,
        "SELECT (SELECT count(DISTINCT bucket) FROM rollup_district_settled WHERE kind = 'streetlight'),"
        " (SELECT count(*) FROM noise_level_settled)",
    )
    return int(lamps), int(meters)


def nights(store: Store) -> list[tuple[Any, ...]]:
    """Each night of the meter: by the day of its evening, level and hours."""
    return rows(
        store.connection,
        "SELECT extract(days FROM bucket - %s)::integer, round(ln::numeric, 1)::float, vdr_night * 8 FROM noise_day"
        " WHERE ln IS NOT NULL ORDER BY 1",
        MIDNIGHT,
    )


@on_timescale
def test_settled_days_follow_late_readings_and_lamps_that_move(store: Store) -> None:
    one, other = (store.device(name, "streetlight", road=name) for name in ("First Road", "Second Road"))
    for lamp in (one, other):
        for day in range(3):  # from 18:00 to 20:00, a tenth of a kWh in a quarter of an hour; the second day is silent
            if day != 1:
                evening = every(lamp, BEFORE + 24 * day + 18, BEFORE + 24 * day + 20, minutes=15, active_power=60)
                put(store, "streetlight", [{**row, "energy": day + n / 10} for n, row in enumerate(evening)])
    first = [("First Road", -2, 120, 0.7, 0.0, 16), ("First Road", 0, 120, 0.7, 1.3, 16)]
    second = [("Second Road", *numbers) for _, *numbers in first]
    meter = store.device("meter", "noise")
    put(store, "noise", every(meter, BEFORE + 22, BEFORE + 24, laeq=50))
    store.settle()
    assert (settled(store), found(store)) == ((2, 1), [*first, *second])
    assert nights(store) == [(-2, 50, 2)]
    store.connection.execute("CALL unsettle(%s)", [MIDNIGHT])
    assert found(store) == [*first, *second], "the last day computed, and what a silence of two days consumed"

    # What a lamp brings after a month: the silence was shorter; what a meter brings belongs to the evening before.
    late = every(one, BEFORE + 42, BEFORE + 42.5, minutes=15, active_power=60)
    received = {"received_at": at(30 * 24)}
    put(store, "streetlight", [{**row, **received, "energy": 0.9 + n / 10} for n, row in enumerate(late)])
    put(store, "noise", [{**row, **received} for row in every(meter, BEFORE + 24, BEFORE + 26, laeq=60)])
    store.connection.execute("CALL settle_days(%s)", [FAR])
    store.catch_up()
    first = [
        ("First Road", -2, 120, 0.7, 0.0, 16),
        ("First Road", -1, 30, 0.3, 0.0, 2),
        ("First Road", 0, 120, 1.7, 0.0, 16),
    ]
    assert (stored_until(store), found(store)) == (MIDNIGHT - timedelta(hours=88), [*first, *second])
    assert nights(store) == [(-2, 57.4, 4)]
    store.connection.execute("CALL settle_days(%s)", [FAR])
    assert (found(store), nights(store)) == ([*first, *second], [(-2, 57.4, 4)])

    # The registry says that both lamps stand in one road, and a lamp's past goes with it.
    store.connection.execute("UPDATE device SET name = 'new' WHERE id = %s", [other])
    assert stored_until(store) == datetime.fromisoformat(FAR + ":00"), "nothing has moved"
    store.connection.execute("UPDATE device SET road = 'First Road' WHERE id = %s", [other])
    both = [
        ("First Road", -2, 240, 1.4, 0.0, 16),
        ("First Road", -1, 30, 0.3, 0.0, 2),
        ("First Road", 0, 240, 2.4, 1.3, 16),
    ]
    assert found(store) == both
    store.connection.execute("CALL settle_days(%s)", [FAR])
    assert (settled(store), found(store)) == ((3, 1), both)
