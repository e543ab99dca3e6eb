from datetime import datetime, timedelta

import pytest
from psycopg.types.json import Jsonb

from alarms import storms
from devices.moments import micros
from rules.rule import Severity
from rules.verdicts import Change, Transition
from storage import alarm_round, alarm_store
from tests.integration.desk import FRIDAY, Desk
from tests.integration.making import COVER_EAST, COVER_WEST, KITCHEN, LAMP, rows

CIRCUIT = "circuit:C-03:streetlight"
MINUTE = timedelta(minutes=1)
VERSION = "0123456789ab"
STATES = """
    SELECT CASE WHEN suppressed_by IS NOT NULL THEN 'suppressed' WHEN permit IS NOT NULL THEN 'out of service'
           WHEN active THEN 'active' ELSE 'over' END, count(*)
    FROM alarm WHERE rule_id = %s GROUP BY 1 ORDER BY 1
"""


@pytest.fixture
def lamps(desk: Desk) -> list[int]:
    """Sixty lamps of one circuit, and the circuit."""
    desk.connection.execute(
        """
        INSERT INTO device (device_id, kind, name, district, grid, lon, lat, road, road_class, component_class,
                            circuit, cabinet, gateway, limits, attributes, registered_at)
        SELECT 'lamp-' || n, 'streetlight', 'Lamp ' || n, 'east', '420102001001001', 114.3, 30.5, 'Jiefang Road',
               'main', '0118', 'C-03', 'CAB-1', '', '{}'::jsonb, '{}'::jsonb, now()
        FROM generate_series(1, 60) AS n
        UNION ALL
        SELECT name, kind, name, 'east', '', 114.3, 30.5, '', '', '0118', '', '', '', '{}'::jsonb, '{}'::jsonb, now()
        FROM (VALUES ('circuit:C-03:streetlight', 'group'), ('CAB-1', 'streetlight')) AS other (name, kind)
        """
    )
    return [
        number
        for (number,) in rows(desk.connection, "SELECT id FROM device WHERE device_id LIKE 'lamp-%%' ORDER BY id")
    ]


def know(
    desk: Desk, rule_id: str, *, source: str = "reading", covers: tuple[str, ...] = (), latch: bool = False
) -> None:
    desk.connection.execute(
        "INSERT INTO rule_text VALUES (%s, %s, %s, '', %s, %s, now())",
        [rule_id, VERSION, source, latch, list(covers)],
    )


def happens(
    desk: Desk, change: Change, rule: str, *devices: int, at: datetime, severity: Severity = Severity.MAJOR
) -> None:
    found = [Transition(change, rule, VERSION, device, severity, micros(at), {}) for device in devices]
    with desk.connection.transaction():
        alarm_store.record(desk.connection, found, at)


def number(desk: Desk, device_id: str) -> int:
    return int(rows(desk.connection, "SELECT id FROM device WHERE device_id = %s", device_id)[0][0])


def later(desk: Desk, now: datetime) -> None:
    """A round of the dispatcher."""
    with desk.connection.transaction():
        alarm_round.look_after(desk.connection, now)
    while desk.take_up(now):
        pass


def events(desk: Desk, rule: str) -> list[str]:
    query = "SELECT event FROM alarm_event JOIN alarm ON alarm.id = alarm_id WHERE rule_id = %s ORDER BY alarm_event.id"
    return [event for (event,) in rows(desk.connection, query, rule)]


def no_storms(desk: Desk) -> None:
    desk.connection.execute(
        "UPDATE city SET document = jsonb_set(document, '{alarms}', %s)",
        [Jsonb({"storm": {"begin": 0}})],
    )


