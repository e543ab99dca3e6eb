from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.observing import Observation, interrupted, met, observe
from rules.rule import AT_ONCE, Hold

SECOND = 1_000_000
MINUTE = 60 * SECOND
MAX_GAP = 3 * MINUTE
START = 1_795_190_400_000_000  # 2026-11-21 00:00 in the city

# Seconds to the next reading, and whether the condition holds then.
gaps = st.one_of(st.integers(1, 400), st.sampled_from([180, 181, 600, 3600]))
stories = st.lists(st.tuples(gaps, st.booleans()), max_size=40)
times = st.integers(1, 1200).map(SECOND.__mul__)
unbroken = st.one_of(
    st.builds(Hold, samples=st.integers(1, 5)),
    st.builds(Hold, duration=times),
    st.builds(Hold, samples=st.integers(1, 5), duration=times),
)
windows = st.builds(Hold, samples=st.integers(1, 5), within=times)
holds = st.one_of(unbroken, windows)


def watched(
    story: Sequence[tuple[int, bool]], hold: Hold, max_gap: int = MAX_GAP
) -> Iterator[tuple[int, bool, Observation | None]]:
    """Time, whether the condition held, and the observation after each reading of a story."""
    at, seen = START, None
    for gap, holding in story:
        at += gap * SECOND
        seen = observe(seen, at, hold, max_gap) if holding else interrupted(seen, at, hold)
        yield at, holding, seen


def fulfilled(story: Sequence[tuple[int, bool]], hold: Hold) -> list[bool]:
    return [seen is not None and met(seen, hold) for _, _, seen in watched(story, hold)]


def test_at_once_means_the_first_sample() -> None:
    assert fulfilled([(60, True)], AT_ONCE) == [True]


def test_samples_count_in_a_row() -> None:
    story = [(60, True), (60, True), (60, False), (60, True), (60, True), (60, True)]
    assert fulfilled(story, Hold(samples=3)) == [False, False, False, False, False, True]


def test_a_duration_is_met_by_the_sample_that_completes_it() -> None:
    story = [(60, True), (60, True), (60, True), (60, True)]
    assert fulfilled(story, Hold(duration=2 * MINUTE)) == [False, False, True, True]


def test_a_single_sample_lasts_no_time() -> None:
    assert fulfilled([(60, True)], Hold(duration=SECOND)) == [False]


def test_whichever_comes_first_of_samples_and_duration() -> None:
    hold = Hold(samples=3, duration=150 * SECOND)
    assert fulfilled([(60, True), (60, True), (60, True)], hold) == [False, False, True]
    assert fulfilled([(60, True), (170, True)], hold) == [False, True]


@pytest.mark.parametrize(("gap", "samples"), [(180, 2), (181, 1)])
def test_a_gap_longer_than_allowed_begins_a_new_observation(gap: int, samples: int) -> None:
    *_, (at, _, seen) = watched([(60, True), (gap, True)], Hold(samples=5))
    assert seen is not None
    assert seen.samples == samples
    assert seen.since == (at if samples == 1 else at - gap * SECOND)


def test_time_in_a_gap_is_not_observed() -> None:
    story = [(60, True), (60, True), (3600, True), (60, True)]
    assert not any(fulfilled(story, Hold(duration=10 * MINUTE)))


def test_samples_within_a_window_need_not_follow_each_other() -> None:
    hold = Hold(samples=3, within=10 * MINUTE)
    story = [(60, True), (60, False), (240, True), (60, False), (240, True)]
    assert fulfilled(story, hold) == [False, False, False, False, True]


@pytest.mark.parametrize(("last", "expected"), [(300, True), (301, False)])
def test_a_window_takes_in_both_of_its_ends(last: int, expected: bool) -> None:  # noqa: FBT001 - the expected answer
    story = [(60, True), (300, True), (last, True)]
    assert fulfilled(story, Hold(samples=3, within=10 * MINUTE))[-1] is expected


def test_a_window_does_not_mind_a_gap() -> None:
    hold = Hold(samples=2, within=10 * MINUTE)
    assert fulfilled([(60, True), (599, True)], hold) == [False, True]


def test_a_window_is_forgotten_when_its_last_hit_is_too_old() -> None:
    hold = Hold(samples=2, within=10 * MINUTE)
    assert [seen is None for _, _, seen in watched([(60, True), (600, False), (1, False)], hold)] == [
        False, False, True,
    ]  # fmt: skip


def test_false_ends_what_must_be_unbroken() -> None:
    seen = observe(None, START, Hold(samples=3), MAX_GAP)
    assert interrupted(seen, START + SECOND, Hold(samples=3)) is None
    assert interrupted(None, START, Hold(samples=3)) is None


@given(story=stories, hold=holds)
def test_observed_time_lies_within_what_was_seen(story: list[tuple[int, bool]], hold: Hold) -> None:
    first_true: int | None = None
    for at, holding, seen in watched(story, hold):
        first_true = at if first_true is None and holding else first_true
        if seen is None:
            continue
        assert first_true is not None
        assert first_true <= seen.since <= seen.last <= at
        assert seen.last == at or not holding
        assert seen.samples >= 1


@given(story=stories, hold=unbroken)
def test_no_observation_spans_a_false_reading_or_too_long_a_gap(story: list[tuple[int, bool]], hold: Hold) -> None:
    run: list[int] = []
    for at, holding, seen in watched(story, hold):
        if not holding:
            run = []
            assert seen is None
            continue
        run = [*run, at] if run and at - run[-1] <= MAX_GAP else [at]
        assert seen == Observation(run[0], run[-1], len(run))


@given(story=stories, hold=windows)
def test_a_window_is_met_exactly_when_enough_hits_lie_in_it(story: list[tuple[int, bool]], hold: Hold) -> None:
    hits: list[int] = []
    for at, holding, seen in watched(story, hold):
        if holding:
            hits.append(at)
            assert seen is not None
            assert met(seen, hold) == (len([hit for hit in hits if at - hit <= hold.within]) >= hold.samples)
            assert len(seen.hits) <= hold.samples
            assert all(earlier < later for earlier, later in pairwise(seen.hits))


@given(story=stories, hold=holds, cut=st.integers(0, 40))
def test_an_observation_goes_on_where_it_was_left(story: list[tuple[int, bool]], hold: Hold, cut: int) -> None:
    whole = [seen for _, _, seen in watched(story, hold)]
    *_, (at, _, seen) = [(START, False, None), *watched(story[:cut], hold)]
    for (gap, holding), expected in zip(story[cut:], whole[cut:], strict=True):
        at += gap * SECOND
        seen = observe(seen, at, hold, MAX_GAP) if holding else interrupted(seen, at, hold)
        assert seen == expected
