"""Windows, groups and jobs on a real database: what is stored when they close, judged once, whoever dies when.

Longer than others: all that comes due is played in one city by one clock that is set by hand, and the measures that
jobs ask for are asked in the same city.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from psycopg import Connection

from cityward.due import DueRules
from devices.kind import Kind
from devices.moments import micros
from devices.quality import Quality
from devices.registry import Description, Device, Registry
from rules.jobs import Moments
from rules.local_time import LocalTime
from rules.measures import load_measures
from rules.packs import load_packs
from rules.rule import Rule
from storage import judged_store, measures, reading_writer, rule_states, worked_off
from storage.registry_store import import_devices, load_registry, register_groups
from tests.integration.making import Hands, device_of, readings, rows

LOCAL = LocalTime(ZoneInfo("Asia/Shanghai"))
NINE = datetime(2026, 11, 21, 13, tzinfo=UTC)  # 21:00 in the city
MINUTE = timedelta(minutes=1)
LAMPS = [f"lamp-{number:02}" for number in range(12)]
KITCHEN = "4201020380000003"
METER = "4201020308000004"

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


class City:
    """A dispatcher's view of the database, with a clock that is set by hand."""

    def __init__(self, connection: Connection, kinds: Mapping[str, Kind], folder: Path) -> None:
        self.connection, self.kinds, self.folder = connection, kinds, folder
        self.registry = load_registry(connection, kinds)
        self.rules: list[Rule] = []
        self.due: DueRules | None = None
        self.heard_by: Callable[[Device], str | None] = lambda _: None
        self.lateness: dict[str, int] = {}

    def begin(self, pack: str, at: datetime) -> None:
        """A dispatcher starts, perhaps again, with these rules."""
        (self.folder / "test.yaml").write_text(pack, encoding="utf-8")
        self.rules = load_packs(self.kinds, self.folder)
        groupings = [(rule.kind, rule.group) for rule in self.rules if rule.group]
        register_groups(self.connection, self.registry, groupings, at)
        self.registry = load_registry(self.connection, self.kinds)
        self.clock = Hands(at)
        self.due = DueRules(
            self.connection,
            self.rules,
            self.registry,
            LOCAL,
            load_measures(),
            self.clock,
            heard_by=self.heard_by,
            lateness=self.lateness,
        )

    def until(self, at: datetime) -> None:
        """Time passes, a minute at a time would do no better."""
        assert self.due is not None
        self.clock.at = at
        while self.due.judge():
            pass

    def sent(self, device_id: str, series: Iterable[tuple[datetime, float]], metric: str, **more: float) -> None:
        device = device_of(self.registry, device_id)
        table = readings(
            self.kinds[device.kind],
            *({"device": device.id, "ts": micros(at), metric: value, **more} for at, value in series),
        )
        with self.connection.transaction():
            assert reading_writer.write(self.connection, table).fresh.all()

    def history(self) -> list[str]:
        found = rows(
            self.connection,
            "SELECT rule_id, device_id, event, at FROM alarm_event JOIN alarm ON alarm.id = alarm_id"
            " JOIN device ON device.id = alarm.device ORDER BY alarm_event.id",
        )
        return [f"{rule} {device} {event} {at.astimezone(LOCAL.zone):%H:%M}" for rule, device, event, at in found]


@pytest.fixture
def city(connection: Connection, registry: Registry, kinds: dict[str, Kind], tmp_path: Path) -> City:
    del registry  # imported
    return City(connection, kinds, tmp_path)


def minutes(start: int, end: int, value: float) -> list[tuple[datetime, float]]:
    """A value a minute, counted from 21:00."""
    return [(NINE + minute * MINUTE, value) for minute in range(start, end)]


LOUD_HALF_HOUR = ["W-01 4201020308000004 raised 21:30", "W-01 4201020308000004 cleared 21:50"]


def test_a_window_is_judged_on_what_is_stored_two_minutes_after_its_end(city: City) -> None:
    city.begin(LOUD, NINE)
    city.sent(METER, minutes(0, 10, 40) + minutes(10, 20, 70), "laeq")
    city.until(NINE + 21 * MINUTE)
    city.sent(METER, minutes(20, 30, 70), "laeq")
    city.until(NINE + 31 * MINUTE)
    assert city.history() == []
    city.until(NINE + 32 * MINUTE)
    assert city.history() == LOUD_HALF_HOUR[:1]


