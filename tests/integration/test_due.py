"""Windows, groups and jobs on a real database: what is stored when they close, judged once, whoever dies when."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from devices.hearers import Hears
from devices.moments import micros
from devices.quality import Quality
from storage import judged_store, rule_states, worked_off
from storage.registry_store import import_devices, load_registry
from tests.integration.making import device_of, rows
from tests.integration.playing import LAMPS, METER, MINUTE, NINE, City, lamp, minutes

pytestmark = pytest.mark.each_server

LOUD = """
- id: W-01
  name: {en: loud, zh: 响}
  kind: noise
  input: window
  window: 10m
  raise: energy_mean(laeq) > limit.night
  for: {samples: 2}
  clear: energy_mean(laeq) < limit.night - 5
  severity: minor
  case: {problem: test, fix: 1d work}
  source: a test
- id: W-02
  name: {en: loud evening, zh: 晚间响}
  kind: noise
  input: window
  window: 1h
  raise: alarmed("W-01")
  severity: notice
  case: {problem: test, fix: 1d work}
  source: a test
"""
DARK = """
- id: G-01
  name: {en: dark circuit, zh: 回路不亮}
  kind: streetlight
  input: group
  group: circuit
  window: {length: 20m, every: 1m}
  member: last(active_power) < 10
  raise: hits >= 3 and hits >= 0.3 * known or run >= 5
  for: 5m
  clear: share <= 0.1
  severity: {default: major, critical: road_class == "main"}
  case: {problem: test, fix: 1d work}
  source: a test
"""
RATE = """
- id: J-01
  name: {en: lit rate, zh: 亮灯率}
  kind: streetlight
  input: job
  group: road
  at: "21:30"
  measure: lit_rate
  raise: lit_rate_strict < limit.lit_rate_main_road
  severity: minor
  case: {problem: test, fix: 1d work}
  source: a test
