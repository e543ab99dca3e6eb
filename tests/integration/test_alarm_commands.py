"""The commands about alarms and permits as a person meets them."""

import json
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from alarms.lifecycle import State
from rules.rule import Severity
from rules.verdicts import Change, RuleState
from storage import alarm_round, alarm_store, rule_states
from storage.alarm_list import list_alarms
from tests.integration.desk import Desk
from tests.integration.making import COVER_EAST, COVER_WEST, LAMP, rows
from tests.integration.prompt import START, Command, Now

MINUTE = timedelta(minutes=1)


def later(desk: Desk, at: datetime) -> None:
    with desk.connection.transaction():
        alarm_round.look_after(desk.connection, at)
    while desk.take_up(at):
        pass


def states(desk: Desk) -> list[str]:
    return [alarm.state for alarm in sorted(list_alarms(desk.connection, everything=True), key=lambda each: each.id)]


def test_an_alarm_is_listed_shown_and_acknowledged(desk: Desk, cityward: Command) -> None:
    desk.alarm(("MH-01", COVER_EAST), at=START, severity=Severity.CRITICAL, because="tilt 60")
    desk.alarm(("SL-01", LAMP), at=START, severity=Severity.MINOR)
    later(desk, START)
    listed = cityward("alarms", "list").output
    assert "2 alarms" in listed
    assert "Cover 1" in listed
    assert "critical" in listed
    assert cityward("alarms", "ack", 1, "--by", "Li", "--note", "camera shows it").output == "Alarm 1 acknowledged.\n"
    shown = cityward("alarms", "show", 1).output
    assert "camera shows it" in shown
    assert "Li" in shown
    assert "tilt 60" in shown
    again = cityward("alarms", "ack", 1)
    assert "an alarm that is acknowledged cannot be acknowledged" in str(again.exception)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["--severity", "major"], [1]),
        (["--district", "west"], [2]),
        (["--kind", "manhole"], [1]),
        (["--rule", "SL-01"], [2]),
        (["--device", COVER_EAST], [1]),
        (["--unit", "lighting"], [2]),
        (["--state", "unacknowledged"], [1, 2]),
        (["--state", "shelved"], []),
        (["--limit", "1"], [1]),
    ],
)
def test_a_list_can_be_narrowed_down(desk: Desk, cityward: Command, filters: list[str], found: list[int]) -> None:
    desk.alarm(("MH-01", COVER_EAST), at=START, severity=Severity.CRITICAL)
    desk.alarm(("SL-01", LAMP), at=START, severity=Severity.MINOR)
    later(desk, START)
    lines = cityward("alarms", "list", "--json", *filters).output.splitlines()
    assert [json.loads(line)["id"] for line in lines] == found


def test_a_shelved_alarm_is_announced_when_its_time_is_over(desk: Desk, cityward: Command) -> None:
    desk.alarm(("MH-01", COVER_EAST), ("MH-01", COVER_WEST), at=START)
    shelved = cityward("alarms", "shelve", 1, 2, "--for", "2h", "--reason", "sensors are being moved", "--by", "Li")
    assert shelved.output == "Alarms 1, 2 shelved for 2h.\n"
    later(desk, START)
    assert desk.numbers() == []
    assert "shelved until  2026-11-20 19:30:00" in cityward("alarms", "show", 1).output
    assert "shelved" in cityward("status").output
    desk.alarm(("MH-01", COVER_WEST), at=START + 60 * MINUTE, change=Change.CLEARED)
    later(desk, START + 121 * MINUTE)
    assert states(desk) == ["unacknowledged", "normal"]
    assert len(desk.numbers()) == 1


def test_an_operator_takes_an_alarm_off_the_shelf_before_its_time(desk: Desk, cityward: Command) -> None:
    desk.alarm(("MH-01", COVER_EAST), at=START)
    cityward("alarms", "shelve", 1, "--for", "2h", "--reason", "moved", "--once")
    assert cityward("alarms", "unshelve", 1).output == "Alarm 1 unshelved.\n"
    assert states(desk) == ["unacknowledged"]
    assert "cannot be unshelved" in str(cityward("alarms", "unshelve", 1).exception)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["1", "--for", "9h", "--reason", "x"], "at most 8:00:00, not for 9:00:00"),
        (["1", "--for", "0s", "--reason", "x"], "at most 8:00:00"),
        (["1", "--for", "soon", "--reason", "x"], "--for: 'soon' is not a duration"),
        (["1", "--for", "1h", "--reason", " "], "needs a reason"),
        (["1", "77", "--for", "1h", "--reason", "x"], "there is no alarm 77"),
    ],
)
def test_shelving_has_its_rules_and_a_refusal_changes_nothing(
    desk: Desk, cityward: Command, arguments: list[str], words: str
) -> None:
    desk.alarm(("MH-01", COVER_EAST), at=START)
    assert words in str(cityward("alarms", "shelve", *arguments).exception)
    assert states(desk) == ["unacknowledged"]


