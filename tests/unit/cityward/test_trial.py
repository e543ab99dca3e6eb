"""A trial's time, what its alarms and cases are taken for, and when it has failed."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cityward.clock import Driven
from cityward.trial.driving import Course
from cityward.trial.evaluating import evaluate
from cityward.trial.outcome import Goals, Outcome, case_times, raised, share
from ingest.messages import Ledger
from simulators.labels import Expected, Label
from storage.outcome import Activation, Dispatched

T0 = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(minutes: float) -> datetime:
    return T0 + minutes * MINUTE


def activation(number: int, minute: float, *, hushed: bool = False, ended: float | None = None) -> Activation:
    over = None if ended is None else at(ended)
    return Activation(number, "MH-01", "cover-1", at(minute), at(minute + 1), hushed, over)


def case(opened: float, closed: float | None = None) -> Dispatched:
    over = None if closed is None else at(closed)
    return Dispatched("1", "MH-01", "cover-1", at(opened), over, fix_by=at(100), outcome="")


def outcome(*, published: int = 10, labels: int = 0, false: int = 0) -> Outcome:
    truth = [Label(f"{n}", "k", (f"cover-{n + 1}",), T0, at(9), (Expected("MH-01", at(9)),)) for n in range(labels)]
    alarms = raised(
        [activation(n, 10 * n) for n in range(false)], [case(10 * n + 1) for n in range(false)], at(60), MINUTE
    )
    score = evaluate(truth, alarms, rules=["MH-01"], device_days=1000, until=at(60))
    return Outcome("s", 1000, 1, T0, at(60), truth, alarms, [], score, published, Ledger(10, 8, 1, 1), 5.0)


def test_a_driven_clock_stands_until_it_is_moved_and_shows_everybody_the_same(tmp_path: Path) -> None:
    mover = Driven.create(tmp_path / "time", T0)
    follower = Driven(tmp_path / "time")
    assert (follower.now(), follower.now()) == (T0, T0)
    mover.move(at(1))
    assert follower.now() == mover.now() == at(1)
    mover.move(T0)
    assert follower.now() == at(1)


@given(st.integers(1, 300), st.integers(1, 60))
def test_a_course_is_cut_into_ticks_without_a_gap(minutes: int, seconds: int) -> None:
    ticks = [*Course(T0, at(minutes), timedelta(seconds=seconds)).ticks()]
    assert (ticks[0][0], ticks[-1][1]) == (T0, at(minutes))
    assert all(one[1] == other[0] for one, other in itertools.pairwise(ticks))
    assert all(timedelta() < until - since <= timedelta(seconds=seconds) for since, until in ticks)


def test_a_case_counts_for_the_last_activation_before_it_that_people_were_told_of() -> None:
    told = [activation(1, 0, ended=5), activation(1, 10), activation(2, 11, hushed=True), activation(3, 50)]
    alarms = raised(told, [case(12)], at(60), MINUTE)
    assert [(each.number, each.dispatched) for each in alarms] == [(1, False), (1, True), (2, False), (3, False)]
    assert [each.ended for each in alarms] == [at(5), at(60), at(60), at(60)]
    assert [each.known for each in alarms] == [at(1), at(11), at(12), at(51)]


def test_cases_say_how_soon_they_came_and_how_long_they_were_open() -> None:
    cases = [case(2, 22), case(30, 110), case(50)]
    alarms = raised([activation(1, 0), activation(2, 28), activation(3, 48)], cases, at(200), MINUTE)
    times = case_times(alarms, cases, at(200))
    assert times["opened_after_s"] == {"p50": 60, "p95": 60}
    assert times["closed"] == {"count": 2, "p50_min": 20, "p95_min": 80}
    assert times["overdue"] == 2


def test_goals_that_are_not_reached_are_named() -> None:
    goals = Goals(recall=0.99, false=1)
    assert outcome().problems(goals) == []
    assert outcome(labels=2).problems(goals) == ["recall 0.0000 is below 0.99"]
    assert outcome(false=1).problems(goals) == []
    assert outcome(false=2).problems(goals) == ["2.00 false dispatches in 1,000 device-days are more than 1"]
    assert outcome(published=11).problems(goals) == ["11 messages were published and 10 received"]
    assert replace(outcome(), cut_short=True).problems(goals) == ["it was stopped before its end"]


def test_the_last_line_has_what_others_ask_for() -> None:
    said = outcome(labels=1, false=1).as_json(Goals(0.99, 1))
    assert said.keys() >= {"recall", "precision", "false_dispatches_per_1000_device_days", "delay_p95_s", "ledger"}
    assert said["ledger"] == {"received": 10, "stored": 8, "duplicate": 1, "quarantined": 1}
    assert said["missed"] == []
    assert said["delay_p95_s"] == 60
    assert outcome().as_json(Goals(0, 0))["precision"] is None


def test_of_nothing_there_is_no_share() -> None:
    assert share([], 0.5) is None
    assert share([1, 2, 3, 4], 0.5) == 2