# --- suppression by design ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("group_first", [True, False])
def test_a_dark_circuit_is_one_case_and_the_lamps_that_stay_dark_are_three_more(
    desk: Desk, lamps: list[int], *, group_first: bool
) -> None:
    no_storms(desk)
    know(desk, "SL-01")
    know(desk, "SL-02", covers=("SL-01",))
    circuit = number(desk, CIRCUIT)
    news = [("SL-02", [circuit]), ("SL-01", lamps)]
    for rule, devices in news if group_first else reversed(news):
        happens(desk, Change.RAISED, rule, *devices, at=FRIDAY)
    later(desk, FRIDAY)
    assert rows(desk.connection, STATES, "SL-01") == [("suppressed", 60)]
    assert rows(desk.connection, "SELECT device FROM dispatch_case") == [(circuit,)]
    why = rows(
        desk.connection,
        "SELECT DISTINCT detail->>'because', detail->>'rule' FROM alarm_event WHERE event = 'suppressed'",
    )
    assert why == [("group", "SL-02")]

    lit = FRIDAY + 30 * MINUTE
    happens(desk, Change.CLEARED, "SL-01", *lamps[3:], at=lit)
    happens(desk, Change.CLEARED, "SL-02", circuit, at=lit)
    later(desk, lit + MINUTE)
    assert rows(desk.connection, "SELECT count(*) FROM dispatch_case") == [(1,)]  # a moment to recover
    later(desk, lit + 6 * MINUTE)
    assert rows(desk.connection, STATES, "SL-01") == [("active", 3), ("over", 57)]
    dark = rows(desk.connection, "SELECT device FROM dispatch_case WHERE problem = 'lamp_dark' ORDER BY device")
    assert [device for (device,) in dark] == sorted(lamps[:3])


def test_the_silence_of_a_cabinet_explains_that_of_its_lamps_and_of_nothing_else(desk: Desk, lamps: list[int]) -> None:
    no_storms(desk)
    know(desk, "SL-07", source="silence")
    know(desk, "SL-04")
    cabinet = number(desk, "CAB-1")
    happens(desk, Change.RAISED, "SL-07", cabinet, *lamps, at=FRIDAY)
    happens(desk, Change.RAISED, "SL-04", lamps[0], at=FRIDAY)
    later(desk, FRIDAY)
    assert rows(desk.connection, STATES, "SL-07") == [("active", 1), ("suppressed", 60)]
    assert rows(desk.connection, STATES, "SL-04") == [("active", 1)]
    assert rows(desk.connection, "SELECT device FROM dispatch_case ORDER BY device") == sorted(
        [(cabinet,), (lamps[0],)]
    )


@pytest.mark.usefixtures("lamps")
def test_two_facilities_that_explain_each_other_do_not_both_fall_silent(desk: Desk) -> None:
    no_storms(desk)
    know(desk, "SL-07", source="silence")
    desk.connection.execute("UPDATE device SET gateway = 'lamp-1' WHERE device_id = 'CAB-1'")
    happens(desk, Change.RAISED, "SL-07", number(desk, "CAB-1"), number(desk, "lamp-1"), at=FRIDAY)
    later(desk, FRIDAY)
    assert rows(desk.connection, STATES, "SL-07") == [("active", 1), ("suppressed", 1)]


# --- out of service ----------------------------------------------------------------------------------------------


def permit(desk: Desk, target: str, since: datetime, until: datetime, kind: str = "maintenance") -> None:
    desk.connection.execute(
        """
        INSERT INTO permit (kind, target, valid_from, valid_to, holder, reason, granted_at, granted_by)
        VALUES (%s, %s, %s, %s, 'crew 7', 'new cover', %s, 'desk')
        """,
        [kind, target, since, until, since],
    )


@pytest.mark.parametrize(
    "target",
    [COVER_EAST, "road:Jiefang Road", "grid:420102001001001", "road_class:carriageway", "district:east", "city:all"],
)
def test_under_a_permit_alarms_are_on_record_and_still_open_at_its_end_is_a_new_alarm(desk: Desk, target: str) -> None:
    permit(desk, target, FRIDAY, FRIDAY + 60 * MINUTE)
    happens(desk, Change.RAISED, "MH-01", desk.number(COVER_EAST), at=FRIDAY + MINUTE)
    later(desk, FRIDAY + MINUTE)
    assert rows(desk.connection, STATES, "MH-01") == [("out of service", 1)]
    assert desk.numbers() == []
    later(desk, FRIDAY + 60 * MINUTE)
    assert events(desk, "MH-01") == ["raised", "taken_out", "put_back", "raised"]
    assert rows(desk.connection, "SELECT occurrences FROM alarm") == [(2,)]
    assert len(desk.numbers()) == 1


