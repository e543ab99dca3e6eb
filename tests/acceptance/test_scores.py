"""Scores: what devices and people send when, and what must have come of it by when; rules, cases, clocks are real."""

import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from devices.device import Description
from devices.kind import Kind
from devices.registry import Registry
from storage import permit_store
from storage.permit_store import Permit
from storage.registry_store import import_city, import_devices
from tests.acceptance.stage import MINUTE, Stage
from tests.fix_city import CITY, IMPORTED
from tests.integration.desk import SHANGHAI
from tests.integration.making import COVER_EAST, KITCHEN, rows

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POLICY = 'dispatch = { arbiter = "bridges", settle_s = 60, observe = "2h natural" }\n'
FRIDAY = datetime(2026, 11, 20, 17, 30, tzinfo=SHANGHAI)


@pytest.fixture
def stage(dsn: str, connection: Connection, registry: Registry, kinds: dict[str, Kind]) -> Iterator[Stage]:
    del registry  # the city is imported
    import_city(connection, tomllib.loads(POLICY + CITY.read_text(encoding="utf-8")), "city.toml", IMPORTED)
    with Stage(dsn, kinds, FRIDAY - MINUTE, "MH-01", "MH-02") as begun:
        yield begun


def opened(stage: Stage, at: datetime = FRIDAY) -> str:
    """A cover in a carriageway is opened; the number of its case."""
    stage.reads(at, COVER_EAST, kind="event", open_state="open", tilt=62.5)
    (number,) = stage.cases("cover_open")
    return number


def shut(stage: Stage, since: datetime, until: datetime) -> None:
    """The cover lies well, and says so every ten minutes."""
    while since <= until:
        stage.reads(since, COVER_EAST, open_state="closed", tilt=0.5)
        since += 10 * MINUTE


def test_from_a_published_tilt_to_closed_by_evidence(stage: Stage) -> None:
    number = opened(stage)
    assert stage.told("drainage") == ["dispatch"], "within the same round"
    case = stage.file(number).case
    assert (case.severity, case.arrive_by, case.fix_by) == (4, FRIDAY + 30 * MINUTE, FRIDAY + 2 * HOUR)
    stage.works(number, FRIDAY + 20 * MINUTE)
    shut(stage, FRIDAY + 21 * MINUTE, FRIDAY + 31 * MINUTE)
    stage.until(FRIDAY + 32 * MINUTE)
    assert stage.story(number) == [
        "20 17:30 filed", "20 17:30 dispatch", "20 17:50 accept", "20 17:50 arrive", "20 17:50 finish",
        "20 17:50 verify", "20 18:01 alarm_cleared", "20 18:01 close",
    ]  # fmt: skip
    assert rows(stage.connection, "SELECT outcome, open FROM dispatch_case") == [("evidence", False)]
    assert stage.told("drainage")[-1] == "close"


def test_rework(stage: Stage) -> None:
    number = opened(stage)
    stage.works(number, FRIDAY + 20 * MINUTE)
    stage.reads(FRIDAY + 25 * MINUTE, COVER_EAST, kind="event", open_state="missing", tilt=120)
    case = stage.file(number).case
    assert (case.state, case.rework, case.done_at, case.fix_by) == ("accepted", 1, None, FRIDAY + 2 * HOUR)
    assert stage.sheets() == ["11-20 17:55 Y2026-00001"], "a failed check"
    stage.moves(FRIDAY + 30 * MINUTE).arrive(number)
    stage.moves(FRIDAY + HOUR).done(number, "a new cover")
    shut(stage, FRIDAY + 61 * MINUTE, FRIDAY + 71 * MINUTE)
    assert stage.file(number).case.state == "closed"
    assert stage.story(number)[-1] == "20 18:41 close"


def test_unverifiable(stage: Stage) -> None:
    number = opened(stage)
    stage.works(number, FRIDAY + 20 * MINUTE)
    until = FRIDAY + 20 * MINUTE + 49 * HOUR  # twice a cover's heartbeat of a day, and an hour
    stage.until(until - MINUTE)
    assert stage.file(number).case.state == "verifying"
    stage.until(until + MINUTE)
    assert stage.file(number).case.state == "unverifiable"
    assert stage.moves(until + HOUR, "li").confirm(number, "photos/cover.jpg") is None
    query = "SELECT state, outcome, photo FROM dispatch_case WHERE number = %s"
    assert rows(stage.connection, query, number) == [("closed", "supervisor", "photos/cover.jpg")]


