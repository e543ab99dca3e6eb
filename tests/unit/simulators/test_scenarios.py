"""Scenarios are read strictly, and become the same story for the same city and seed."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from devices.errors import DescriptionError
from devices.moments import MICROS
from simulators.city import build_city
from simulators.faults import HOUR, MINUTE, NATURES, FaultKind
from simulators.physics.daytime import LOCAL
from simulators.scenario import load_scenario, seconds, shipped
from simulators.telling import shortage, tell

CITY = build_city(seed=1)
KINDS = tuple(CITY.kinds)
MONDAY = datetime(2026, 11, 16, tzinfo=LOCAL)
MIDNIGHT = round(MONDAY.timestamp()) * MICROS
HEAD = 'title = "T"\ndoc = "D"\n'


def written(folder: Path, text: str, name: str = "own.toml") -> str:
    path = folder / name
    path.write_text(HEAD + text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", shipped())
def test_every_scenario_that_comes_along_can_be_told_of_the_usual_city(name: str) -> None:
    scenario = load_scenario(name, KINDS)
    story = tell(scenario, CITY, MONDAY, 1)
    assert scenario.title
    assert scenario.doc
    assert all(MIDNIGHT <= each.start < each.end for each in story.faults)
    assert len({each.label for each in story.faults}) == len(story.faults)
    assert story == tell(scenario, CITY, MONDAY, 1)
    assert not story.faults or story.faults != tell(scenario, CITY, MONDAY, 2).faults


def test_no_device_has_two_faults_at_a_time_unless_a_whole_group_is_struck() -> None:
    scenario = load_scenario("everything", KINDS)
    together = {entry.kind for entry in scenario.faults if entry.together}
    faults = [each for each in tell(scenario, CITY, MONDAY, 1).faults if each.kind not in together]
    for device in {name for each in faults for name in each.devices}:
        spans = sorted((each.start, each.end) for each in faults if device in each.devices)
        assert all(end + HOUR <= start for (_, end), (start, _) in pairwise(spans))


def test_everything_has_every_fault() -> None:
    kinds = {each.kind for each in load_scenario("everything", KINDS).faults}
    assert kinds == set(FaultKind)


def test_every_fault_says_what_should_be_noticed() -> None:
    quiet = {FaultKind.TRUCK_SHOCKS, FaultKind.WOK_SPIKES, FaultKind.POWER_CUT, FaultKind.SENSOR_SWAP}
    silent = {kind for kind, natures in NATURES.items() if not any(nature.expects for nature in natures)}
    assert silent == quiet


def test_days_and_times_are_local_and_a_plus_counts_from_the_start(tmp_path: Path) -> None:
    text = """
        fault = [
            { kind = "dark_lamp", count = 1, at = "d2 22:30", lasts = "90m" },
            { kind = "dark_lamp", count = 1, at = "+1.5h", lasts = "30s", every = "1d", times = 2 },
        ]
    """
    start = MONDAY + timedelta(hours=10)
    told = tell(load_scenario(written(tmp_path, text), KINDS), CITY, start, 1).faults
    day, begun = 24 * HOUR, MIDNIGHT + 10 * HOUR
    assert [(each.start, each.end - each.start) for each in told] == [
        (MIDNIGHT + day + 22 * HOUR + 30 * MINUTE, 90 * MINUTE),
        (begun + 90 * MINUTE, MINUTE // 2),
        (begun + day + 90 * MINUTE, MINUTE // 2),
    ]


def test_what_would_have_begun_before_the_start_is_left_out(tmp_path: Path) -> None:
    text = 'fault = [{ kind = "dark_lamp", count = 1, at = "d1 09:00", lasts = "5h", times = 2 }]'
    told = tell(load_scenario(written(tmp_path, text), KINDS), CITY, MONDAY + timedelta(hours=10), 1).faults
    assert [each.start for each in told] == [MIDNIGHT + 33 * HOUR]


def test_devices_are_chosen_by_where_they_are(tmp_path: Path) -> None:
    text = """
        [[fault]]
        kind = "dark_circuit"
        where = { district = "gaoxin", fullest = "circuit" }
        together = true
        at = "d1 20:00"
        lasts = "1h"

        [[fault]]
        kind = "cover_opened"
        share = 0.5
        where = { component_class = "0102", road_class = "carriageway" }
        at = "d1 20:00"
        lasts = "1h"
    """
    circuit, *covers = tell(load_scenario(written(tmp_path, text), KINDS), CITY, MONDAY, 1).faults
    lamps = [CITY.by_id[name] for name in circuit.devices]
    assert {lamp.district for lamp in lamps} == {"gaoxin"}
    assert len({lamp.circuit for lamp in lamps}) == 1
    assert len(lamps) == 12
    chosen = [CITY.by_id[name] for each in covers for name in each.devices]
    assert {(each.component_class, each.road_class) for each in chosen} == {("0102", "carriageway")}


def test_an_included_file_counts_once_and_what_includes_it_has_the_last_word(tmp_path: Path) -> None:
    written(
        tmp_path, '[transport.all]\nloss = 0.1\nlate = 0.2\n[[rain]]\nat="+1h"\nlasts="1h"\nmm_per_h=1\n', "base.toml"
    )
    written(tmp_path, 'include = ["base.toml"]\ndays = 3\n', "middle.toml")
    text = 'include = ["base.toml", "middle.toml"]\n[transport.all]\nloss = 0.3\n'
    scenario = load_scenario(written(tmp_path, text), KINDS)
    assert scenario.transport == {"all": {"loss": 0.3, "late": 0.2}}
    assert len(scenario.rains) == 1
    assert scenario.days == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fault = [", "own.toml"),
        ('[[fault]]\nkind = "dark_lamp"\nat = "d1 20:00"\nlasts = "1h"\nhowmany = 3', "howmany"),
        ('[[fault]]\nkind = "cover_eaten"\nat = "d1 20:00"\nlasts = "1h"', "cover_eaten"),
        ('[[fault]]\nkind = "dark_lamp"\nat = "tomorrow"\nlasts = "1h"', "fault[0].at"),
        ('[[fault]]\nkind = "dark_lamp"\nat = "d1 20:00"\nlasts = "1 week"', "fault[0].lasts"),
        ('[[fault]]\nkind = "dark_lamp"\ncount = 1\nshare = 0.1\nat = "+1s"\nlasts = "1h"', "count or share, not both"),
        ('[[fault]]\nkind = "dark_lamp"\ndevice_kind = "lamp"\nat = "+1s"\nlasts = "1h"', "'lamp' is not one of"),
        (
            '[[fault]]\nkind = "dark_lamp"\nat = "+1s"\nlasts = "1h"\nwhere = { fullest = "city" }',
            "fault[0].where.fullest",
        ),
        ("[transport.all]\nloss = 2", "transport.all.loss: 2 is out of range"),
        ("[transport.all]\nlosses = 0.2", "transport.all.losses: unknown; there are loss,"),
        ("[transport.lamp]\nloss = 0.2", "transport.lamp: not one of all,"),
        ('include = ["own.toml"]', "includes itself"),
        ('include = ["nothing"]', "no scenario 'nothing'; there are blackout,"),
        ('include = ["nothing.toml"]', "nothing.toml"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DescriptionError) as error:
        load_scenario(written(tmp_path, text), KINDS)
    assert said in str(error.value)
    assert ".toml" in str(error.value)


def test_a_city_without_such_a_device_is_too_small(tmp_path: Path) -> None:
    text = '[[fault]]\nkind = "dark_lamp"\nat = "+1s"\nlasts = "1h"\nwhere = { district = "atlantis" }'
    with pytest.raises(DescriptionError, match=r"01-dark_lamp: .* has none .*; not even --devices 1000 has"):
        tell(load_scenario(written(tmp_path, text), KINDS), CITY, datetime(2026, 11, 20, tzinfo=UTC), 1)


def test_a_city_that_is_too_small_for_a_scenario_is_told_how_many_devices_would_do(tmp_path: Path) -> None:
    small = build_city(1, 100)
    with pytest.raises(DescriptionError, match=r"03-crack_growth: the city of 100 .*; --devices 240 has enough"):
        tell(load_scenario("slow_bridge_decay", KINDS), small, MONDAY, 1)
    text = '[[fault]]\nkind = "square_music"\ncount = 6\nat = "d1 19:00"\nlasts = "1h"'
    scenario = load_scenario(written(tmp_path, text), KINDS)
    story = tell(scenario, small, MONDAY, 1)
    assert len(story.faults) == 3
    said = "100 devices are too few for 01-square_music (3 of 6); --devices 350 has enough for all of it"
    assert shortage(scenario, small, story, MONDAY, 1) == said
    assert shortage(scenario, CITY, tell(scenario, CITY, MONDAY, 1), MONDAY, 1) == ""


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("1.5h", 5400), ("2d", 172_800), ("10m", 600)])
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == value
