"""The fleet sends the right messages in the right order, however it is asked."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.codecs.native import NativeCodec
from devices.moments import MICROS
from devices.rejection import Code, Rejected
from devices.topics import parse
from simulators.city import PretendCity, build_city
from simulators.faults import MINUTE, FaultKind, fault
from simulators.fleet import Fleet
from simulators.garbage import Garbage
from simulators.message import Message
from simulators.scenario import load_scenario
from simulators.story import Story
from simulators.telling import tell

CITY = build_city(seed=1, devices=120)
KNOWN = {device.device_id for device in CITY.devices}
NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)  # 12:00 in the city
START = round(NOON.timestamp()) * MICROS
HOUR = timedelta(hours=1)
NUISANCES = tell(load_scenario("nuisances", tuple(CITY.kinds)), CITY, NOON, 1)


def messages(lasting: timedelta, *, seed: int = 1, story: Story | None = None, **line: float) -> list[Message]:
    told = story or Story(lines={"all": line})
    return [*Fleet(CITY, told, seed).messages(NOON, NOON + lasting)]


def test_a_seed_gives_the_same_messages_every_time() -> None:
    first, second = (messages(HOUR, story=NUISANCES) for _ in range(2))
    assert first == second


def test_another_seed_gives_other_messages() -> None:
    assert messages(timedelta(minutes=2), seed=1) != messages(timedelta(minutes=2), seed=2)


@settings(max_examples=20)
@given(cuts=st.lists(st.integers(0, 600_000), max_size=8))
def test_it_does_not_matter_how_the_time_is_cut(cuts: list[int]) -> None:
    lasting = timedelta(minutes=10)
    whole = messages(lasting, story=NUISANCES)
    fleet = Fleet(CITY, NUISANCES, 1)
    times = [NOON, *(NOON + timedelta(milliseconds=cut) for cut in sorted(cuts)), NOON + lasting]
    assert [one for since, until in pairwise(times) for one in fleet.messages(since, until)] == whole


def test_a_reading_does_not_depend_on_when_the_fleet_was_started() -> None:
    early = Fleet(CITY, Story(), 1).messages(NOON - HOUR, NOON + HOUR)
    late = Fleet(CITY, Story(), 1).messages(NOON, NOON + HOUR)

    def measured(message: Message) -> tuple[str, int, object]:
        reading = msgspec.json.decode(message.payload)
        return message.topic, reading["ts"], reading["m"]  # the counter begins with the fleet

    assert [measured(each) for each in early if each.at >= START] == [*map(measured, late)]


def test_a_call_goes_on_where_one_that_was_not_read_to_its_end_stopped() -> None:
    fleet = Fleet(CITY, Story(), 1)
    first = [*islice(fleet.messages(NOON, NOON + HOUR), 100)]
    assert [*first, *fleet.messages(NOON, NOON + HOUR)] == messages(HOUR)


def test_what_was_due_before_the_time_asked_for_is_left_out() -> None:
    fleet = Fleet(CITY, Story(), 1)
    assert [*fleet.messages(NOON, NOON + timedelta(minutes=1))]
    late = [*fleet.messages(NOON + HOUR, NOON + HOUR + timedelta(minutes=1))]
    assert late
    assert late[0].at >= START + 60 * MINUTE


def test_messages_come_in_order_of_time_and_in_time() -> None:
    sent = messages(HOUR, story=NUISANCES)
    assert all(one.at <= following.at for one, following in pairwise(sent))
    assert all(START <= one.at < START + 60 * MINUTE for one in sent)


def test_a_device_reports_at_its_kinds_interval() -> None:
    times: dict[str, list[int]] = defaultdict(list)
    for message in messages(HOUR):
        topic = parse(message.topic)
        assert topic is not None
        if topic.kind in {"fume", "noise"}:
            times[message.topic].append(message.at)
    assert len(times) > 25
    for sent in times.values():
        assert all(abs(after - before - MINUTE) < MICROS for before, after in pairwise(sent))


@pytest.mark.parametrize(("local", "minutes"), [(13, 30), (20, 5)])
def test_a_lamp_reports_every_half_hour_by_day_and_every_five_minutes_by_night(local: int, minutes: int) -> None:
    since = NOON + (local - 12) * HOUR
    sent = [*Fleet(CITY, Story(), 1).messages(since, since + HOUR)]
    lamps = Counter(each.topic for each in sent if "/streetlight/" in each.topic)
    assert set(lamps.values()) <= {60 // minutes - 1, 60 // minutes, 60 // minutes + 1}


def test_lamps_tell_that_they_are_switched_on() -> None:
    sent = Fleet(CITY, Story(), 1).messages(NOON + 4 * HOUR, NOON + 6 * HOUR)
    events = [
        msgspec.json.decode(one.payload)["m"] for one in sent if "/streetlight/" in one.topic and "event" in one.topic
    ]
    assert len(events) == len(CITY.of_kind("streetlight"))
    assert all(each["dim_level"] == 100 for each in events)


def test_first_reports_are_spread_over_the_interval() -> None:
    minutes = Counter(
        (one.at - START) // (6 * MICROS) for one in messages(timedelta(minutes=1)) if "/noise/" in one.topic
    )
    assert len(minutes) >= 6


def test_every_cover_sends_a_heartbeat_a_day() -> None:
    underground = PretendCity(tuple(CITY.of_kind("manhole")), CITY.kinds)
    covers = [*Fleet(underground, Story(), 1).messages(NOON, NOON + 48 * HOUR)]
    beats = Counter(one.topic for one in covers)
    assert len(beats) == len(underground.devices)
    assert set(beats.values()) <= {1, 2, 3}
    assert {msgspec.json.decode(one.payload)["type"] for one in covers} == {"heartbeat"}


def test_a_device_counts_its_messages_and_none_share_a_time() -> None:
    readings: dict[str, list[tuple[int, int]]] = defaultdict(list)
    story = tell(load_scenario("demo", tuple(CITY.kinds)), CITY, NOON, 1)
    for message in messages(HOUR, story=Story(story.faults)):
        reading = msgspec.json.decode(message.payload)
        readings[message.topic.split("/")[3]].append((reading["ts"], reading["seq"]))
    for sent in readings.values():
        assert [seq for _, seq in sent] == [*range(1, len(sent) + 1)]
        assert len({ts for ts, _ in sent}) == len(sent)


def test_two_faults_that_begin_together_do_not_share_a_message_time() -> None:
    cover = CITY.of_kind("manhole")[0]
    kinds = (FaultKind.COVER_OPENED, FaultKind.LOW_BATTERY)
    story = Story(tuple(fault(kind, cover, START, START + 5 * MINUTE) for kind in kinds))
    events = [one for one in messages(timedelta(minutes=1), story=story) if one.topic.endswith("/event")]
    assert [one.at - START for one in events if cover.device_id in one.topic] == [0, 1000]


def test_a_swapped_sensor_is_silent_and_then_counts_from_one() -> None:
    meter = CITY.of_kind("noise")[0]
    story = Story((fault(FaultKind.SENSOR_SWAP, meter, START + 10 * MINUTE, START + 20 * MINUTE),))
    sent = [one for one in messages(HOUR, story=story) if meter.device_id in one.topic]
    seqs = [msgspec.json.decode(one.payload)["seq"] for one in sent]
    assert seqs == [*range(1, 11), *range(1, len(seqs) - 9)]
    assert not [one for one in sent if START + 10 * MINUTE <= one.at < START + 20 * MINUTE]


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