def test_self_recovered(stage: Stage) -> None:
    number = opened(stage)
    shut(stage, FRIDAY + 5 * MINUTE, FRIDAY + 25 * MINUTE)
    assert stage.file(number).case.state == "observing", "well for ten minutes, and nobody has come"
    stage.until(FRIDAY + 15 * MINUTE + 2 * HOUR - MINUTE)
    assert stage.file(number).case.state == "observing"
    stage.until(FRIDAY + 15 * MINUTE + 2 * HOUR)
    assert rows(stage.connection, "SELECT state, outcome, done_at, found FROM dispatch_case") == [
        ("closed", "self_recovered", None, None)
    ]


def test_return_and_arbiter(stage: Stage) -> None:
    number = opened(stage)
    assert stage.moves(FRIDAY + 5 * MINUTE).give_back(number, "not our sewer") is None
    assert stage.file(number).case.unit == "east-cg", "the district decides"
    assert stage.moves(FRIDAY + 10 * MINUTE, "east").assign(number, "lighting", "their duct") is None
    assert stage.moves(FRIDAY + 15 * MINUTE).give_back(number, "no cable in it") is None
    assert stage.file(number).case.unit == "bridges", "the second time the arbiter does"
    assert stage.moves(FRIDAY + 20 * MINUTE, "arbiter").assign(number, "drainage", "it is a sewer") is None
    assert stage.moves(FRIDAY + 25 * MINUTE).give_back(number, "no") == "arbitrated"
    stage.until(FRIDAY + 2 * HOUR)
    assert stage.file(number).case.fix_by == FRIDAY + 2 * HOUR, "its clock has run on"
    colours = [sheet.split()[-1] for sheet in stage.sheets()]
    assert colours == ["Y2026-00001", "R2026-00001"], "nobody came in time, and then nobody took it on"
    assert {"dispatch", "assign", "sheet"} <= {*stage.told("drainage")}


def circuit(connection: Connection) -> list[str]:
    """Thirty-one lamps of one circuit on a main road, which report every quarter of an hour."""
    names = [f"42010201180000{number:02}" for number in range(10, 41)]
    lamps = [
        Description(
            device_id=name, kind="streetlight", name=name, district="west", grid="420102001001002", road="East Road",
            road_class="main", lon=114.3 + number / 1000, lat=30.6, circuit="C-7", component_class="0118",
            attributes={"rated_power": 100.0},
        )
        for number, name in enumerate(names)
    ]  # fmt: skip
    import_devices(connection, lamps, "test", IMPORTED)
    return names


@pytest.mark.usefixtures("registry")
def test_a_blackout_is_one_case_and_the_lamps_that_stay_dark_split_off(
    dsn: str, connection: Connection, kinds: dict[str, Kind]
) -> None:
    lamps, evening = circuit(connection), FRIDAY + 3 * HOUR
    with Stage(dsn, kinds, evening - HOUR, "SL-01", "SL-02") as stage:
        blackout(stage, lamps, evening)


def blackout(stage: Stage, lamps: list[str], evening: datetime) -> None:
    for minute in range(-15, 50, 15):
        stage.reads(evening + minute * MINUTE, *lamps, active_power=100 if minute < 0 else 0, dim_level=100)
    (parent,) = stage.cases("lamps_dark")
    case = stage.file(parent).case
    assert (case.device_id, case.severity, case.unit) == ("circuit:C-7:streetlight", 4, "lighting")
    assert case.opened_at <= evening + 15 * MINUTE
    assert (stage.cases("lamp_dark"), stage.told("lighting").count("dispatch")) == ([], 1), "one case, one message"

    stage.works(parent, evening + 50 * MINUTE)
    mended = evening + 55 * MINUTE
    for minute in range(0, 61, 15):
        stage.reads(mended + minute * MINUTE, *lamps[3:], active_power=100, dim_level=100)
        stage.reads(mended + minute * MINUTE, *lamps[:3], active_power=0, dim_level=100)
    life = rows(stage.connection, "SELECT state, outcome FROM dispatch_case WHERE number = %s", parent)
    assert life == [("closed", "evidence")], "three of thirty-one are lamps, not a circuit"
    split = [stage.file(number).case for number in stage.cases("lamp_dark")]
    assert sorted((each.device_id, each.state) for each in split) == [(name, "dispatched") for name in lamps[:3]]