def test_a_dispatcher_that_was_away_for_hours_goes_on_window_by_window(city: City) -> None:
    city.begin(LOUD, NINE)
    city.sent(METER, minutes(0, 25, 70) + minutes(25, 40, 40) + minutes(40, 300, 40), "laeq")
    city.until(NINE + 22 * MINUTE)
    assert city.history() == ["W-01 4201020308000004 raised 21:20"]
    city.begin(LOUD, NINE + 300 * MINUTE)
    city.until(NINE + 300 * MINUTE)
    assert city.history() == [
        "W-01 4201020308000004 raised 21:20",
        "W-01 4201020308000004 cleared 21:40",
        "W-02 4201020308000004 raised 22:00",
        "W-02 4201020308000004 cleared 23:00",
    ]
    before = rows(city.connection, "SELECT count(*) FROM alarm_event")
    city.begin(LOUD, NINE + 300 * MINUTE)
    city.until(NINE + 300 * MINUTE)
    assert rows(city.connection, "SELECT count(*) FROM alarm_event") == before, "every window is judged once"


@pytest.mark.parametrize("stops", [[30], [5, 12, 22, 31, 45], list(range(1, 70, 3))])
def test_wherever_a_dispatcher_is_stopped_the_history_is_the_same(city: City, stops: list[int]) -> None:
    city.begin(LOUD, NINE)
    city.sent(METER, minutes(0, 10, 40) + minutes(10, 40, 70) + minutes(40, 80, 40), "laeq")
    for minute in [*stops, 90]:
        city.begin(LOUD, NINE + minute * MINUTE)
        city.until(NINE + minute * MINUTE)
    assert [line for line in city.history() if line.startswith("W-01")] == LOUD_HALF_HOUR


