"""Labels and alarms become recall, precision, false dispatches and delays."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityward.trial.evaluating import AFTERMATH, Raised, Score, evaluate
from simulators.labels import Expected, Label

T0 = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULES = ("MH-01", "MH-02", "SL-01", "SL-02")


def at(minutes: float) -> datetime:
    return T0 + minutes * MINUTE


def label(
    name: str = "a", device: str = "cover-1", *, rule: str = "MH-01", by: float = 1, end: float = 60, **more: object
) -> Label:
    return Label(
        id=name,
        kind="k",
        devices=(device,),
        start=T0,
        end=at(end),
        expects=(Expected(rule, at(by)),),
        **more,  # type: ignore[arg-type]
    )


def scored(labels: list[Label], alarms: list[Raised], device_days: float = 100) -> Score:
    return evaluate(labels, alarms, rules=RULES, device_days=device_days, until=at(10_000))


def test_an_alarm_in_time_is_found_and_right() -> None:
    score = scored([label()], [Raised("MH-01", "cover-1", at(0.5))])
    rule = score.rules["MH-01"]
    assert (rule.recall, rule.precision, rule.delay_s(0.5)) == (1, 1, 30)
    assert (score.recall, score.false_dispatches, score.missed, score.false) == (1, 0, (), ())


def test_an_alarm_that_comes_after_its_time_is_late_but_right() -> None:
    rule = scored([label()], [Raised("MH-01", "cover-1", at(5))]).rules["MH-01"]
    assert (rule.recall, rule.late, rule.precision) == (0, 1, 1)


def test_what_nobody_noticed_is_missed_and_named() -> None:
    score = scored([label("gone")], [])
    assert score.recall == 0
    assert score.missed == (("gone", "MH-01"),)
    assert score.rules["MH-01"].precision is None


@pytest.mark.parametrize(
    "alarm",
    [
        Raised("MH-01", "cover-2", at(1)),
        Raised("MH-02", "cover-1", at(1)),
        Raised("MH-01", "cover-1", at(-1)),
        Raised("MH-01", "cover-1", at(61) + AFTERMATH),
    ],
    ids=["another device", "another rule", "before it", "long after it"],
)
def test_an_alarm_that_no_label_covers_is_false(alarm: Raised) -> None:
    score = scored([label()], [alarm])
    assert score.false == (alarm,)
    assert score.false_per_1000_device_days == 10


def test_what_may_still_be_noticed_is_not_missed() -> None:
    score = evaluate([label(by=30)], [], rules=RULES, device_days=1, until=at(29))
    assert score.missed == ()
    assert score.recall is None


def test_a_rule_that_may_speak_too_is_right_and_never_missed() -> None:
    allowed = label(allows=("MH-02",))
    assert scored([allowed], [Raised("MH-02", "cover-1", at(1))]).rules["MH-02"].precision == 1
    assert scored([allowed], []).missed == (("a", "MH-01"),)


def test_a_rule_that_is_not_in_force_cannot_miss_anything() -> None:
    score = scored([label(rule="BR-02")], [])
    assert score.recall is None
    assert score.missed == ()


def test_a_group_is_noticed_as_a_group_and_its_members_may_speak() -> None:
    dark = Label(
        "dark", "dark_circuit", ("lamp-1", "lamp-2"), T0, at(60), (Expected("SL-02", at(20)),), ("SL-01",), "circuit:7"
    )
    score = scored([dark], [Raised("SL-02", "circuit:7", at(12)), Raised("SL-01", "lamp-2", at(16))])
    assert score.rules["SL-02"].recall == 1
    assert score.false == ()
    alone = scored([dark], [Raised("SL-02", "circuit:8", at(12))])
    assert alone.rules["SL-02"].recall == 0
    assert len(alone.false) == 1


def test_under_a_permit_an_alarm_is_right_and_a_case_is_not() -> None:
    permitted = label(under_permit=True)
    dispatched, told = Raised("MH-01", "cover-1", at(1)), Raised("MH-01", "cover-1", at(1), dispatched=False)
    assert (scored([permitted], [dispatched]).false, scored([permitted], [dispatched]).false_dispatches) == ((), 1)
    assert scored([permitted], [dispatched]).unwanted == (dispatched,)
    assert scored([permitted], [told]).false_dispatches == 0


@given(st.lists(st.floats(0, 1e5, allow_nan=False), min_size=1, max_size=30), st.floats(0.01, 1))
def test_a_share_of_the_finds_was_as_fast_as_said(delays: list[float], share: float) -> None:
    labels = [label(f"{n}", f"cover-{n}", end=3000) for n in range(len(delays))]
    alarms = [Raised("MH-01", f"cover-{n}", T0 + timedelta(seconds=each)) for n, each in enumerate(delays)]
    rule = scored(labels, alarms).rules["MH-01"]
    within = rule.delay_s(share)
    assert within is not None
    assert sum(each <= within + 1e-5 for each in delays) >= share * len(delays) - 1e-9


def test_an_alarm_about_something_measured_before_is_noticed_when_it_is_said() -> None:
    late = Raised("MH-01", "cover-1", at(0.5), noticed=at(30))
    slow_clock = Raised("MH-01", "cover-1", at(-0.5), noticed=at(0.5))
    assert scored([label()], [late]).rules["MH-01"].late == 1
    assert scored([label()], [slow_clock]).rules["MH-01"].recall == 1
    assert scored([label()], [slow_clock]).false == ()


def test_what_an_earlier_alarm_still_says_need_not_be_said_again() -> None:
    earlier = label("earlier")
    before = Label("later", "k", ("cover-1",), at(30), at(60), (Expected("MH-01", at(31)),))
    still, over = (Raised("MH-01", "cover-1", at(0.5), ended=at(end)) for end in (40, 20))
    assert scored([earlier, before], [still]).recall == 1
    assert scored([earlier, before], [over]).recall == 0.5


def test_an_alarm_of_a_group_is_right_where_a_member_of_it_is_in_trouble() -> None:
    groups = {"cover-1": ["grid:1:manhole", "road:A:manhole"], "cover-2": ["grid:2:manhole"]}
    alarms = [Raised("MH-01", "grid:1:manhole", at(1)), Raised("MH-01", "grid:2:manhole", at(1))]
    score = evaluate([label()], alarms, rules=RULES, device_days=1, until=at(99), groups=groups)
    assert score.recall == 1
    assert [each.device for each in score.false] == ["grid:2:manhole"]


@pytest.mark.parametrize(("wrong", "false"), [(1, 0), (2, 1)], ids=["most are right", "most are wrong"])
def test_a_storm_is_right_where_most_of_its_alarms_are(wrong: int, false: int) -> None:
    groups = {f"cover-{n}": ["desk:A"] for n in range(4)} | {"cover-9": ["desk:B"]}
    alarms = [Raised("MH-01", f"cover-{n}", at(1 + n), dispatched=False) for n in range(2 + wrong)]
    labels = [label(f"{n}", f"cover-{n}") for n in range(2)] + [label("9", "cover-9")]
    elsewhere = Raised("MH-01", "cover-9", at(2), dispatched=False)
    long_ago = Raised("MH-01", "cover-3", at(-30), dispatched=False, hushed=True)
    storm = Raised("AM-01", "desk:A", at(5.5))
    everybody = [*alarms, elsewhere, long_ago, storm]
    score = evaluate(labels, everybody, rules=RULES, device_days=1, until=at(99), groups=groups)
    assert score.false_dispatches == false
    assert (storm in score.false) == bool(false)


def test_time_that_is_coarse_makes_nothing_late() -> None:
    alarms = [Raised("MH-01", "cover-1", at(1.9))]
    assert evaluate([label()], alarms, rules=RULES, device_days=1, until=at(99)).recall == 0
    assert evaluate([label()], alarms, rules=RULES, device_days=1, until=at(99), tick=MINUTE).recall == 1


def test_what_another_alarm_explains_was_noticed_and_bothers_nobody() -> None:
    explained = Raised("MH-01", "cover-1", at(0.5), dispatched=False, hushed=True)
    elsewhere = Raised("MH-01", "cover-2", at(0.5), dispatched=False, hushed=True)
    score = scored([label()], [explained, elsewhere])
    assert (score.recall, score.false, score.rules["MH-01"].alarms) == (1, (), 0)


def test_a_rule_about_days_may_speak_of_yesterday() -> None:
    alarm = Raised("MH-01", "cover-1", at(600))
    short = scored([label()], [alarm])
    long = evaluate([label()], [alarm], rules=RULES, device_days=1, until=at(999), reach={"MH-01": timedelta(days=1)})
    assert (len(short.false), len(long.false)) == (1, 0)