@pytest.mark.usefixtures("registry")
def test_a_blackout_among_lamps_that_report_every_five_minutes_is_one_message(
    dsn: str, connection: Connection, kinds: dict[str, Kind]
) -> None:
    """Each lamp at its minute; the first are dark for ten minutes before anybody can know of the circuit."""
    lamps, evening = circuit(connection), FRIDAY + 3 * HOUR
    with Stage(dsn, kinds, evening - HOUR, "SL-01", "SL-02") as stage:
        for minute in range(-5, 15):
            power = 100 if minute < 0 else 0
            stage.reads(evening + minute * MINUTE, *lamps[minute % 5 :: 5], active_power=power, dim_level=100)
        query = "SELECT min(seen_at) FROM alarm_event JOIN alarm ON alarm.id = alarm_id WHERE rule_id = %s"
        assert rows(connection, query, "SL-01") == [(evening + 10 * MINUTE,)]
        assert rows(connection, query, "SL-02") == [(evening + 12 * MINUTE,)]
        assert (len(stage.cases("lamps_dark")), stage.told("lighting")) == (1, ["dispatch"])


def test_a_cover_still_open_when_its_permit_ends_is_a_new_alarm(stage: Stage) -> None:
    permit = Permit(
        kind="maintenance", target=COVER_EAST, valid_from=FRIDAY, valid_to=FRIDAY + HOUR, holder="crew 7",
        reason="new cover",
    )  # fmt: skip
    permit_store.grant(stage.connection, permit, at=FRIDAY, actor="desk")
    stage.reads(FRIDAY + 10 * MINUTE, COVER_EAST, kind="event", open_state="open", tilt=62.5)
    stage.until(FRIDAY + 59 * MINUTE)
    assert stage.cases("cover_open") == [], "nobody is sent to the crew that is there"
    stage.until(FRIDAY + 61 * MINUTE)
    (number,) = stage.cases("cover_open")
    assert stage.story(number)[0] == "20 18:30 filed"
    assert stage.told("drainage") == ["dispatch"]


@pytest.mark.usefixtures("registry")
def test_colours_across_a_holiday_week(dsn: str, kinds: dict[str, Kind]) -> None:
    """Two office hours from half past four before National Day: 1 to 7 October are off, the 8th works from eight."""
    start = datetime(2026, 9, 30, 16, 30, tzinfo=SHANGHAI)
    with Stage(dsn, kinds, start - 10 * MINUTE, "FU-03") as stage:
        for minute in range(-5, 6):
            stage.reads(start + minute * MINUTE, KITCHEN, fan_on=True, purifier_on=False, fume=1.0)
        (number,) = stage.cases("purifier_off")
        assert stage.file(number).case.fix_by == datetime(2026, 10, 8, 8, 30, tzinfo=SHANGHAI)
        stage.moves(start + 6 * MINUTE).accept(number)
        stage.until(datetime(2026, 10, 8, 8, tzinfo=SHANGHAI))
        assert stage.sheets() == []
        for hour in (9, 15):
            stage.until(datetime(2026, 10, 8, hour, tzinfo=SHANGHAI))
        assert stage.sheets() == ["10-08 08:06 W2026-00001", "10-08 08:30 Y2026-00001", "10-08 14:30 R2026-00001"]


def test_regression(stage: Stage) -> None:
    number = opened(stage)
    stage.works(number, FRIDAY + 20 * MINUTE)
    shut(stage, FRIDAY + 21 * MINUTE, FRIDAY + 41 * MINUTE)
    assert stage.file(number).case.state == "closed"
    shut(stage, FRIDAY + DAY, FRIDAY + DAY + 20 * MINUTE)
    again = FRIDAY + 3 * DAY
    assert opened(stage, again) == number, "the same case, not another one"
    case = stage.file(number).case
    assert (case.state, case.rework, case.fix_by, case.opened_at) == ("dispatched", 1, again + 2 * HOUR, FRIDAY)
    assert stage.story(number)[-1] == "23 17:30 reopen"