def test_a_dispatcher_that_is_killed_in_a_commit_has_done_all_of_it_or_nothing(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.begin(LOUD, NINE)
    city.sent(METER, minutes(0, 40, 70), "laeq")
    with monkeypatch.context() as patch:
        patch.setattr(judged_store, "save_judged", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            city.until(NINE + 40 * MINUTE)
    assert city.history() == []
    assert rule_states.load_states(city.connection) == {}
    city.begin(LOUD, NINE + 40 * MINUTE)
    city.until(NINE + 40 * MINUTE)
    assert city.history() == ["W-01 4201020308000004 raised 21:20"]


def test_late_readings_count_and_repeated_ones_do_not(city: City) -> None:
    city.begin(LOUD, NINE)
    city.sent(METER, minutes(0, 20, 70), "laeq", quality=int(Quality.LATE))
    city.sent(METER, minutes(20, 60, 70), "laeq", quality=int(Quality.REPEATED))
    city.until(NINE + 70 * MINUTE)
    assert city.history() == ["W-01 4201020308000004 raised 21:20", "W-02 4201020308000004 raised 22:00"]


def lamp(number: int, circuit: str = "C-7") -> Description:
    return Description(
        device_id=LAMPS[number], kind="streetlight", name="", district="west", grid="420102001001002", road="East Road",
        road_class="main", lon=114.3 + number / 1000, lat=30.6, circuit=circuit, component_class="0118",
        maintainer="sensor-care", attributes={"rated_power": 100.0},
    )  # fmt: skip


@pytest.fixture
def lamps(connection: Connection, city: City) -> City:
    import_devices(connection, [lamp(number) for number in range(12)], "test", NINE)
    city.registry = load_registry(connection, city.kinds)
    return city


def test_a_dark_circuit_is_one_alarm_of_the_circuit_that_names_its_lamps(lamps: City) -> None:
    lamps.begin(DARK, NINE)
    for number, name in enumerate(LAMPS):
        dark = 0.0 if number in {2, 3, 4, 5} else 100.0
        lamps.sent(name, minutes(0, 30, dark) + minutes(30, 90, 100.0), "active_power")
    lamps.until(NINE + 90 * MINUTE)
    assert lamps.history() == [
        "G-01 circuit:C-7:streetlight raised 21:06",
        "G-01 circuit:C-7:streetlight cleared 21:31",
    ]
    ((detail, severity),) = rows(lamps.connection, "SELECT detail, severity FROM alarm_event WHERE event = 'raised'")
    assert detail["members"] == LAMPS[2:6]
    assert detail["values"] == {"hits": 4, "known": 12, "run": 4}
    assert severity == 4, "the group stands on its members' road"
    ((maintainer, road_class, lon),) = rows(
        lamps.connection, "SELECT maintainer, road_class, lon FROM device WHERE kind = 'group' AND name = 'C-7'"
    )
    assert (maintainer, road_class, round(lon, 4)) == ("sensor-care", "main", 114.3055)


def test_silent_lamps_are_unknown_and_neither_dark_nor_lit(lamps: City) -> None:
    lamps.begin(DARK, NINE)
    for name in LAMPS[:2]:
        lamps.sent(name, minutes(0, 60, 0.0), "active_power")
    lamps.until(NINE + 60 * MINUTE)
    assert lamps.history() == []


def test_a_group_is_described_anew_when_its_members_change(lamps: City) -> None:
    lamps.begin(DARK, NINE)
    assert "circuit:C-8:streetlight" not in lamps.registry.groups
    import_devices(lamps.connection, [lamp(11, circuit="C-8")], "test", NINE)
    lamps.registry = load_registry(lamps.connection, lamps.kinds)
    number = lamps.registry.groups["circuit:C-7:streetlight"].id
    lamps.begin(DARK, NINE)
    assert lamps.registry.groups["circuit:C-7:streetlight"].id == number
    assert len(lamps.registry.members("streetlight", ("circuit",))["circuit:C-7:streetlight"]) == 11


def test_a_job_asks_every_evening_and_for_the_evenings_it_missed(lamps: City) -> None:
    lamps.begin(RATE, NINE)
    day = timedelta(days=1)
    for number, name in enumerate(LAMPS):
        for days in range(3):
            power = 0.0 if number < 3 and days < 2 else 100.0
            lamps.sent(name, [(NINE + days * day, power)], "active_power", dim_level=100)
    lamps.until(NINE + 40 * MINUTE)
    silent = "J-01 road:Jiefang Road:streetlight raised 21:30"  # a lamp of the city that sends nothing
    assert lamps.history() == [silent, "J-01 road:East Road:streetlight raised 21:30"]
    lamps.begin(RATE, NINE + 2 * day + 40 * MINUTE)
    lamps.until(NINE + 2 * day + 40 * MINUTE)
    assert lamps.history()[2:] == ["J-01 road:East Road:streetlight cleared 21:30"]
    ((at, detail),) = rows(lamps.connection, "SELECT at, detail FROM alarm_event WHERE event = 'raised' AND id > 1")
    assert at == NINE + 30 * MINUTE
    assert detail["values"] == {"limit.lit_rate_main_road": 0.97, "lit_rate_strict": 0.75}


def asked(city: City, name: str, kind: str, by: str, at: datetime) -> dict[str, Mapping[str, float | None]]:
    """The figures of a measure by the name of the group."""
    register_groups(city.connection, city.registry, [(kind, (by,))], at)
    city.registry = load_registry(city.connection, city.kinds)
    found = measures.ask(
        city.connection, load_measures()[name], kind, city.registry.membership(kind, (by,)), city.registry, LOCAL,
        Moments.of(LOCAL, micros(at)),
    )  # fmt: skip
    return {group.name: found[group.id] for group in city.registry.groups.values() if group.id in found}


def test_silent_lamps_count_as_dark_strictly_and_lamps_commanded_off_do_not_count(lamps: City) -> None:
    for name in LAMPS[:8]:
        lamps.sent(name, [(NINE - MINUTE, 90.0)], "active_power", dim_level=100)
    lamps.sent(LAMPS[8], [(NINE - MINUTE, 0.0)], "active_power", dim_level=100)
    lamps.sent(LAMPS[9], [(NINE - MINUTE, 0.0)], "active_power", dim_level=0, dim_command=0)
    figures = asked(lamps, "lit_rate", "streetlight", "road", NINE)["East Road"]
    assert figures == {
        "lamps": 11,
        "known": 9,
        "lit": 8,
        "lit_rate_strict": pytest.approx(8 / 11),
        "lit_rate_known": pytest.approx(8 / 9),
    }


def test_a_night_complies_by_its_energy_and_counts_with_three_quarters_of_its_minutes(city: City) -> None:
    first_of_month = datetime(2026, 10, 31, 14, tzinfo=UTC)  # 22:00
    for night, (count, level) in enumerate([(480, 45.0), (480, 55.0), (300, 45.0)]):
        begun = first_of_month + timedelta(days=night)
        city.sent(METER, [(begun + minute * MINUTE, level) for minute in range(count)], "laeq")
    at = datetime(2026, 11, 5, 0, tzinfo=UTC)
    assert asked(city, "night_compliance", "noise", "city", at) == {
        "all": {"valid_nights": 2, "compliant_nights": 1, "night_compliance": 0.5}
    }


def test_area_noise_is_the_mean_over_points_of_the_day_that_ended_last(city: City) -> None:
    ten_in_the_morning = datetime(2026, 11, 20, 2, tzinfo=UTC)
    city.sent(METER, [(ten_in_the_morning, 50.0), (ten_in_the_morning + MINUTE, 60.0)], "laeq")
    at = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)  # 22:30
    figures = asked(city, "area_noise_mean", "noise", "district", at)["east"]
    assert figures == {"points": 1, "day_mean": pytest.approx(57.4, abs=0.01)}


@pytest.mark.parametrize("name", sorted(load_measures()))
def test_a_query_answers_with_the_figures_that_its_measure_describes(lamps: City, name: str) -> None:
    measure = load_measures()[name]
    kind = measure.kind or "streetlight"
    lamps.sent(METER, minutes(0, 480, 50), "laeq")
    at = NINE + timedelta(hours=26)
    for figures in asked(lamps, name, kind, "city", at).values():
        assert set(figures) == set(measure.figures.position)


def heard_by_district(device: Device) -> str:
    return device.district


def test_windows_wait_for_the_partition_that_brings_their_readings_half_an_hour_at_most(city: City) -> None:
    city.heard_by = heard_by_district
    worked_off.save(city.connection, device_of(city.registry, METER).district, micros(NINE + 15 * MINUTE))
    city.begin(LOUD, NINE)
    city.sent(METER, minutes(0, 15, 70), "laeq")
    city.until(NINE + 35 * MINUTE)
    assert city.history() == [], "15 minutes are not stored yet"
    city.sent(METER, minutes(15, 40, 70), "laeq")
    worked_off.save(city.connection, device_of(city.registry, METER).district, micros(NINE + 22 * MINUTE))
    city.until(NINE + 36 * MINUTE)
    assert city.history() == ["W-01 4201020308000004 raised 21:20"]
    city.until(NINE + 91 * MINUTE)
    assert city.history()[1:] == []
    city.until(NINE + 92 * MINUTE)
    assert city.history()[1:] == ["W-02 4201020308000004 raised 22:00"], "half an hour is enough"


def test_who_is_up_to_date_does_not_wait_for_a_partition_that_is_not(city: City) -> None:
    city.heard_by = heard_by_district
    worked_off.save(city.connection, "elsewhere", micros(NINE))
    worked_off.save(city.connection, device_of(city.registry, METER).district, micros(NINE + 30 * MINUTE))
    city.begin(LOUD, NINE)
    city.sent(METER, minutes(0, 30, 70), "laeq")
    city.until(NINE + 30 * MINUTE)
    assert city.history() == ["W-01 4201020308000004 raised 21:20"]


def test_windows_of_a_kind_that_waits_for_late_readings_wait_as_long(city: City) -> None:
    city.lateness = {"noise": 60_000_000}
    city.begin(LOUD, NINE)
    city.sent(METER, minutes(0, 30, 70), "laeq")
    city.until(NINE + 22 * MINUTE)
    assert city.history() == []
    city.until(NINE + 23 * MINUTE)
    assert city.history() == ["W-01 4201020308000004 raised 21:20"]


def test_the_alarm_of_a_group_without_members_is_over_and_says_why(lamps: City) -> None:
    lamps.begin(DARK, NINE)
    for name in LAMPS:
        lamps.sent(name, minutes(0, 60, 0.0), "active_power")
    lamps.until(NINE + 30 * MINUTE)
    assert lamps.history() == ["G-01 circuit:C-7:streetlight raised 21:06"]
    import_devices(lamps.connection, [lamp(number, "C-8") for number in range(12)], "rewired", NINE)
    lamps.registry = load_registry(lamps.connection, lamps.kinds)
    lamps.begin(DARK, NINE + 31 * MINUTE)
    lamps.until(NINE + 60 * MINUTE)
    assert "G-01 circuit:C-7:streetlight cleared 21:31" in lamps.history()
    ((detail,),) = rows(lamps.connection, "SELECT detail FROM alarm_event WHERE event = 'cleared'")
    assert detail == {"because": "no device belongs to the group any more"}
    assert "G-01 circuit:C-8:streetlight raised 21:34" in lamps.history(), "the lamps are as dark as before"