def test_what_clears_under_the_permit_needs_nobody(desk: Desk) -> None:
    permit(desk, COVER_EAST, FRIDAY, FRIDAY + 60 * MINUTE)
    for change, minute in ((Change.RAISED, 1), (Change.CLEARED, 50)):
        happens(desk, change, "MH-01", desk.number(COVER_EAST), at=FRIDAY + minute * MINUTE)
        later(desk, FRIDAY + minute * MINUTE)
    later(desk, FRIDAY + 60 * MINUTE)
    assert rows(desk.connection, STATES, "MH-01") == [("over", 1)]
    assert desk.numbers() == []


def test_an_alarm_of_the_time_of_a_permit_that_arrives_after_it_is_new_at_once_if_it_lasts(desk: Desk) -> None:
    permit(desk, COVER_EAST, FRIDAY, FRIDAY + 60 * MINUTE)
    happens(desk, Change.RAISED, "MH-01", desk.number(COVER_EAST), at=FRIDAY + 59 * MINUTE)
    later(desk, FRIDAY + 70 * MINUTE)
    later(desk, FRIDAY + 71 * MINUTE)
    assert events(desk, "MH-01") == ["raised", "taken_out", "put_back", "raised"]
    assert len(desk.numbers()) == 1


@pytest.mark.parametrize(
    ("target", "kind"), [(COVER_WEST, "maintenance"), ("district:west", "maintenance"), (COVER_EAST, "night_work")]
)
def test_a_permit_for_something_else_hushes_nothing(desk: Desk, target: str, kind: str) -> None:
    permit(desk, target, FRIDAY, FRIDAY + 60 * MINUTE, kind)
    happens(desk, Change.RAISED, "MH-01", desk.number(COVER_EAST), at=FRIDAY + MINUTE)
    later(desk, FRIDAY + MINUTE)
    assert len(desk.numbers()) == 1


def test_an_alarm_that_was_there_before_the_permit_is_taken_out_of_service_too(desk: Desk) -> None:
    happens(desk, Change.RAISED, "MH-01", desk.number(COVER_EAST), at=FRIDAY)
    later(desk, FRIDAY)
    permit(desk, COVER_EAST, FRIDAY + MINUTE, FRIDAY + 60 * MINUTE)
    later(desk, FRIDAY + 2 * MINUTE)
    assert rows(desk.connection, STATES, "MH-01") == [("out of service", 1)]


# --- chatter, reminders, storms ----------------------------------------------------------------------------------


def test_flapping_is_one_alarm_and_one_case_and_ends_after_quiet_time(desk: Desk) -> None:
    device = desk.number(COVER_EAST)
    second = timedelta(seconds=1)
    for flap in range(200):
        at = FRIDAY + flap * 18 * second
        happens(desk, Change.RAISED, "MH-01", device, at=at)
        happens(desk, Change.CLEARED, "MH-01", device, at=at + 9 * second)
        if flap == 50:
            with desk.connection.transaction():
                alarm_store.acknowledge(desk.connection, [("MH-01", device)], at, "crew 7")
    later(desk, at)
    assert rows(desk.connection, "SELECT active, chatter FROM alarm") == [(True, 200)]
    assert rows(desk.connection, "SELECT count(*) FROM case_event WHERE event = 'joined'") == [(2,)]
    later(desk, at + 16 * MINUTE)
    assert rows(desk.connection, "SELECT active, chatter FROM alarm") == [(False, 200)]
    assert events(desk, "MH-01")[-2:] == ["calmed", "cleared"]
    assert len(desk.numbers()) == 1


