"""What happens to messages on their way, each at its rate."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest

from devices.moments import MICROS
from simulators.city import PretendCity, build_city
from simulators.fleet import Fleet
from simulators.message import Message
from simulators.story import Story

WHOLE = build_city(seed=1, devices=400)
METERS = PretendCity(tuple(WHOLE.of_kind("noise")), WHOLE.kinds)
NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
UNTIL_EVENING = 11 * HOUR


def sent(lasting: timedelta = 2 * HOUR, **line: float) -> list[Message]:
    return [*Fleet(METERS, Story(lines={"noise": line}), 1).messages(NOON, NOON + lasting)]


def ts_of(message: Message) -> int:
    return int(msgspec.json.decode(message.payload)["ts"]) * 1000


CLEAN = sent()


def test_lost_messages_leave_gaps_in_the_count_at_their_rate() -> None:
    left = sent(loss=0.05)
    assert set(left) < set(CLEAN)
    assert 0.035 < 1 - len(left) / len(CLEAN) < 0.065


def test_a_duplicate_is_the_same_message_some_seconds_later() -> None:
    times: dict[tuple[str, bytes], list[int]] = defaultdict(list)
    for one in sent(duplicates=0.05):
        times[one.topic, one.payload].append(one.at)
    twice = [at for at in times.values() if len(at) > 1]
    assert 0.03 < len(twice) / len(times) < 0.07
    assert all(0 < second - first < 21 * MICROS for first, second in twice)


def test_late_messages_come_out_of_order_and_hours_later() -> None:
    arrived = sent(3 * HOUR, late=0.1, late_by_s=7200)
    delays = [(one.at - ts_of(one)) / MICROS for one in arrived]
    assert max(delays) > 3600
    assert all(0 <= delay <= 7200 for delay in delays)
    assert any(ts_of(after) < ts_of(before) for before, after in pairwise(arrived))


def test_what_a_gateway_held_back_comes_in_a_burst_in_order() -> None:
    arrived = sent(UNTIL_EVENING, outages_a_day=1, outage_s=1800)
    held: dict[str, list[Message]] = defaultdict(list)
    for one in arrived:
        if one.at - ts_of(one) > 0:
            held[one.topic].append(one)
    assert held
    for burst in held.values():
        assert len(burst) > 5
        assert burst[-1].at - burst[0].at <= 2 * MICROS
        assert [ts_of(one) for one in burst] == sorted(map(ts_of, burst))


def test_a_wrong_clock_is_always_wrong_by_the_same() -> None:
    shifts: dict[str, set[int]] = defaultdict(set)
    for one in sent(clocks_off=0.3, clock_off_by_s=40):
        shifts[one.topic].add(ts_of(one) - one.at)
    wrong = [next(iter(each)) for each in shifts.values() if each != {0}]
    assert 0.1 < len(wrong) / len(shifts) < 0.5
    assert all(len(each) == 1 for each in shifts.values())
    assert all(abs(each) <= 40 * MICROS for each in wrong)


def test_a_clock_that_jumps_is_behind_for_an_hour() -> None:
    behind = Counter(
        one.topic for one in sent(UNTIL_EVENING, clock_jumps_a_day=0.8, clock_jump_s=5400) if ts_of(one) < one.at
    )
    assert behind
    assert 59 <= max(behind.values()) <= 61


def test_a_gateway_repeats_the_last_reading_under_a_new_time() -> None:
    said: dict[tuple[str, int], list[Message]] = defaultdict(list)
    for one in sent(gateway_repeats=0.05):
        said[one.topic, msgspec.json.decode(one.payload)["seq"]].append(one)
    twice = [each for each in said.values() if len(each) == 2]
    assert 0.03 < len(twice) / len(said) < 0.07
    for first, second in twice:
        assert msgspec.json.decode(first.payload)["m"] == msgspec.json.decode(second.payload)["m"]
        assert ts_of(first) < ts_of(second)


def test_a_device_that_starts_anew_counts_from_one() -> None:
    counts: dict[str, list[int]] = defaultdict(list)
    for one in sent(UNTIL_EVENING, reboots_a_day=0.9):
        counts[one.topic].append(msgspec.json.decode(one.payload)["seq"])
    anew = [each for each in counts.values() if each.count(1) == 2]
    assert len(anew) > len(counts) / 5
    for each in counts.values():
        assert all(after in {before + 1, 1} for before, after in pairwise(each))


@pytest.mark.parametrize("sleep_s", [300, 900])
def test_a_radio_that_sleeps_sends_what_has_gathered_when_it_wakes(sleep_s: int) -> None:
    arrivals: dict[str, set[int]] = defaultdict(set)
    for one in sent(sleep_s=sleep_s):
        arrivals[one.topic].add(one.at)
        assert 0 <= one.at - ts_of(one) <= sleep_s * MICROS
    for times in arrivals.values():
        assert all((after - before) % (sleep_s * MICROS) == 0 for before, after in pairwise(sorted(times)))
