"""Every kind of rule has its hindsight: those that ask for alarms of others, groups, jobs, permits."""

from collections.abc import Callable, Mapping
from itertools import pairwise

from devices.device import Device
from devices.groups import grouped
from devices.kind import Kind
from devices.readings import Readings
from devices.registry import Registry
from rules.hindsight import Hindsight
from rules.local_time import LocalTime
from rules.packs import rule_as_written
from rules.rule import Rule
from rules.spells import Spell, Spells

START = 1_795_190_400_000_000  # 2026-11-21 00:00 in the city
MINUTE = 60_000_000
DAY = 24 * 60
RuleOf = Callable[..., Rule]
TableOf = Callable[..., Readings]


def story(sight: Hindsight, readings: Readings, *edges: int) -> list[str]:
    """What is found in slices that end at these minutes: rule, device, change, severity, minute."""
    changes = []
    for since, until in pairwise(START + edge * MINUTE for edge in (0, *edges)):
        piece = readings.where((readings.ts >= since - sight.reach) & (readings.ts < until))
        changes += sight.slice(piece, since, until)
    return [
        f"{each.rule_id} {each.device} {each.change} {each.severity.name.lower()} {(each.at - START) // MINUTE}"
        for each in changes
    ]


def test_who_asks_for_alarms_of_others_hears_of_all_of_them_however_long_the_slice(
    rule_of: RuleOf,
    registry_of: Callable[..., Registry],
    kinds: Mapping[str, Kind],
    local_time: LocalTime,
    laeq: Callable[..., Readings],
) -> None:
    """Three alarms in the first hours of a day, one after the other in a slice; who asks stands before them."""
    loud = rule_of("raise: laeq > 60", kind="noise", rule_id="T-02")
    asks = rule_of("input: window", "window: 5m", "raise: count() > 0", kind="noise", rule_id="T-01")
    asks = rule_as_written(asks.text.replace("count() > 0", 'alarmed("T-02")'), kinds)
    levels = dict.fromkeys(range(0, DAY, 5), 50.0) | dict.fromkeys((60, 120, 180), 70.0)
    found = story(Hindsight([asks, loud], registry_of("noise"), local_time), laeq(levels), DAY)
    assert [each for each in found if each.startswith("T-01 1 raised")] == [
        f"T-01 1 raised minor {minute}" for minute in (60, 120, 180)
    ]


def test_a_cover_that_falls_silent_open_is_the_graver_silence(
    shipped: Mapping[str, Rule], registry_of: Callable[..., Registry], table_of: TableOf, local_time: LocalTime
) -> None:
    rules = [shipped["MH-01"], shipped["MH-09"]]
    rows = [(device, START, {"open_state": "open" if device == 1 else "closed"}) for device in (1, 2)]
    found = story(Hindsight(rules, registry_of("manhole"), local_time), table_of("manhole", rows), DAY, 3 * DAY)
    assert found == ["MH-01 1 raised major 0", "MH-09 1 raised major 3005", "MH-09 2 raised minor 3005"]


def test_groups_are_judged_that_nobody_has_registered(
    shipped: Mapping[str, Rule], kinds: Mapping[str, Kind], table_of: TableOf, local_time: LocalTime
) -> None:
    """Five wells of a grid fill up; the sixth stands elsewhere."""
    covers = [
        Device(id=number, device_id=f"cover-{number}", kind="manhole", name="", district="east", lon=114.3, lat=30.6,
               grid="420102001001001" if number < 6 else "420102001001002", attributes={"well_depth": 2.0})
        for number in range(1, 7)
    ]  # fmt: skip
    rules = [shipped["MH-05"], shipped["MH-07"]]
    registry = grouped(Registry(kinds, covers), [(rule.kind, rule.group) for rule in rules if rule.group])
    assert [group.id for group in registry.groups.values()] == [7, 8]
    assert grouped(registry, [("manhole", ("grid",))]) is registry
    rows = [
        (number, START + minute * MINUTE, {"water_level": 1.9 if minute >= 60 else 0.2})
        for number in range(1, 7)
        for minute in range(0, 120, 5)
    ]
    found = story(Hindsight(rules, registry, local_time), table_of("manhole", rows), 90, 120)
    assert [each for each in found if each.startswith("MH-07")] == ["MH-07 7 raised critical 65"]
    assert sum(each.startswith("MH-05") for each in found) == 6


def test_jobs_are_judged_by_the_figures_of_each_day_and_passed_over_where_nobody_knows_them(
    shipped: Mapping[str, Rule], kinds: Mapping[str, Kind], table_of: TableOf, local_time: LocalTime
) -> None:
    lamp = Device(id=1, device_id="lamp", kind="streetlight", name="", district="east", lon=114.3, lat=30.6,
                  road_class="main")  # fmt: skip
    rule, nothing = shipped["KP-01"], table_of("streetlight", [])
    registry = grouped(Registry(kinds, [lamp]), [(rule.kind, rule.group)])
    rates = iter((0.99, 0.97, 0.985))
    asked = []

    def ask(of: Rule, at: int) -> Mapping[int, Mapping[str, float | None]]:
        asked.append((of.id, (at - START) // MINUTE))
        return {2: {"lamps": 100.0, "lit_rate_strict": next(rates)}}

    half_past_nine = 21 * 60 + 30
    days = (600, DAY, 2 * DAY, 3 * DAY)
    assert story(Hindsight([rule], registry, local_time, ask=ask), nothing, *days) == [
        f"KP-01 2 raised minor {DAY + half_past_nine}", f"KP-01 2 cleared minor {2 * DAY + half_past_nine}",
    ]  # fmt: skip
    assert asked == [("KP-01", day * DAY + half_past_nine) for day in range(3)]
    assert story(Hindsight([rule], registry, local_time), nothing, *days) == []


def test_what_was_permitted_then_is_permitted_now(
    rule_of: RuleOf, registry_of: Callable[..., Registry], local_time: LocalTime, laeq: Callable[..., Readings]
) -> None:
    rule = rule_of('raise: laeq > 60 and not permitted("night_work")', kind="noise")
    levels = laeq(dict.fromkeys(range(60), 70.0))
    permits = Spells.of([Spell("night_work", 1, START, START + 40 * MINUTE)])
    assert story(Hindsight([rule], registry_of("noise"), local_time, permits=permits), levels, 60) == [
        "T-01 1 raised minor 40"
    ]