"""

LOUD_HALF_HOUR = ["W-01 4201020308000004 raised 21:30", "W-01 4201020308000004 cleared 21:50"]


def test_a_window_is_judged_on_what_is_stored_two_minutes_after_its_end(evening: City) -> None:
    evening.begin(LOUD, NINE)
    evening.sent(METER, minutes(0, 10, 40) + minutes(10, 20, 70), "laeq")
    evening.until(NINE + 21 * MINUTE)
    evening.sent(METER, minutes(20, 30, 70), "laeq")
    evening.until(NINE + 31 * MINUTE)
    assert evening.history() == []
    evening.until(NINE + 32 * MINUTE)
    assert evening.history() == LOUD_HALF_HOUR[:1]


def test_a_dispatcher_that_was_away_for_hours_goes_on_window_by_window(evening: City) -> None:
    evening.begin(LOUD, NINE)
    evening.sent(METER, minutes(0, 25, 70) + minutes(25, 40, 40) + minutes(40, 300, 40), "laeq")
    evening.until(NINE + 22 * MINUTE)
    assert evening.history() == ["W-01 4201020308000004 raised 21:20"]
    evening.begin(LOUD, NINE + 300 * MINUTE)
    evening.until(NINE + 300 * MINUTE)
    assert evening.history() == [
        "W-01 4201020308000004 raised 21:20",
        "W-01 4201020308000004 cleared 21:40",
        "W-02 4201020308000004 raised 22:00",
        "W-02 4201020308000004 cleared 23:00",
    ]
    before = rows(evening.connection, "SELECT count(*) FROM alarm_event")
    evening.begin(LOUD, NINE + 300 * MINUTE)
    evening.until(NINE + 300 * MINUTE)
    assert rows(evening.connection, "SELECT count(*) FROM alarm_event") == before, "every window is judged once"


@pytest.mark.parametrize("stops", [[30], [5, 12, 22, 31, 45], list(range(1, 70, 3))])
def test_wherever_a_dispatcher_is_stopped_the_history_is_the_same(evening: City, stops: list[int]) -> None:
    evening.begin(LOUD, NINE)
    evening.sent(METER, minutes(0, 10, 40) + minutes(10, 40, 70) + minutes(40, 80, 40), "laeq")
    for minute in [*stops, 90]:
        evening.begin(LOUD, NINE + minute * MINUTE)
        evening.until(NINE + minute * MINUTE)
    assert [line for line in evening.history() if line.startswith("W-01")] == LOUD_HALF_HOUR


def test_a_dispatcher_that_is_killed_in_a_commit_has_done_all_of_it_or_nothing(
    evening: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    evening.begin(LOUD, NINE)
    evening.sent(METER, minutes(0, 40, 70), "laeq")
    with monkeypatch.context() as patch:
        patch.setattr(judged_store, "save_judged", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            evening.until(NINE + 40 * MINUTE)
    assert evening.history() == []
    assert rule_states.load_states(evening.connection) == {}
    evening.begin(LOUD, NINE + 40 * MINUTE)
    evening.until(NINE + 40 * MINUTE)
    assert evening.history() == ["W-01 4201020308000004 raised 21:20"]


def test_late_readings_count_and_repeated_ones_do_not(evening: City) -> None:
    evening.begin(LOUD, NINE)
    evening.sent(METER, minutes(0, 20, 70), "laeq", quality=int(Quality.LATE))
    evening.sent(METER, minutes(20, 60, 70), "laeq", quality=int(Quality.REPEATED))
    evening.until(NINE + 70 * MINUTE)
    assert evening.history() == ["W-01 4201020308000004 raised 21:20", "W-02 4201020308000004 raised 22:00"]


def test_a_dark_circuit_is_one_alarm_of_the_circuit_that_names_its_lamps(lamp_road: City) -> None:
    lamp_road.begin(DARK, NINE)
    for number, name in enumerate(LAMPS):
        dark = 0.0 if number in {2, 3, 4, 5} else 100.0
        lamp_road.sent(name, minutes(0, 30, dark) + minutes(30, 90, 100.0), "active_power")
    lamp_road.until(NINE + 90 * MINUTE)
    assert lamp_road.history() == [
        "G-01 circuit:C-7:streetlight raised 21:06",
        "G-01 circuit:C-7:streetlight cleared 21:31",
    ]
    ((detail, severity),) = rows(
        lamp_road.connection, "SELECT detail, severity FROM alarm_event WHERE event = 'raised'"
    )
    assert detail["members"] == LAMPS[2:6]
    assert detail["values"] == {"hits": 4, "known": 12, "run": 4}
    assert severity == 4, "the group stands on its members' road"
    ((maintainer, road_class, lon),) = rows(
        lamp_road.connection, "SELECT maintainer, road_class, lon FROM device WHERE kind = 'group' AND name = 'C-7'"
    )
    assert (maintainer, road_class, round(lon, 4)) == ("sensor-care", "main", 114.3055)


def test_silent_lamps_are_unknown_and_neither_dark_nor_lit(lamp_road: City) -> None:
    lamp_road.begin(DARK, NINE)
    for name in LAMPS[:2]:
        lamp_road.sent(name, minutes(0, 60, 0.0), "active_power")
    lamp_road.until(NINE + 60 * MINUTE)
    assert lamp_road.history() == []


def test_a_group_is_described_anew_when_its_members_change(lamp_road: City) -> None:
    lamp_road.begin(DARK, NINE)
    assert "circuit:C-8:streetlight" not in lamp_road.registry.groups
    import_devices(lamp_road.connection, [lamp(11, circuit="C-8")], "test", NINE)
    lamp_road.registry = load_registry(lamp_road.connection, lamp_road.kinds)
    number = lamp_road.registry.groups["circuit:C-7:streetlight"].id
    lamp_road.begin(DARK, NINE)
    assert lamp_road.registry.groups["circuit:C-7:streetlight"].id == number
    assert len(lamp_road.registry.members("streetlight", ("circuit",))["circuit:C-7:streetlight"]) == 11


def test_a_job_asks_every_evening_and_for_the_evenings_it_missed(lamp_road: City) -> None:
    lamp_road.begin(RATE, NINE)
    day = timedelta(days=1)
    for number, name in enumerate(LAMPS):
        for days in range(3):
            power = 0.0 if number < 3 and days < 2 else 100.0
            lamp_road.sent(name, [(NINE + days * day, power)], "active_power", dim_level=100)
    lamp_road.until(NINE + 40 * MINUTE)
    silent = "J-01 road:Jiefang Road:streetlight raised 21:30"  # a lamp of the city that sends nothing
    assert lamp_road.history() == [silent, "J-01 road:East Road:streetlight raised 21:30"]
    lamp_road.begin(RATE, NINE + 2 * day + 40 * MINUTE)
    lamp_road.until(NINE + 2 * day + 40 * MINUTE)
    assert lamp_road.history()[2:] == ["J-01 road:East Road:streetlight cleared 21:30"]
    ((at, detail),) = rows(lamp_road.connection, "SELECT at, detail FROM alarm_event WHERE event = 'raised' AND id > 1")
    assert at == NINE + 30 * MINUTE
    assert detail["values"] == {"limit.lit_rate_main_road": 0.97, "lit_rate_strict": 0.75}


def test_windows_wait_for_the_partition_that_brings_their_readings_half_an_hour_at_most(evening: City) -> None:
    worked_off.save(evening.connection, device_of(evening.registry, METER).district, micros(NINE + 15 * MINUTE))
    evening.begin(LOUD, NINE)
    evening.sent(METER, minutes(0, 15, 70), "laeq")
    evening.until(NINE + 35 * MINUTE)
    assert evening.history() == [], "15 minutes are not stored yet"
    evening.sent(METER, minutes(15, 40, 70), "laeq")
    worked_off.save(evening.connection, device_of(evening.registry, METER).district, micros(NINE + 22 * MINUTE))
    evening.until(NINE + 36 * MINUTE)
    assert evening.history() == ["W-01 4201020308000004 raised 21:20"]
    evening.until(NINE + 91 * MINUTE)
    assert evening.history()[1:] == []
    evening.until(NINE + 92 * MINUTE)
    assert evening.history()[1:] == ["W-02 4201020308000004 raised 22:00"], "half an hour is enough"


def test_who_is_up_to_date_does_not_wait_for_a_partition_that_is_not(evening: City) -> None:
    worked_off.save(evening.connection, "elsewhere", micros(NINE))
    worked_off.save(evening.connection, device_of(evening.registry, METER).district, micros(NINE + 30 * MINUTE))
    evening.begin(LOUD, NINE)
    evening.sent(METER, minutes(0, 30, 70), "laeq")
    evening.until(NINE + 30 * MINUTE)
    assert evening.history() == ["W-01 4201020308000004 raised 21:20"]


def test_a_collector_whose_clock_is_ahead_closes_no_window_before_its_time(evening: City) -> None:
    worked_off.save(evening.connection, device_of(evening.registry, METER).district, micros(NINE + 24 * 60 * MINUTE))
    evening.begin(LOUD, NINE)
    evening.until(NINE + MINUTE)
    evening.sent(METER, minutes(0, 20, 70), "laeq")
    evening.until(NINE + 22 * MINUTE)
    assert evening.history() == ["W-01 4201020308000004 raised 21:20"]


def test_a_dispatcher_whose_clock_was_a_day_ahead_misses_nothing_once_it_is_right(evening: City) -> None:
    evening.begin(LOUD, NINE)
    evening.until(NINE + 24 * 60 * MINUTE)
    evening.begin(LOUD, NINE)
    evening.sent(METER, minutes(0, 20, 70), "laeq")
    evening.until(NINE + 22 * MINUTE)
    assert evening.history() == ["W-01 4201020308000004 raised 21:20"]


def test_windows_of_a_kind_that_waits_for_late_readings_wait_as_long(evening: City) -> None:
    evening.lateness = {"noise": 60_000_000}
    evening.begin(LOUD, NINE)
    evening.sent(METER, minutes(0, 30, 70), "laeq")
    evening.until(NINE + 22 * MINUTE)
    assert evening.history() == []
    evening.until(NINE + 23 * MINUTE)
    assert evening.history() == ["W-01 4201020308000004 raised 21:20"]


def test_the_alarm_of_a_group_without_members_is_over_and_says_why(lamp_road: City) -> None:
    lamp_road.begin(DARK, NINE)
    for name in LAMPS:
        lamp_road.sent(name, minutes(0, 60, 0.0), "active_power")
    lamp_road.until(NINE + 30 * MINUTE)
    assert lamp_road.history() == ["G-01 circuit:C-7:streetlight raised 21:06"]
    import_devices(lamp_road.connection, [lamp(number, "C-8") for number in range(12)], "rewired", NINE)
    lamp_road.registry = load_registry(lamp_road.connection, lamp_road.kinds)
    lamp_road.begin(DARK, NINE + 31 * MINUTE)
    lamp_road.until(NINE + 60 * MINUTE)
    assert "G-01 circuit:C-7:streetlight cleared 21:31" in lamp_road.history()
    ((detail,),) = rows(lamp_road.connection, "SELECT detail FROM alarm_event WHERE event = 'cleared'")
    assert detail == {"because": "no device belongs to the group any more"}
    assert "G-01 circuit:C-8:streetlight raised 21:34" in lamp_road.history(), "the lamps are as dark as before"


def test_who_was_behind_when_partitions_were_merged_misses_no_window(evening: City) -> None:
    put = replace(device_of(evening.registry, METER), device_id="meter-west", district="west")
    import_devices(evening.connection, [put], "a test", NINE)
    evening.registry = load_registry(evening.connection, evening.kinds)
    for district, minute in (("east", 30), ("west", 8)):
        worked_off.save(evening.connection, district, micros(NINE + minute * MINUTE))
    evening.begin(LOUD, NINE)
    for meter in (METER, "meter-west"):
        evening.sent(meter, minutes(0, 30, 70), "laeq")
    evening.until(NINE + 30 * MINUTE)
    assert evening.history() == ["W-01 4201020308000004 raised 21:20"]
    evening.heard_by = Hears(lambda _device: "all")
    evening.begin(LOUD, NINE + 31 * MINUTE)
    evening.until(NINE + 40 * MINUTE)
    assert evening.history()[1:] == ["W-01 meter-west raised 21:20"]
    evening.begin(LOUD, NINE + 41 * MINUTE)
    evening.until(NINE + 63 * MINUTE)
    assert evening.history()[2:] == [f"W-02 {meter} raised 22:00" for meter in (METER, "meter-west")]
