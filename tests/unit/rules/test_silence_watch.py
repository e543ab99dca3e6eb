from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from devices.registry import Registry
from rules.expressions import compile_condition
from rules.local_time import LocalTime
from rules.rule import Rule, Severity
from rules.silence import Heard, SilenceAlarm, watch
from rules.spells import Spell, Spells
from rules.verdicts import Change, Key, Transition

MINUTE = 60_000_000
HOUR = 60 * MINUTE
Watch = Callable[..., list[Transition]]


def local(text: str) -> int:
    """A time on the city's clocks in microseconds since 1970 UTC."""
    return round(datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp() * 1e6)


NOON = local("20 12:00")


@pytest.fixture
def watched(shipped: Mapping[str, Rule], registry_of: Callable[..., Registry], local_time: LocalTime) -> Watch:
    """The watchdog with one shipped rule; devices 1 to 3 exist, those of ``heard`` have spoken."""

    def look(
        rule_id: str,
        heard: Mapping[int, Heard],
        now: int,
        active: Mapping[Key, SilenceAlarm] | None = None,
        **described: object,
    ) -> list[Transition]:
        rule = shipped[rule_id]
        return watch([rule], registry_of(rule.kind, **described), local_time, heard, active or {}, now).transitions

    return look


def test_a_device_that_is_silent_for_too_long_is_an_alarm(watched: Watch) -> None:
    (found,) = watched("NO-06", {1: Heard(NOON - 31 * MINUTE, 40), 2: Heard(NOON - 29 * MINUTE, 40)}, NOON)
    assert (found.change, found.rule_id, found.device, found.severity, found.at) == (
        Change.RAISED,
        "NO-06",
        1,
        Severity.NOTICE,
        NOON,
    )
    assert found.detail == {"because": "silent for more than 1800 s", "since": NOON - 31 * MINUTE, "readings": 40}


def test_exactly_the_time_allowed_is_not_too_long(watched: Watch) -> None:
    assert watched("NO-06", {1: Heard(NOON - 30 * MINUTE, 40)}, NOON) == []
    assert len(watched("NO-06", {1: Heard(NOON - 30 * MINUTE - 1, 40)}, NOON)) == 1


def test_a_device_never_heard_of_is_not_watched(watched: Watch) -> None:
    assert watched("NO-06", {}, NOON) == []


def test_a_device_that_is_not_registered_is_not_watched(watched: Watch) -> None:
    assert watched("NO-06", {9: Heard(NOON - 31 * MINUTE, 40)}, NOON) == []


def test_an_active_alarm_is_not_raised_again(watched: Watch) -> None:
    heard = {1: Heard(NOON - 31 * MINUTE, 40)}
    (found,) = watched("NO-06", heard, NOON)
    active = {("NO-06", 1): SilenceAlarm(found.detail["readings"])}
    assert watched("NO-06", heard, NOON, active) == []
    assert watched("NO-06", heard, NOON + 24 * HOUR, active) == []


def test_a_look_changes_nothing(watched: Watch) -> None:
    heard = {1: Heard(NOON - 31 * MINUTE, 40), 3: Heard(NOON - 40 * MINUTE, 2)}
    assert watched("NO-06", heard, NOON) == watched("NO-06", heard, NOON)


def test_a_device_speaks_several_times_before_it_counts_as_back(watched: Watch) -> None:
    active = {("NO-06", 1): SilenceAlarm(40)}
    assert watched("NO-06", {1: Heard(NOON, 42)}, NOON, active) == []
    (found,) = watched("NO-06", {1: Heard(NOON - MINUTE, 43)}, NOON, active)
    assert (found.change, found.device, found.at) == (Change.CLEARED, 1, NOON - MINUTE)
    assert found.detail == {"because": "heard again 3 times"}


def test_one_message_of_a_cover_is_enough(watched: Watch) -> None:
    heard = {1: Heard(NOON - 51 * HOUR, 7)}
    assert [found.change for found in watched("MH-09", heard, NOON)] == [Change.RAISED]
    active = {("MH-09", 1): SilenceAlarm(7)}
    assert watched("MH-09", heard, NOON, active) == []
    assert [found.change for found in watched("MH-09", {1: Heard(NOON, 8)}, NOON, active)] == [Change.CLEARED]


def test_a_cover_may_miss_one_daily_heartbeat(watched: Watch) -> None:
    assert watched("MH-09", {1: Heard(NOON - 50 * HOUR, 7)}, NOON) == []


def test_a_closed_restaurant_may_be_silent(watched: Watch) -> None:
    last = {1: Heard(local("20 22:50"), 500)}
    assert watched("FU-08", last, local("21 09:59")) == []
    assert [found.at for found in watched("FU-08", last, local("21 10:00"))] == [local("21 10:00")]