def test_an_alarm_that_nobody_answers_is_announced_again_and_not_for_ever(desk: Desk) -> None:
    happens(desk, Change.RAISED, "MH-01", desk.number(COVER_EAST), at=FRIDAY)
    for minute in range(0, 300, 5):
        later(desk, FRIDAY + minute * MINUTE)
    assert events(desk, "MH-01") == ["raised", "reminded", "reminded", "reminded"]
    told = rows(desk.connection, "SELECT at FROM case_event WHERE event = 'unanswered' ORDER BY id")
    assert [at for (at,) in told] == [FRIDAY + minute * MINUTE for minute in (30, 60, 90)]


def test_who_has_acknowledged_is_not_reminded(desk: Desk) -> None:
    device = desk.number(COVER_EAST)
    happens(desk, Change.RAISED, "MH-01", device, at=FRIDAY)
    with desk.connection.transaction():
        alarm_store.acknowledge(desk.connection, [("MH-01", device)], FRIDAY, "crew 7")
    later(desk, FRIDAY + 60 * MINUTE)
    assert events(desk, "MH-01") == ["raised", "acknowledged"]


def test_in_a_storm_minor_alarms_wait_in_one_case_and_critical_ones_go_on(desk: Desk, lamps: list[int]) -> None:
    for minute, lamp in enumerate(lamps[:8]):
        happens(desk, Change.RAISED, "SL-01", lamp, at=FRIDAY + minute * MINUTE, severity=Severity.MINOR)
        later(desk, FRIDAY + minute * MINUTE)
    assert alarm_round.raging(desk.connection) == {}
    now = FRIDAY + 8 * MINUTE
    happens(desk, Change.RAISED, "SL-01", *lamps[8:20], at=now, severity=Severity.MINOR)
    happens(desk, Change.RAISED, "MH-01", desk.number(COVER_EAST), at=now, severity=Severity.CRITICAL)
    happens(desk, Change.RAISED, "MH-01", desk.number(COVER_WEST), at=now, severity=Severity.MINOR)
    later(desk, now)
    (storm,) = alarm_round.raging(desk.connection).values()
    assert (storm.district, storm.held_back) == ("east", 12)
    cases = "SELECT problem, count(*) FROM dispatch_case GROUP BY 1 ORDER BY 1"
    assert rows(desk.connection, cases) == [("alarm_storm", 1), ("cover_open", 2), ("lamp_dark", 8)]
    unit = rows(
        desk.connection,
        "SELECT unit, device_id FROM dispatch_case JOIN device ON device.id = device WHERE problem = 'alarm_storm'",
    )
    assert unit == [("east-cg", "desk:east")]

    graver = now + 2 * MINUTE
    happens(desk, Change.ESCALATED, "SL-01", lamps[19], at=graver, severity=Severity.CRITICAL)
    later(desk, graver)
    assert rows(desk.connection, cases)[-1] == ("lamp_dark", 9)
    happens(desk, Change.CLEARED, "SL-01", *lamps[8:18], at=now + 5 * MINUTE)
    later(desk, now + 11 * MINUTE)
    assert alarm_round.raging(desk.connection) == {}
    assert rows(desk.connection, cases)[-1] == ("lamp_dark", 9)
    later(desk, now + 17 * MINUTE)
    assert rows(desk.connection, cases)[-1] == ("lamp_dark", 10)
    held = rows(
        desk.connection,
        """
        SELECT detail->>'held_back' FROM alarm_event JOIN alarm ON alarm.id = alarm_id
        WHERE event = 'cleared' AND rule_id = %s
        """,
        storms.RULE,
    )
    assert held == [("11",)]


def test_hushed_alarms_of_another_district_are_no_part_of_a_storm(desk: Desk, lamps: list[int]) -> None:
    permit(desk, "road:Jiefang Road", FRIDAY, FRIDAY + 60 * MINUTE)
    happens(desk, Change.RAISED, "SL-01", *lamps[:30], at=FRIDAY)
    happens(desk, Change.RAISED, "MH-01", desk.number(LAMP), desk.number(KITCHEN), at=FRIDAY)
    later(desk, FRIDAY)
    assert alarm_round.raging(desk.connection) == {}
