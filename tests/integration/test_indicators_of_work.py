"""The indicators of data, alarms and cases on small cases counted by hand, the same whatever keeps the roll-ups."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from devices.quality import Quality
from tests.fix_rolled import Store
from tests.integration.indicating import DAY, MIDNIGHT, at, every, heard, one, put
from tests.integration.making import rows


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
