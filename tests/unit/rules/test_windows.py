"""Windows: where they begin and end, what their readings come to, and that the order of arrival makes no difference."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from itertools import pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.kind import Kind
from devices.moments import MICROS, moment
from devices.quality import Quality
from devices.readings import Readings
from devices.registry import Registry
from rules.closing import close
from rules.expressions import compile_condition
from rules.frame import Frame
from rules.local_time import LocalTime
from rules.nodes import Scope
from rules.packs import rule_as_written
from rules.remembering import Memory
from rules.rule import Rule
from rules.spells import Spell, Spells
from rules.verdicts import Change, Transition
from rules.windows import Span, Window, frame_of

START = 1_795_190_400_000_000  # 2026-11-21 00:00 in the city
MINUTE = 60 * MICROS
TEN = [(START + number * 10 * MINUTE, START + (number + 1) * 10 * MINUTE) for number in range(12)]
Value = Callable[..., list[float | None]]
RuleOf = Callable[..., Rule]
TableOf = Callable[..., Readings]


def clock(local_time: LocalTime, at: int) -> str:
    return moment(at).astimezone(local_time.zone).strftime("%d %H:%M")


@pytest.fixture(scope="session")
def surroundings(
    table_of: TableOf, registry_of: Callable[..., Registry], local_time: LocalTime
) -> Callable[..., Frame]:
    def build(kind: str, **described: object) -> Frame:
        return Frame(table_of(kind, []), registry_of(kind, **described), local_time)

    return build


@pytest.mark.parametrize(
    ("window", "ends"),
    [
        (Window(Span.PLAIN, 10 * MINUTE, 10 * MINUTE), ["23:40-23:50", "23:50-00:00", "00:00-00:10", "00:10-00:20"]),
        (Window(Span.PLAIN, 60 * MINUTE, 20 * MINUTE), ["22:40-23:40", "23:00-00:00", "23:20-00:20"]),
        (Window(Span.DAY), ["00:00-00:00"]),
    ],
)
def test_windows_are_counted_from_local_midnight(local_time: LocalTime, window: Window, ends: list[str]) -> None:
    found = window.between(local_time, START - 21 * MINUTE, START + 20 * MINUTE)
    assert ["-".join(clock(local_time, at)[3:] for at in each) for each in found][-len(ends) :] == ends


def test_a_night_ends_in_the_morning_and_began_the_evening_before(local_time: LocalTime) -> None:
    found = Window(Span.NIGHT).between(local_time, START, START + 2 * 24 * 60 * MINUTE)
    assert [[clock(local_time, at) for at in each] for each in found] == [
        ["20 22:00", "21 06:00"],
        ["21 22:00", "22 06:00"],
    ]


def test_a_county_with_a_night_after_midnight_has_it_within_the_day() -> None:
    local_time = LocalTime(ZoneInfo("Asia/Shanghai"), time(0, 30), time(5))
    ((start, end),) = Window(Span.NIGHT).between(local_time, START, START + 24 * 60 * MINUTE)
    assert (clock(local_time, start), clock(local_time, end)) == ("21 00:30", "21 05:00")


def test_the_day_that_clocks_change_has_23_hours_and_no_reading_falls_between_its_windows() -> None:
    berlin = LocalTime(ZoneInfo("Europe/Berlin"))
    day = datetime(2026, 3, 29, tzinfo=berlin.zone)
    start = round(day.timestamp()) * MICROS
    hours = Window(Span.PLAIN, 60 * MINUTE, 60 * MINUTE).between(berlin, start, start + 24 * 60 * MINUTE)
    assert [end for _, end in hours[:-1]] == [begin for begin, _ in hours[1:]]
    (only,) = Window(Span.DAY).between(berlin, start, start + 23 * 60 * MINUTE)
    assert only[1] - only[0] == 23 * 60 * MINUTE


@given(after=st.integers(0, 3000), step=st.integers(0, 3000), every=st.sampled_from([1, 15, 60, 240, 1440]))
def test_whoever_goes_on_where_he_stopped_judges_every_window_once(
    local_time: LocalTime, after: int, step: int, every: int
) -> None:
    window = Window(Span.PLAIN, every * MINUTE, every * MINUTE)
    first, second, third = START, START + after * MINUTE, START + (after + step) * MINUTE
    whole = window.between(local_time, first, third)
    assert [*window.between(local_time, first, second), *window.between(local_time, second, third)] == whole


@pytest.fixture(scope="session")
def value(
    kinds: Mapping[str, Kind],
    table_of: TableOf,
    surroundings: Callable[..., Frame],
) -> Value:
    """``value("mean(laeq)", {0: 60, 1: 70})``: an aggregate of minutes of a noise meter over windows of 10 minutes."""

    def build(
        text: str, series: Mapping[float, float | None], quality: Mapping[float, Quality] | None = None, only: str = ""
    ) -> list[float | None]:
        rows = [
            (1, START + round(minute * MINUTE), {"rain": 0.0} if level is None else {"laeq": level, "rain": level % 2})
            for minute, level in series.items()
        ]
        table = table_of("noise", rows)
        for minute, bits in (quality or {}).items():
            table.quality[sorted(series).index(minute)] = int(bits)
        frame = frame_of(table, TEN, surroundings("noise"))
        contents = frame.contents
        assert contents is not None
        if only:
            entering = compile_condition(only, kinds["noise"]).truth(contents.frame).true
            frame = replace(frame, contents=replace(contents, only=entering))
        (node,) = compile_condition(f"{text} > 0", kinds["noise"], Scope.WINDOW).aggregates.values()
        together = [None if math.isnan(each) else round(float(each), 6) for each in node.evaluate(frame)]
        alone = [node.evaluate(frame.row(row))[0] for row in range(len(frame))]
        assert [None if math.isnan(each) else round(float(each), 6) for each in alone] == together
        return together

    return build


def test_each_window_with_a_reading_is_a_row_and_its_end_belongs_to_the_next(value: Value) -> None:
    assert value("count()", {0: 60, 9.99: 60, 10: 60, 35: 60}) == [2, 1, 1]
    assert value("mean(laeq)", {0: 60, 5: 70, 10: 50}) == [65, 50]


def test_what_is_not_sent_is_passed_over_and_of_nothing_everything_is_unknown_but_the_count(value: Value) -> None:
    assert value("mean(laeq)", {0: 60, 1: None, 12: None}) == [60, None]
    for text in ("min(laeq)", "max(laeq)", "first(laeq)", "last(laeq)", "median(laeq)", "std(laeq)", "sum(laeq)",
                 "rms(laeq)", "energy_mean(laeq)", "changes(laeq)", "rise(laeq)", "share(laeq > 50)",
                 "seconds(laeq > 50)", "percentile(laeq, 90)"):  # fmt: skip
        assert value(text, {0: None, 1: None}) == [None], text
    assert value("count(laeq > 50)", {0: None, 1: 60}) == [1]
    assert value("count(laeq > 50)", {0: None}) == [0]


def test_leq_is_the_mean_of_energies_not_of_levels(value: Value) -> None:
    assert value("energy_mean(laeq)", {0: 60, 1: 70}) == [pytest.approx(10 * math.log10((1e6 + 1e7) / 2), abs=1e-6)]


def test_a_share_is_of_the_readings_that_tell_and_seconds_are_what_was_observed(value: Value) -> None:
    assert value("share(laeq > 65)", {0: 60, 1: 70, 2: 70, 3: None}) == [round(2 / 3, 6)]
    # A minute each to the next reading; the last one, before a silence, three intervals of the kind at most.
    assert value("seconds(laeq > 65)", {0: 70, 1: 70, 2: 60, 3: 70}) == [60 + 60 + 180]
    assert value("seconds(laeq > 65)", {9: 70}) == [60], "a window ends what was observed in it"


def test_a_counter_that_was_reset_counts_on_from_zero(value: Value) -> None:
    assert value("rise(laeq)", {0: 10, 1: 30, 2: 5, 3: 6}) == [20 + 5 + 1]
    assert value("rise(laeq)", {0: 10}) == [None]


def test_changes_are_counted_within_the_window(value: Value) -> None:
    assert value("changes(laeq)", {0: 60, 1: 60, 2: 70, 3: 60, 10: 70, 11: 70}) == [2, 0]


def test_two_numbers_go_together_or_against_each_other(value: Value) -> None:
    assert value("correlation(laeq, -laeq)", {0: 60, 1: 61, 2: 64}) == [-1]
    assert value("correlation(laeq, laeq)", {0: 60, 1: 61}) == [None], "two points are on a line by themselves"
    assert value("correlation(laeq, laeq)", {0: 60, 1: 60, 2: 60}) == [None]


def test_frozen_readings_are_unknown_and_not_valid_and_repeated_ones_are_not_there(value: Value) -> None:
    doubts = {1: Quality.FROZEN, 2: Quality.REPEATED, 3: Quality.LATE}
    series = {0: 60, 1: 90, 2: 90, 3: 70}
    assert value("mean(laeq)", series, doubts) == [65], "late readings count"
    assert value("count()", series, doubts) == [3]
    assert value("valid()", series, doubts) == [0.2]
    assert value("valid(laeq)", dict.fromkeys(range(10), 60)) == [1]


def test_only_chooses_numbers_and_leaves_counts_alone(value: Value) -> None:
    series = {0: 60, 1: 71, 2: 80}
    assert value("mean(laeq)", series, only="rain == 1") == [71]
    assert value("share(laeq > 65)", series, only="rain == 1") == [round(2 / 3, 6)]
    assert value("count()", series, only="rain == 1") == [3]


@given(
    levels=st.lists(
        st.tuples(st.integers(0, 7199), st.floats(-50, 150, width=32)), min_size=1, unique_by=lambda x: x[0]
    )
)
def test_aggregates_agree_with_numpy_window_by_window(value: Value, levels: list[tuple[int, float]]) -> None:
    series = {second / 60: level for second, level in sorted(levels)}
    by_window: dict[int, list[float]] = {}
    for minute, level in series.items():
        by_window.setdefault(int(minute // 10), []).append(level)
    oracles: Mapping[str, Callable[[Any], Any]] = {
        "mean(laeq)": np.mean, "median(laeq)": np.median, "min(laeq)": min, "max(laeq)": max,
        "std(laeq)": np.std, "percentile(laeq, 90)": lambda x: float(np.percentile(x, 90)),
        "first(laeq)": lambda x: x[0], "last(laeq)": lambda x: x[-1],
    }  # fmt: skip
    for text, oracle in oracles.items():
        for found, rows in zip(value(text, series), by_window.values(), strict=True):
            # The instrument delivers 20 to 145 dB; beyond that nothing is flagged here, so all of it is believed.
            assert found == pytest.approx(float(oracle(np.array(rows))), abs=1e-4), text


def test_windows_that_overlap_share_their_readings(
    kinds: Mapping[str, Kind], table_of: TableOf, surroundings: Callable[..., Frame]
) -> None:
    table = table_of("noise", [(device, START + minute * MINUTE, {"laeq": 60 + minute + device}) for device in (1, 2)
                               for minute in range(30)])  # fmt: skip
    windows = [(START + minute * MINUTE - 20 * MINUTE, START + minute * MINUTE) for minute in (5, 10, 25)]
    frame = frame_of(table, windows, surroundings("noise"))
    (node,) = compile_condition("mean(laeq) > 0", kinds["noise"], Scope.WINDOW).aggregates.values()
    assert frame.readings.device.tolist() == [1, 1, 1, 2, 2, 2]
    assert node.evaluate(frame).tolist() == [63, 65.5, 75.5, 64, 66.5, 76.5]
    assert ((frame.judged_at - START) // MINUTE).tolist() == [5, 10, 25] * 2


def told(found: Sequence[Transition]) -> list[str]:
    return [f"{(each.at - START) // MINUTE} {each.change} {each.severity.name.lower()}" for each in found]


LOUD = ("input: window", "window: 10m", "raise: mean(laeq) > 60", "for: {samples: 2}", "clear: mean(laeq) < 55")


def run(rule: Rule, table: Readings, frame: Frame, pieces: Sequence[Sequence[tuple[int, int]]]) -> list[str]:
    memory = Memory()
    found: list[Transition] = []
    for windows in pieces:
        verdicts = close(rule, frame_of(table, windows, frame), memory)
        assert verdicts.crashes == []
        for (_, device), state in verdicts.states.items():
            memory.keep(device, state)
        found += verdicts.transitions
    return told(found)


def test_two_loud_windows_raise_at_the_end_of_the_second_and_a_quiet_one_clears(
    rule_of: RuleOf, table_of: TableOf, surroundings: Callable[..., Frame]
) -> None:
    levels = [50] * 10 + [70] * 20 + [50] * 10
    table = table_of("noise", [(1, START + minute * MINUTE, {"laeq": level}) for minute, level in enumerate(levels)])
    rule = rule_of(*LOUD, kind="noise")
    assert run(rule, table, surroundings("noise"), [TEN]) == ["30 raised minor", "40 cleared minor"]
    assert run(rule, table, surroundings("noise"), [TEN[:2], TEN[2:3], TEN[3:]]) == [
        "30 raised minor",
        "40 cleared minor",
    ]


def test_empty_windows_are_unknown_and_three_of_them_interrupt(
    rule_of: RuleOf, table_of: TableOf, surroundings: Callable[..., Frame]
) -> None:
    def story(*loud: int) -> list[str]:
        table = table_of("noise", [(1, START + minute * MINUTE, {"laeq": 70}) for minute in loud])
        return run(rule_of(*LOUD, kind="noise"), table, surroundings("noise"), [TEN])

    assert story(5, 35) == ["40 raised minor"]
    assert story(5, 45) == []


def test_an_alarm_of_another_rule_is_asked_of_the_window(
    rule_of: RuleOf, table_of: TableOf, surroundings: Callable[..., Frame], kinds: Mapping[str, Kind]
) -> None:
    text = rule_of("input: window", "window: 10m", "raise: count() > 0", kind="noise", rule_id="T-03").text
    rule = rule_as_written(text.replace("count() > 0", 'alarmed("T-01")'), kinds)
    table = table_of("noise", [(device, START + minute * MINUTE, {"laeq": 50}) for device in (1, 2)
                               for minute in range(60)])  # fmt: skip
    alarms = Spells.of([Spell("T-01", 2, START + 12 * MINUTE, START + 25 * MINUTE), Spell("T-02", 1, START)])
    verdicts = close(rule, frame_of(table, TEN, surroundings("noise")), Memory(), alarms=alarms)
    assert [(each.device, each.change) for each in verdicts.transitions] == [(2, Change.RAISED), (2, Change.CLEARED)]
    assert told(verdicts.transitions) == ["20 raised minor", "40 cleared minor"]


_minutes = st.lists(st.tuples(st.integers(0, 119), st.sampled_from([50, 58, 70, None])), unique_by=lambda x: x[0])


@given(minutes=_minutes, order=st.randoms(use_true_random=False), cuts=st.sets(st.integers(1, 11)))
def test_the_order_in_which_readings_came_and_how_windows_are_cut_makes_no_difference(
    rule_of: RuleOf,
    table_of: TableOf,
    surroundings: Callable[..., Frame],
    minutes: list[tuple[int, float | None]],
    order: Random,
    cuts: set[int],
) -> None:
    rule = rule_of(*LOUD, kind="noise")
    rows = [
        (1, START + minute * MINUTE, {"rain": 0} if level is None else {"laeq": level}) for minute, level in minutes
    ]
    expected = run(rule, table_of("noise", rows), surroundings("noise"), [TEN])
    newest = -1
    late = []
    for row in order.sample(rows, len(rows)):
        late.append((row, row[1] <= newest))
        newest = max(newest, row[1])
    table = table_of("noise", [row for row, _ in late])
    by_time = sorted(late, key=lambda each: each[0][1])
    table.quality[:] = [int(Quality.LATE) if flag else 0 for _, flag in by_time]
    edges = [0, *sorted(cuts), len(TEN)]
    pieces = [TEN[a:b] for a, b in pairwise(edges)]
    assert run(rule, table, surroundings("noise"), pieces) == expected
