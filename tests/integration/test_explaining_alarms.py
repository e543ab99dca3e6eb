"""cityward alarms explain: what an alarm was judged on, whatever its rule looks at, and the same judged again."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alarms import storms
from cityward.due import DueRules
from devices.hearers import DISTRICTS
from devices.kind import Kind
from devices.moments import micros
from devices.registry import Registry
from rules.local_time import LocalTime
from rules.measures import load_measures
from rules.packs import load_packs
from rules.rule import Severity
from rules.silence import Heard, watch
from rules.spells import NONE
from storage import alarm_round, alarm_store, permit_store, rule_texts
from storage.alarm_list import list_alarms
from storage.registry_store import load_registry, register_groups
from tests.fix_city import payload, topic_of
from tests.integration.collecting import collect
from tests.integration.desk import Desk
from tests.integration.making import COVER_EAST, COVER_WEST, LAMP, Hands
from tests.integration.prompt import START, Command

pytestmark = pytest.mark.each_server

MINUTE = timedelta(minutes=1)
LOCAL = LocalTime(ZoneInfo("Asia/Shanghai"))
METER = "4201020308000004"
CASE = "  case: {problem: test, fix: 1d work}\n  source: a test\n"
LOUD = f"""
- id: W-01
  name: {{en: loud, zh: 响}}
  kind: noise
  input: window
  window: 10m
  raise: energy_mean(laeq) > limit.day
  for: {{samples: 2}}
  severity: minor
{CASE}"""
DARK = f"""
- id: G-01
  name: {{en: dark, zh: 不亮}}
  kind: streetlight
  input: group
  group: district
  window: 10m
  member: last(active_power) < 10
  raise: hits >= 1 and share > 0.4
  severity: major
{CASE}"""
RATE = f"""
- id: J-01
  name: {{en: lit rate, zh: 亮灯率}}
  kind: streetlight
  input: job
  group: district
  at: "17:20"
  measure: lit_rate
  raise: lit_rate_strict < limit.lit_rate_main
  for: {{samples: 2}}
  severity: minor
{CASE}"""
Judged = Callable[..., None]
Told = Callable[[str], Any]


@pytest.fixture
def judged(desk: Desk, kinds: Mapping[str, Kind], tmp_path: Path) -> Judged:
    """A dispatcher with this pack judges the hours before the start."""

    def judge(pack: str, hours: int = 1) -> None:
        folder = tmp_path / "packs"
        folder.mkdir()
        (folder / "test.yaml").write_text(pack, encoding="utf-8")
        rules = load_packs(kinds, folder)
        clock = Hands(START - timedelta(hours=hours))
        register_groups(
            desk.connection,
            load_registry(desk.connection, kinds),
            [(rule.kind, rule.group) for rule in rules if rule.group],
            clock.at,
        )
        rule_texts.keep(desk.connection, rules, clock.at)
        registry = load_registry(desk.connection, kinds)
        due = DueRules(
            desk.connection, rules, registry, LOCAL, load_measures(), clock, NONE, heard_by=DISTRICTS, lateness={}
        )
        clock.at = START
        while due.judge():
            pass

    return judge


@pytest.fixture
def told(desk: Desk, cityward: Command) -> Told:
    """The explanation of the only alarm of a rule, as JSON; as text it is printed without an error."""

    def explain(rule: str) -> Any:
        (number,) = [alarm.id for alarm in list_alarms(desk.connection, rule=rule)]
        shown = cityward("alarms", "explain", number)
        assert shown.exit_code == 0, shown.exception
        found = json.loads(cityward("alarms", "explain", number, "--json").output)
        return {**found, "shown": shown.output}

    return explain


def stored(desk: Desk, kind: str, device_id: str, metric: str, values: Mapping[int, float]) -> None:
    """Readings so many minutes from the start."""
    with desk.connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO reading_{kind} (device, ts, received_at, quality, type, {metric})".encode()
            + b" SELECT id, %(ts)s, %(ts)s, 0, 0, %(value)s FROM device WHERE device_id = %(id)s",
            [{"id": device_id, "ts": START + minute * MINUTE, "value": value} for minute, value in values.items()],
        )


def test_a_window_is_explained_by_its_values_and_how_complete_it_is(desk: Desk, judged: Judged, told: Told) -> None:
    """Of the second loud window half is missing."""
    stored(desk, "noise", METER, "laeq", dict.fromkeys([*range(-30, -20), *range(-20, -15)], 70.0))
    judged(LOUD)
    found = told("W-01")
    window = found["judged_on"]
    assert (window["readings"], window["expected"], window["complete"]) == (5, 10.0, 0.5)
    assert window["values_now"]["energy_mean(laeq)"] == pytest.approx(70)
    assert found["raised"]["samples"] == 2
    assert found["rule"]["delays"] == ["2 times in a row"]
    assert found["replay"] == {"possible": True, "why": "", "differences": []}
    assert "5 of 10 expected (50%), 0 with doubts" in found["shown"]
    stored(desk, "noise", METER, "laeq", dict.fromkeys(range(-15, -10), 20.0))
    assert told("W-01")["replay"]["differences"] == [], "half of the energy is still too much"
    desk.connection.execute("UPDATE reading_noise SET laeq = 50")
    again = told("W-01")
    assert again["replay"]["differences"] == ["nothing would be raised"]
    assert again["judged_on"]["values_now"]["energy_mean(laeq)"] == pytest.approx(47, abs=3)


def test_a_group_is_explained_by_its_members(desk: Desk, judged: Judged, told: Told) -> None:
    stored(desk, "streetlight", LAMP, "active_power", {-25: 1.0})
    judged(DARK)
    found = told("G-01")
    assert found["judged_on"]["by"] == "district"
    assert found["judged_on"]["members"] == [
        {"device": LAMP, "state": "hit", "values": {"last(active_power)": 1.0}},
    ]
    assert found["raised"]["values"]["share"] == 1.0
    assert found["replay"]["differences"] == []
    assert "Of 1 members: 1 hit, 0 not hit, 0 unknown, 0 silent" in found["shown"]
    desk.connection.execute("UPDATE reading_streetlight SET active_power = 100")
    again = told("G-01")
    assert again["judged_on"]["members"][0]["state"] == "not hit"
    assert again["replay"]["differences"] == ["nothing would be raised"]


def test_a_job_is_explained_by_its_figures_asked_again(desk: Desk, judged: Judged, told: Told) -> None:
    stored(desk, "streetlight", LAMP, "active_power", {-25: 0.0, -25 - 24 * 60: 0.0})
    judged(RATE, hours=25)
    found = told("J-01")
    figures = {each["name"]: each["now"] for each in found["judged_on"]["figures"]}
    assert (figures["lamps"], figures["lit"], figures["lit_rate_strict"]) == (1.0, 0.0, 0.0)
    assert [each["name"] for each in found["limits"]] == ["lit_rate_main"]
    assert found["replay"]["differences"] == []
    assert "Lamps that should burn." in found["shown"]


def test_a_silence_is_explained_by_the_last_that_was_heard(
    desk: Desk, kinds: dict[str, Kind], registry: Registry, told: Told
) -> None:
    stored(desk, "manhole", COVER_EAST, "tilt", {-100 * 60: 1.0})
    rules = [rule for rule in load_packs(kinds) if rule.id == "MH-09"]
    rule_texts.keep(desk.connection, rules, START)
    heard = {desk.number(COVER_EAST): Heard(micros(START - timedelta(hours=100)), 1)}
    verdicts = watch(rules, registry, LOCAL, heard, {}, micros(START))
    with desk.connection.transaction():
        alarm_store.record(desk.connection, verdicts.transitions, START)
    found = told("MH-09")
    silence = found["judged_on"]
    allowed = [branch.silent / 1_000_000 for branch in rules[0].branches]
    assert (silence["silent_s"], silence["allowed_s"], silence["heard_again"]) == (100 * 3600.0, allowed, None)
    assert found["replay"]["differences"] == []
    assert "its kind sends" in found["shown"]
    stored(desk, "manhole", COVER_EAST, "tilt", {-20 * 60: 1.0})
    assert told("MH-09")["replay"]["differences"] == ["nothing would be raised"]


def test_a_storm_is_explained_by_the_alarms_that_make_it(desk: Desk, cityward: Command) -> None:
    """Eleven alarms within ten minutes, where ten are allowed."""
    rules = [f"X-{number:02}" for number in range(11)]
    desk.alarm(*((rule, COVER_EAST) for rule in rules), at=START, severity=Severity.MAJOR)
    while desk.take_up(START):
        pass
    (number,) = [alarm.id for alarm in list_alarms(desk.connection, rule=storms.RULE)]
    found = json.loads(cityward("alarms", "explain", number, "--json").output)
    assert [each["rule_id"] for each in found["judged_on"]["alarms"]] == rules
    assert (found["judged_on"]["begins_above"], found["replay"]["differences"]) == (10, [])
    assert (
        "New alarms of east within 10 min: 11; a storm begins above 10" in cityward("alarms", "explain", number).output
    )


def test_what_was_permitted_or_kept_quiet_is_told_with_its_reason(desk: Desk, cityward: Command) -> None:
    permit = permit_store.Permit(kind="night_work", target=COVER_EAST, valid_from=START - MINUTE,
                                 valid_to=START + 60 * MINUTE, holder="crew 7", reason="new covers")  # fmt: skip
    permit_store.grant(desk.connection, permit, at=START - MINUTE, actor="Li")
    desk.alarm(("MH-01", COVER_EAST), ("MH-01", COVER_WEST), at=START)
    cityward("alarms", "shelve", 1, "--for", "1h", "--reason", "sensor is being moved", "--by", "Li")
    with desk.connection.transaction():
        alarm_round.look_after(desk.connection, START + 61 * MINUTE)
    found = json.loads(cityward("alarms", "explain", 1, "--json").output)
    assert [(each["kind"], each["reason"]) for each in found["in_force"]] == [("night_work", "new covers")]
    assert [(each["event"], each["because"]) for each in found["hushed"]] == [
        ("shelved", "sensor is being moved"), ("unshelved", "the shelf's time is over"),
    ]  # fmt: skip
    shown = cityward("alarms", "explain", 1).output
    assert "Work permits in force then" in shown
    assert "sensor is being moved" in shown


@pytest.fixture
def opened(desk: Desk, dsn: str, kinds: dict[str, Kind], registry: Registry) -> Desk:
    """A cover that tilts and stays so, minute by minute, until an alarm is raised."""
    rule_texts.keep(desk.connection, load_packs(kinds), START)
    topic = topic_of(registry, COVER_EAST)
    tilts = {-3: 1.0, -2: 2.0, -1: 40.0, 0: 41.0, 1: 42.0}
    for minute, tilt in tilts.items():
        at = START + minute * MINUTE
        sent = payload(at, seq=minute + 9, tilt=tilt, open_state="closed")
        collect(desk.connection, dsn, kinds, (at + timedelta(seconds=2), [(topic, sent)]))
    return desk


def test_an_alarm_is_explained_and_its_readings_raise_it_again(
    opened: Desk, cityward: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    (number,) = [alarm.id for alarm in list_alarms(opened.connection, rule="MH-01")]
    shown = cityward("alarms", "explain", number)
    assert shown.exit_code == 0, shown.exception
    told = shown.output
    for words in (
        "MH-01 of Cover 1",
        "- id: MH-01",
        "2.0 s",
        "good",
        "41.0",
        "judged again, what is stored raises it at the same moment and as severely",
    ):
        assert words in told
    readings = json.loads(cityward("alarms", "explain", number, "--json").output)["readings"]
    assert {each["values"]["open_state"] for each in readings} == {"closed"}
    monkeypatch.setenv("CITYWARD_LANGUAGE", "zh")
    told = cityward("alarms", "explain", number).output
    for words in ("产生原因", "当时有效的限值", "前后数据", "同一时刻产生", "级别相同", "厂商惯例", "规则引擎"):
        assert words in told
    assert re.findall(r"Because|practice|project default", told.partition("当时有效的限值")[2]) == []


def test_what_would_be_different_today_is_said(opened: Desk, cityward: Command) -> None:
    opened.connection.execute("UPDATE device SET limits = '{\"tilt\": 60}' WHERE device_id = %s", [COVER_EAST])
    (number,) = [alarm.id for alarm in list_alarms(opened.connection, rule="MH-01")]
    told = cityward("alarms", "explain", number).output
    assert "nothing would be raised" in told
    assert "60 deg" in told
    assert f"of {COVER_EAST}" in told


def test_an_alarm_whose_rule_was_never_kept_is_explained_as_far_as_it_goes(desk: Desk, cityward: Command) -> None:
    desk.alarm(("MH-01", COVER_EAST), at=START, because="tilt 60")
    shown = cityward("alarms", "explain", 1).output
    assert "tilt 60" in shown
    assert "not possible, that version of the rule was never in force here." in shown
    assert "there is no alarm 9" in str(cityward("alarms", "explain", 9).exception)