@pytest.mark.each_server
def test_a_latched_alarm_is_reset_by_somebody_who_has_looked_and_its_case_closes(desk: Desk, cityward: Command) -> None:
    desk.connection.execute("INSERT INTO rule_text VALUES ('MH-01', '0123456789ab', 'reading', '', true, '{}', now())")
    desk.alarm(("MH-01", COVER_EAST), at=START)
    later(desk, START)
    moves, number = desk.moves(START), desk.only_number()
    moves.accept(number)
    moves.arrive(number)
    desk.alarm(("MH-01", COVER_EAST), at=START + MINUTE, change=Change.CLEARED)
    moves.done(number, "replaced")
    later(desk, START + MINUTE)
    assert states(desk) == ["latched_acknowledged"]
    assert cityward("alarms", "reset", 1, "--reason", "cover is in place").output == "Alarm 1 reset.\n"
    later(desk, START + 2 * MINUTE)
    assert states(desk) == ["normal"]
    desk.hear(COVER_EAST, START + 3 * MINUTE)
    desk.ask(START + 3 * MINUTE)
    assert rows(desk.connection, "SELECT state FROM dispatch_case") == [("closed",)]


def test_the_state_that_a_list_shows_is_the_one_of_the_life_cycle(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST), at=START)
    desk.connection.execute(
        "INSERT INTO permit (kind, target, valid_from, valid_to, holder, reason, granted_at, granted_by)"
        " VALUES ('maintenance', 'city:all', %s, %s, 'x', 'x', %s, 'x')",
        [START, START + MINUTE, START],
    )
    seen = set()
    memories = product((False, True), (False, True), ("latch", "chatter", None), ("shelved", "by", "permit", None))
    for active, acknowledged, held, hush in memories:
        if held and not active:
            continue
        desk.connection.execute(
            "UPDATE alarm SET active = %s, acknowledged = %s, held = %s, shelved_until = %s, suppressed_by = %s,"
            " permit = %s",
            [active, acknowledged, held, START if hush == "shelved" else None, 1 if hush == "by" else None,
             1 if hush == "permit" else None],
        )  # fmt: skip
        ((alarm),) = alarm_store.lock(desk.connection, [1])
        assert states(desk) == [alarm.state]
        seen.add(alarm.state)
    assert seen == set(State)


def test_what_happened_can_be_read_back_with_who_and_why(desk: Desk, cityward: Command) -> None:
    desk.alarm(("MH-01", COVER_EAST), at=START, because="tilt 60")
    desk.alarm(("SL-01", LAMP), at=START)
    cityward("alarms", "ack", 1, "--by", "Li")
    lines = [
        json.loads(line) for line in cityward("alarms", "history", "--json", "--rule", "MH-01").output.splitlines()
    ]
    assert [(line["event"], line["actor"]) for line in lines] == [("raised", "rule engine"), ("acknowledged", "Li")]
    assert lines[0]["detail"]["because"] == "tilt 60"
    assert "no moment" in str(cityward("alarms", "history", "--since", "once").exception)


def test_the_scorecard_counts_what_was_announced_and_hushed_by_seat_and_shift(
    desk: Desk, cityward: Command, now: Now
) -> None:
    desk.alarm(("MH-01", COVER_EAST), at=START, severity=Severity.CRITICAL)
    desk.alarm(("MH-02", COVER_EAST), ("SL-01", LAMP), at=START + MINUTE)
    later(desk, START + MINUTE)
    now.set(START + 2 * MINUTE)
    cityward("alarms", "shelve", 2, "--for", "2h", "--reason", "moved")
    desk.connection.execute("UPDATE alarm_event SET hushed = true WHERE alarm_id = 2")
    desk.connection.execute("DELETE FROM case_alarm WHERE alarm_id = 1")
    now.set(START + timedelta(days=2))

    def cards(*options: object) -> list[Any]:
        lines = cityward("alarms", "scorecard", "--json", "--days", 3, *options).output.splitlines()
        return [json.loads(line) for line in lines]

    shown = cityward("alarms", "scorecard", "--days", 3, "--top").output
    assert "east: 1 alarm in 3 days" in shown
    assert "Active over 24 h: 2" in shown
    assert COVER_EAST in shown
    east, west = cards()
    assert (east["district"], east["figures"]["high_share"]["grade"], east["hushed"]["shelved"]) == ("east", "bad", 1)
    assert [each["alarm"] for each in east["stale"] + west["stale"]] == [1, 3]
    assert east["top"] == [{"rule": "MH-01", "device": COVER_EAST, "alarms": 1}]
    by_unit = cards("--by", "unit", "--shifts", "day=08:00-20:00,night=20:00-08:00")
    assert [(card["unit"], card["shift"], card["alarms"], card["hushed"]["shelved"]) for card in by_unit] == [
        ("drainage", "day", 0, 1), ("drainage", "night", 0, 0), ("lighting", "day", 1, 0), ("lighting", "night", 0, 0),
        (None, "day", 1, 0), (None, "night", 0, 0),
    ]  # fmt: skip
    lines = cityward("alarms", "scorecard", "--by", "unit", "--shifts", "day=08:00-20:00").output
    assert [line.split()[:3] for line in lines.splitlines() if line.startswith("none")][:2] == [
        ["none", "day", "1"], ["none", "outside", "0"],
    ]  # fmt: skip


