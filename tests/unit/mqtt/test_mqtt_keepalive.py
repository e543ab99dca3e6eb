"""The keep-alive, at given times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.mqtt.keepalive import KeepAlive


@pytest.mark.parametrize(("now", "due"), [(100, False), (114.9, False), (115, True), (1000, True)])
def test_it_asks_after_half_the_interval_without_a_word(now: float, due: bool) -> None:  # noqa: FBT001
    assert KeepAlive(30, now=100).must_ask(now) is due


def test_whatever_is_said_puts_off_the_question() -> None:
    keepalive = KeepAlive(30, now=100)
    keepalive.spoke(110)
    assert not keepalive.must_ask(124.9)
    assert keepalive.must_ask(125)


def test_it_asks_once_and_waits_a_whole_interval_for_an_answer() -> None:
    keepalive = KeepAlive(30, now=100)
    keepalive.asked(115)
    assert not keepalive.must_ask(144.9)
    assert not keepalive.is_dead(144.9)
    assert keepalive.is_dead(145)


def test_whatever_is_heard_is_an_answer() -> None:
    keepalive = KeepAlive(30, now=100)
    keepalive.asked(115)
    keepalive.heard()
    assert not keepalive.is_dead(1000)
    assert keepalive.must_ask(130)


@pytest.mark.parametrize(("offered", "asks_at"), [(10, 5), (60, 15), (0, 15)])
def test_the_shorter_interval_wins_and_none_means_ours(offered: float, asks_at: float) -> None:
    keepalive = KeepAlive(30, now=0)
    keepalive.agree(offered)
    assert not keepalive.must_ask(asks_at - 0.1)
    assert keepalive.must_ask(asks_at)


@given(st.integers(1, 15), st.lists(st.floats(0, 0.5), max_size=60))
def test_looked_at_twice_a_second_it_never_lets_the_broker_wait_for_one_and_a_half_intervals(
    interval: int, steps: list[float]
) -> None:
    keepalive, now, spoke = KeepAlive(interval, now=0.0), 0.0, 0.0
    for step in steps:
        now += step
        assert now - spoke < 1.5 * interval
        if keepalive.must_ask(now):
            keepalive.asked(now)
            keepalive.heard()
            spoke = now