def test_after_a_day_of_silence_the_hour_does_not_matter(watched: Watch) -> None:
    last = {1: Heard(local("20 03:00"), 500)}
    assert watched("FU-08", last, local("21 03:00")) == []
    (found,) = watched("FU-08", last, local("21 03:01"))
    assert found.detail["because"] == "silent for more than 86400 s"


def test_two_reasons_are_one_alarm(watched: Watch) -> None:
    found = watched("FU-08", {1: Heard(NOON - 48 * HOUR, 5), 2: Heard(NOON - HOUR, 5)}, NOON)
    assert [(each.device, each.detail["because"]) for each in found] == [
        (1, "silent for more than 1800 s"),
        (2, "silent for more than 1800 s"),
    ]


def test_each_restaurant_has_its_own_hours(watched: Watch) -> None:
    breakfast = {"business_open": "06:00", "business_close": "10:00"}
    seven = local("21 07:00")
    assert watched("FU-08", {1: Heard(seven - HOUR, 5)}, seven) == []
    assert len(watched("FU-08", {1: Heard(seven - HOUR, 5)}, seven, attributes=breakfast)) == 1


def test_a_restaurant_with_unreadable_hours_is_missed_after_a_day(watched: Watch) -> None:
    hours = {"business_open": "nine"}
    assert watched("FU-08", {1: Heard(NOON - HOUR, 5)}, NOON, attributes=hours) == []
    assert len(watched("FU-08", {1: Heard(NOON - 25 * HOUR, 5)}, NOON, attributes=hours)) == 1


def test_rules_that_look_at_readings_are_passed_over(watched: Watch) -> None:
    assert watched("NO-03", {1: Heard(0, 1)}, NOON) == []


def test_an_alarm_of_a_rule_does_not_hide_the_silence_another_rule_sees(
    rule_of: Callable[..., Rule], registry_of: Callable[..., Registry], local_time: LocalTime
) -> None:
    rules = [
        rule_of("input: silence", f"raise: [{{silent: {hours}h}}]", kind="noise", rule_id=f"S-{hours}")
        for hours in (1, 2)
    ]
    heard = {1: Heard(NOON - 3 * HOUR, 5)}
    found = watch(rules, registry_of("noise"), local_time, heard, {("S-1", 1): SilenceAlarm(5)}, NOON).transitions
    assert [(each.rule_id, each.change) for each in found] == [("S-2", Change.RAISED)]


def test_a_watch_over_days_raises_once_and_clears_once(watched: Watch) -> None:
    """The device speaks every ten minutes except from day 1, 01:00 to 05:00; the watchdog looks every minute."""
    start = local("20 00:00")
    spoken = [start + step * 10 * MINUTE for step in range(6 * 48) if not 25 * 6 < step <= 29 * 6]
    active: dict[Key, SilenceAlarm] = {}
    story: list[tuple[Change, timedelta]] = []
    for now in range(start, start + 48 * HOUR, MINUTE):
        past = [at for at in spoken if at <= now]
        for found in watched("NO-06", {1: Heard(past[-1], len(past))}, now, active):
            if found.change is Change.RAISED:
                active["NO-06", 1] = SilenceAlarm(found.detail["readings"])
            else:
                del active["NO-06", 1]
            story.append((found.change, timedelta(microseconds=found.at - start)))
    assert story == [
        (Change.RAISED, timedelta(hours=25, minutes=31)),
        (Change.CLEARED, timedelta(hours=29, minutes=30)),
    ]


def test_a_rule_that_crashes_costs_the_others_nothing(
    rule_of: Callable[..., Rule], registry_of: Callable[..., Registry], local_time: LocalTime
) -> None:
    sound = rule_of("input: silence", "raise: [{silent: 1h}]", kind="noise", rule_id="S-1")
    broken = replace(sound, id="S-2", branches=(replace(sound.branches[0], silent="soon"),))  # type: ignore[arg-type]
    found = watch([broken, sound], registry_of("noise"), local_time, {1: Heard(NOON - 3 * HOUR, 5)}, {}, NOON)
    assert [each.rule_id for each in found.transitions] == ["S-1"]
    assert [crash.rule_id for crash in found.crashes] == ["S-2"]


def test_silence_may_be_judged_by_the_permits_in_force(
    shipped: Mapping[str, Rule], registry_of: Callable[..., Registry], local_time: LocalTime
) -> None:
    rule, kind = shipped["NO-06"], registry_of("noise").kinds["noise"]
    allowed = compile_condition('not permitted("maintenance")', kind)
    rule = replace(rule, branches=tuple(replace(branch, when=allowed) for branch in rule.branches))
    heard = dict.fromkeys((1, 2), Heard(NOON - HOUR, 40))
    permits = Spells.of([Spell("maintenance", 1, NOON - HOUR, NOON + HOUR)])
    found = watch([rule], registry_of("noise"), local_time, heard, {}, NOON, permits=permits).transitions
    assert [each.device for each in found] == [2]