def test_a_permit_is_granted_listed_and_revoked_and_the_registry_is_read_again(desk: Desk, cityward: Command) -> None:
    (before,) = rows(desk.connection, "SELECT revision FROM registry_revision")
    granted = cityward(
        "permits", "grant", "road:Jiefang Road", "--for", "4h", "--holder", "crew 7", "--reason", "new covers"
    )
    assert granted.output == "Permit 1: maintenance for 3 devices until 2026-11-20 21:30.\n"
    assert rows(desk.connection, "SELECT revision FROM registry_revision") == [(before[0] + 1,)]
    desk.alarm(("MH-01", COVER_EAST), at=START + MINUTE)
    later(desk, START + MINUTE)
    listed = cityward("permits", "list").output
    assert "crew 7" in listed
    assert states(desk) == ["out_of_service"]
    revoked = cityward("permits", "revoke", 1, "--reason", "rain", "--by", "Li")
    assert revoked.output == "Permit 1 revoked.\n"
    later(desk, START + 2 * MINUTE)
    assert states(desk) == ["unacknowledged"]
    assert "0 permits" in cityward("permits", "list").output
    assert "rain" in cityward("permits", "list", "--all").output
    assert "no permit 1 that could be revoked" in str(cityward("permits", "revoke", 1, "--reason", "x").exception)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["road:Nowhere", "--for", "4h"], "means no registered device"),
        ([COVER_EAST, "--for", "soon"], "not a duration"),
        ([COVER_EAST, "--for", "1h", "--from", "2026-11-19 12:00"], "already past"),
        ([COVER_EAST, "--for", "1h", "--kind", "a b"], "is no word"),
    ],
)
def test_a_permit_that_makes_no_sense_is_refused(
    desk: Desk, cityward: Command, arguments: list[str], words: str
) -> None:
    refused = cityward("permits", "grant", *arguments, "--holder", "crew 7", "--reason", "new covers")
    assert words in str(refused.exception)
    assert rows(desk.connection, "SELECT count(*) FROM permit") == [(0,)]


def test_an_alarm_whose_rule_has_left_the_packs_is_named_and_ended_by_a_person(desk: Desk, cityward: Command) -> None:
    for rule, device in (("MY-01", COVER_EAST), ("MH-01", COVER_WEST), ("MY-01", LAMP)):
        desk.alarm((rule, device), at=START)
    rule_states.save(desk.connection, {("MY-01", desk.number(LAMP)): RuleState(active=True)})
    named = " ".join(cityward("status").output.split())
    assert "Active alarms of rules that no pack has" in named
    assert "MY-01 2 1 2026" in named.replace("│ ", "")
    asked = ("alarms", "end", "--reason", "withdrawn", "--by", "Li")
    assert cityward(*asked, 1, 3).output == "Alarms 1, 3 ended.\n"
    assert "no pack" not in cityward("status").output
    assert rule_states.load_states(desk.connection) == {}
    ended = rows(desk.connection, "SELECT alarm_id, actor, detail->>'because' FROM alarm_event WHERE event = 'cleared'")
    assert ended == [(1, "Li", "withdrawn"), (3, "Li", "withdrawn")]
    assert str(cityward(*asked, 2).exception) == "alarm 2: MH-01 is in force and ends it by its condition"
    assert "alarm 1: an alarm that is returned cannot be cleared" in str(cityward(*asked, 1).exception)


def test_status_says_what_is_wrong_with_packs_and_goes_on(
    desk: Desk, cityward: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert desk.connection
    (tmp_path / "mine.yaml").write_text("- id: [")
    monkeypatch.setenv("CITYWARD_PACKS_DIR", str(tmp_path))
    told = cityward("status").output
    assert "mine.yaml" in told
    assert "Outbox" in told
