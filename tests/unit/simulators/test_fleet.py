"""The fleet sends the right messages in the right order, however it is asked."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.codecs.native import NativeCodec
from devices.rejection import Code, Rejected
from devices.topics import parse
from simulators.city import PretendCity, build_city
from simulators.faults import Fault, FaultKind, demo_faults, fault
from simulators.fleet import Fleet
from simulators.garbage import Garbage
from simulators.message import Message

CITY = build_city(seed=1, devices=120)
KNOWN = {device.device_id for device in CITY.devices}
NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)  # 12:00 in the city
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def messages(
    lasting: timedelta,
    *,
    seed: int = 1,
    faults: list[Fault] | None = None,
    garbage: float = 0,
    duplicates: float = 0,
) -> list[Message]:
    return [*Fleet(CITY, faults or [], seed, garbage, duplicates).messages(NOON, NOON + lasting)]


def test_a_seed_gives_the_same_messages_every_time() -> None:
    first, second = (messages(HOUR, garbage=0.01, duplicates=0.01) for _ in range(2))
    assert first == second


def test_another_seed_gives_other_messages() -> None:
    assert messages(MINUTE, seed=1) != messages(MINUTE, seed=2)


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 600_000), max_size=8))
def test_it_does_not_matter_how_the_time_is_cut(cuts: list[int]) -> None:
    faults = demo_faults(CITY, NOON)
    whole = messages(10 * MINUTE, faults=faults, garbage=0.02, duplicates=0.02)
    fleet = Fleet(CITY, faults, 1, 0.02, 0.02)
    times = [NOON, *(NOON + timedelta(milliseconds=cut) for cut in sorted(cuts)), NOON + 10 * MINUTE]
    assert [one for since, until in pairwise(times) for one in fleet.messages(since, until)] == whole


def test_a_call_goes_on_where_one_that_was_not_read_to_its_end_stopped() -> None:
    fleet = Fleet(CITY, [], 1)
    first = [*islice(fleet.messages(NOON, NOON + HOUR), 100)]
    assert [*first, *fleet.messages(NOON, NOON + HOUR)] == messages(HOUR)


def test_what_was_due_before_the_time_asked_for_is_left_out() -> None:
    fleet = Fleet(CITY, [], 1)
    early = [*fleet.messages(NOON, NOON + MINUTE)]
    late = [*fleet.messages(NOON + HOUR, NOON + HOUR + MINUTE)]
    assert early
    assert late
    assert late[0].at >= NOON + HOUR


def test_messages_come_in_order_of_time_and_in_time() -> None:
    sent = messages(HOUR, garbage=0.05, duplicates=0.05)
    assert all(one.at <= following.at for one, following in pairwise(sent))
    assert all(NOON <= one.at < NOON + HOUR for one in sent)


def test_a_device_reports_at_its_kinds_interval() -> None:
    times: dict[str, list[datetime]] = defaultdict(list)
    for message in messages(HOUR):
        topic = parse(message.topic)
        assert topic is not None
        if topic.kind in {"fume", "noise", "streetlight"}:
            times[message.topic].append(message.at)
            interval = CITY.kinds[topic.kind].interval
            assert [b - a for a, b in pairwise(times[message.topic][-2:])] in ([], [interval])
    assert len(times) > 80


def test_first_reports_are_spread_over_the_interval() -> None:
    lamps = [one.at for one in messages(5 * MINUTE) if "/streetlight/" in one.topic]
    assert len(lamps) == len(CITY.of_kind("streetlight"))
    assert max(Counter((at - NOON) // MINUTE for at in lamps).values()) < len(lamps) / 2


def test_some_covers_send_their_daily_heartbeat_early_and_all_within_a_day() -> None:
    underground = PretendCity(tuple(CITY.of_kind("manhole")), CITY.kinds)
    covers = [*Fleet(underground, [], 1).messages(NOON, NOON + 24 * HOUR)]
    assert len(covers) == len(underground.devices)
    assert len([one for one in covers if one.at < NOON + 10 * MINUTE]) >= 3
    assert {msgspec.json.decode(one.payload)["type"] for one in covers} == {"heartbeat"}


def test_a_device_counts_its_messages_and_none_share_a_time() -> None:
    readings: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for message in messages(HOUR, faults=demo_faults(CITY, NOON)):
        reading = msgspec.json.decode(message.payload)
        readings[message.topic.split("/")[3]].append((reading["ts"], reading["seq"]))
    for sent in readings.values():
        assert [seq for _, seq in sent] == [*range(1, len(sent) + 1)]
        assert len({ts for ts, _ in sent}) == len(sent)


def test_two_faults_that_begin_together_do_not_share_a_message_time() -> None:
    cover = CITY.of_kind("manhole")[0]
    kinds = (FaultKind.COVER_OPENED, FaultKind.LOW_BATTERY)
    faults = [fault(kind, cover, NOON, NOON + 5 * MINUTE) for kind in kinds]
    events = [one for one in messages(MINUTE, faults=faults) if one.topic.endswith("/event")]
    of_cover = [one.at - NOON for one in events if cover.device_id in one.topic]
    assert of_cover == [timedelta(), timedelta(milliseconds=1)]


def test_a_fault_that_begins_between_two_milliseconds_shows_in_its_first_message() -> None:
    cover = CITY.of_kind("manhole")[0]
    start = NOON + timedelta(microseconds=1500)
    opened = fault(FaultKind.COVER_OPENED, cover, start, start + HOUR)
    first = next(one for one in messages(MINUTE, faults=[opened]) if one.topic.endswith(f"{cover.device_id}/event"))
    assert msgspec.json.decode(first.payload)["m"]["open_state"] == "open"


def test_a_duplicate_is_the_same_message_some_seconds_later() -> None:
    sent = messages(HOUR, duplicates=0.01)
    times: dict[tuple[str, bytes], list[datetime]] = defaultdict(list)
    for one in sent:
        times[one.topic, one.payload].append(one.at)
    twice = [at for at in times.values() if len(at) > 1]
    assert 0.005 < len(twice) / len(times) < 0.015
    assert all(timedelta() < second - first < timedelta(seconds=21) for first, second in twice)


def test_garbage_comes_at_its_rate_beside_unchanged_messages() -> None:
    clean, littered = messages(HOUR), messages(HOUR, garbage=0.02)
    garbage = Counter(littered) - Counter(clean)
    assert not Counter(clean) - Counter(littered)
    assert 0.01 < garbage.total() / len(clean) < 0.03


@pytest.mark.parametrize("how", Garbage)
def test_each_sort_of_garbage_is_turned_away_for_its_reason(how: Garbage) -> None:
    codecs = {name: NativeCodec(kind) for name, kind in CITY.kinds.items()}
    clean = Counter(messages(HOUR))
    reasons: Counter[str] = Counter()
    for message in (Counter(messages(HOUR, garbage=0.05)) - clean).elements():
        topic = parse(message.topic)
        assert topic is not None
        if topic.device_id not in KNOWN:
            reasons[Code.UNREGISTERED] += 1
            continue
        [outcome] = codecs[topic.kind].decode(message.payload, topic.device_id)
        assert isinstance(outcome, Rejected), message
        reasons[outcome.code] += 1
    assert reasons[how.value] > 0
    assert {*reasons} <= {*Garbage}
