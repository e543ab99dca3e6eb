"""From messages to columns: nothing is lost, nothing is invented, nothing a device sends raises."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.codecs.decoded import Aside
from devices.device import Device
from devices.kind import load_kinds
from devices.quality import Quality
from devices.readings import MESSAGE_TYPES, NO_SEQUENCE, Readings
from devices.registry import Registry
from devices.rejection import Code
from ingest.decoding import CLOCK_AHEAD, MAX_PAYLOAD, Decoder
from ingest.messages import Batch, DecodedBatch, Message, Status
from tests.hj212 import frame

KINDS = load_kinds()
NOW = 1_795_291_200_000_000  # µs
NOW_MS = NOW // 1000


def device(number: int, kind: str) -> Device:
    return Device(id=number, device_id=f"d-{number}", kind=kind, name="", district="east", lon=114.3, lat=30.6)


DEVICES = [device(7, "manhole"), device(3, "manhole"), device(12, "bridge"), device(5, "streetlight")]
METER = device(9, "noise")
DECODER = Decoder(Registry(KINDS, [*DEVICES, METER]))
TOPICS = {each.id: f"city/east/{each.kind}/{each.device_id}/up" for each in DEVICES}


def message(device_id: int, payload: object) -> Message:
    raw = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
    return Message(TOPICS[device_id], raw)


def reading(ts: int = NOW_MS, seq: int = 0, **metrics: object) -> dict[str, object]:
    return {"ts": ts, "seq": seq, "m": metrics}


def hj212(data: str = "", *, channel: str = "up/hj212", spoil: bytes = b"") -> Message:
    whole = frame(data or "ST=23;CN=2011;MN=d-9;CP=&&DataTime=20261122040000;LA-Rtd=50.1&&")
    return Message(f"city/east/noise/d-9/{channel}", whole.replace(b"50.1", spoil) if spoil else whole)


def decode(*messages: Message) -> DecodedBatch:
    return DECODER.decode(Batch(list(messages), NOW))


def columns(*messages: Message) -> Readings:
    batch = decode(*messages)
    assert batch.rejected == []
    [readings] = batch.readings
    return readings


WRONG = {
    Code.EMPTY: message(7, b""),
    Code.TOO_LARGE: message(7, b" " * MAX_PAYLOAD + b"1"),
    Code.BAD_TOPIC: Message("city/east/manhole/d-7", b"{}"),
    Code.UNKNOWN_KIND: Message("city/east/fountain/d-7/up", b"{}"),
    Code.UNREGISTERED: Message("city/east/manhole/d-8/up", b"{}"),
    Code.UNKNOWN_CODEC: hj212(channel="up/hj213"),
    Code.MALFORMED: message(7, b"{"),
    Code.BAD_CHECKSUM: hj212(spoil=b"60.1"),
    Code.WRONG_IDENTITY: hj212("ST=23;CN=2011;MN=d-7;CP=&&DataTime=20261122040000;LA-Rtd=50.1&&"),
    Code.UNSUPPORTED: hj212("ST=91;CN=9021;MN=d-9;CP=&&&&"),
    Code.WRONG_TYPE: message(7, reading(tilt="1.5")),
    Code.NON_FINITE: message(7, b'{"ts": 1795291200000, "m": {"tilt": NaN}}'),
    Code.BAD_TIME: message(7, reading(NOW_MS // 1000)),
    Code.CLOCK_SKEW: message(7, reading(NOW_MS + 301_000)),
}


def test_every_reason_but_those_of_the_database_is_found_here() -> None:
    assert set(WRONG) == set(Code) - {Code.CONFLICT, Code.UNSTORABLE}


@pytest.mark.parametrize("code", WRONG)
def test_a_message_that_cannot_be_read_is_refused_for_its_reason(code: Code) -> None:
    batch = decode(message(3, reading()), WRONG[code])
    [rejected] = batch.rejected
    assert (rejected.code, rejected.message) == (code, 1)
    assert rejected.detail
    assert batch.received == 2


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (Code.TOO_LARGE, f"{MAX_PAYLOAD + 1} bytes; at most {MAX_PAYLOAD}"),
        (Code.BAD_TOPIC, "city/<district>/<kind>/<device_id>/up"),
        (Code.UNKNOWN_KIND, "'fountain' is not one of bridge, fume, manhole, noise, streetlight"),
        (Code.UNREGISTERED, "no manhole 'd-8' in district 'east'"),
        (Code.UNKNOWN_CODEC, "a noise does not speak 'hj213'; beside …/up …/up/hj212"),
        (Code.CLOCK_SKEW, "301 s ahead; at most 300 s"),
    ],
)
def test_a_refusal_says_what_was_found_and_what_would_be_right(code: Code, hint: str) -> None:
    assert hint in decode(WRONG[code]).rejected[0].detail


def test_a_device_is_not_heard_under_another_kind_or_district() -> None:
    payload = msgspec.json.encode(reading())
    batch = decode(Message("city/east/streetlight/d-7/up", payload), Message("city/west/manhole/d-7/up", payload))
    assert [rejected.code for rejected in batch.rejected] == [Code.UNREGISTERED] * 2


def test_a_codec_reads_what_comes_under_its_name() -> None:
    readings = columns(hj212())
    assert (readings.kind.name, readings.device.tolist(), readings.ts.tolist()) == ("noise", [9], [NOW])
    assert readings.metric("la").tolist() == [50.1]


def test_a_codec_reads_no_more_than_the_native_format_may_hold() -> None:
    [rejected] = decode(Message(hj212().topic, hj212().payload.ljust(MAX_PAYLOAD + 1))).rejected
    assert rejected.code is Code.TOO_LARGE


@pytest.mark.parametrize(
    ("topic", "code"),
    [
        ("city/east/manhole/d-7/up/hj212", Code.UNKNOWN_CODEC),
        ("city/east/noise/d-9/up/native", Code.UNKNOWN_CODEC),
        ("city/east/noise/d-9/event/hj212", Code.BAD_TOPIC),
        ("city/east/noise/d-9/up/hj212/up", Code.BAD_TOPIC),
        ("city/east/noise/d-8/up/hj212", Code.UNREGISTERED),
        ("city/east/fountain/d-9/up/hj212", Code.UNKNOWN_KIND),
    ],
)
def test_a_codec_is_chosen_by_a_topic_of_a_device_whose_kind_speaks_it(topic: str, code: Code) -> None:
    [rejected] = decode(Message(topic, hj212().payload)).rejected
    assert rejected.code is code


def test_frames_joined_in_one_message_are_counted_one_by_one() -> None:
    two = hj212().payload + hj212(spoil=b"60.1").payload + hj212().payload.replace(b"0063", b"063x")
    batch = decode(message(3, reading()), Message(hj212().topic, two))
    assert [(each.code, each.message, each.part) for each in batch.rejected] == [
        (Code.BAD_CHECKSUM, 1, 1),
        (Code.MALFORMED, 1, 2),
    ]
    assert batch.received == 4


def test_the_largest_payload_allowed_is_read() -> None:
    payload = msgspec.json.encode(reading())
    assert len(columns(message(7, payload.ljust(MAX_PAYLOAD)))) == 1


def test_an_array_of_more_elements_than_can_be_readings_is_refused_unlooked_at() -> None:
    (rejected,) = decode(message(7, [0] * 10_001)).rejected
    assert (rejected.code, rejected.part) == (Code.TOO_LARGE, -1)
    assert rejected.detail == "10001 elements in one array; at most 10000 are taken"


def test_a_clock_may_run_ahead_as_far_as_allowed() -> None:
    ahead = NOW + CLOCK_AHEAD
    assert columns(message(7, reading(ahead // 1000))).ts.tolist() == [ahead]


def test_an_event_is_read_as_a_report_is() -> None:
    topic = TOPICS[7].replace("/up", "/event")
    readings = columns(Message(topic, msgspec.json.encode({**reading(tilt=70), "type": "event"})))
    assert MESSAGE_TYPES[readings.type[0]] == "event"


def test_an_empty_batch_is_a_tick() -> None:
    batch = decode()
    assert (batch.readings, batch.rejected, batch.received) == ([], [], 0)


def test_good_readings_stand_in_order_of_device_and_time_whatever_came_between() -> None:
    batch = decode(
        message(7, [reading(NOW_MS - 1, 1), reading(NOW_MS - 3, 2)]),
        WRONG[Code.MALFORMED],
        message(3, reading(NOW_MS, 3)),
        message(12, reading(NOW_MS - 9, 4)),
        WRONG[Code.UNREGISTERED],
        message(7, [reading(NOW_MS - 2, 5), 17, reading(NOW_MS + 999_999, 6)]),
        message(3, reading(NOW_MS - 8, 7)),
    )
    by_kind = {readings.kind.name: readings for readings in batch.readings}
    covers = by_kind["manhole"]
    assert covers.device.tolist() == [3, 3, 7, 7, 7]
    assert covers.seq.tolist() == [7, 3, 2, 5, 1]
    assert covers.message.tolist() == [6, 2, 0, 5, 0]
    assert covers.ts.tolist() == [(NOW_MS - ago) * 1000 for ago in (8, 0, 3, 2, 1)]
    assert by_kind["bridge"].message.tolist() == [3]
    assert [(rejected.code, rejected.message) for rejected in batch.rejected] == [
        (Code.MALFORMED, 1),
        (Code.UNREGISTERED, 4),
        (Code.WRONG_TYPE, 5),
        (Code.CLOCK_SKEW, 5),
    ]
    assert batch.received == 10


def test_a_reading_becomes_a_row_of_numbers_and_texts() -> None:
    readings = columns(
        message(12, reading(NOW_MS, 1, strain=12.5, axles=5, plate="鄂A12345")),
        message(12, {"ts": NOW_MS + 1, "m": {"strain": None}}),
    )
    assert readings.metric("strain").tolist()[0] == 12.5
    assert readings.metric("axles").tolist()[0] == 5
    assert readings.texts["plate"].tolist() == ["鄂A12345", None]
    assert np.isnan(readings.metric("plate")).all()
    assert np.isnan(readings.values[1]).all()
    assert readings.seq.tolist() == [1, NO_SEQUENCE]
    assert readings.received_at.tolist() == [NOW, NOW]


def test_words_and_truths_become_their_codes() -> None:
    words = KINDS["streetlight"].metric("lamp_state").values
    readings = columns(
        message(5, [reading(NOW_MS + at, lamp_state=word) for at, word in enumerate(words)]),
        message(5, [reading(NOW_MS + 100, lamp_failure=True), reading(NOW_MS + 101, lamp_failure=False)]),
    )
    assert readings.metric("lamp_state")[: len(words)].tolist() == [*range(len(words))]
    assert readings.metric("lamp_failure")[len(words) :].tolist() == [1, 0]
    assert np.isnan(readings.metric("lamp_state")[len(words) :]).all()


@pytest.mark.parametrize(
    ("tilt", "quality"),
    [
        (0, Quality.GOOD),
        (180, Quality.GOOD),
        (-0.1, Quality.IMPLAUSIBLE),
        (180.1, Quality.IMPLAUSIBLE),
        (-1e38, Quality.IMPLAUSIBLE),
    ],
)
def test_a_value_outside_its_instruments_range_is_kept_and_flagged(tilt: float, quality: Quality) -> None:
    readings = columns(message(7, [reading(NOW_MS - 1, tilt=1), reading(NOW_MS, tilt=tilt, battery_pct=50)]))
    assert readings.metric("tilt").tolist() == [1, tilt]
    assert readings.quality.tolist() == [Quality.GOOD, quality]


def test_what_was_not_measured_is_not_implausible() -> None:
    assert columns(message(7, reading())).quality.tolist() == [Quality.GOOD]


def test_what_devices_say_of_themselves_is_gathered_by_device_the_last_word_counting() -> None:
    batch = decode(
        message(12, [{**reading(NOW_MS), "fw": "2.4", "rsrp": -95}, {**reading(NOW_MS + 2), "fw": "2.5"}]),
        message(7, {**reading(), "fw": "1"}),
        message(12, reading(NOW_MS + 1)),
        message(5, {**reading(NOW_MS + 999_999), "fw": "of a reading that is refused"}),
    )
    assert batch.asides == {12: Aside("2.5", rsrp=-95), 7: Aside("1")}
    assert (batch.received, batch.also_sent) == (5, {})


def status(number: int, payload: bytes, kind: str = "manhole") -> Message:
    return Message(f"city/east/{kind}/d-{number}/status", payload)


def test_a_status_is_no_reading_and_has_no_fate() -> None:
    batch = decode(status(3, b"online"), status(3, b" OFFLINE\n"), message(3, reading(tilt=1)))
    assert batch.statuses == {3: Status(online=False, since=batch.batch.received_at)}
    assert (batch.received, batch.rejected) == (1, [])


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (status(3, b'{"online": true}'), Code.MALFORMED),
        (status(3, b""), Code.MALFORMED),
        (status(4, b"online"), Code.UNREGISTERED),
        (status(3, b"online", kind="fountain"), Code.UNKNOWN_KIND),
    ],
)
def test_a_status_that_is_not_understood_is_quarantined_like_any_message(sent: Message, code: Code) -> None:
    batch = decode(sent)
    assert [each.code for each in batch.rejected] == [code]
    assert (batch.received, batch.statuses) == (1, {})


def test_keys_that_a_kind_does_not_know_are_gathered_by_device() -> None:
    batch = decode(
        message(7, [reading(NOW_MS, co=1), {**reading(NOW_MS + 1, smoke=2), "build": "2.4"}]),
        message(3, reading(tilt=1)),
        message(7, reading(NOW_MS + 2, co=3)),
        message(12, reading(rain=1)),
        message(5, reading(NOW_MS + 999_999, colour=1)),
    )
    assert batch.also_sent == {7: {"co", "smoke", "build"}, 12: {"rain"}}


@dataclass(frozen=True)
class Drawn:
    """A message as drawn: which elements of it can be read; none at all where the whole cannot."""

    device: int
    elements: tuple[bool, ...]
    age: int


DRAWN = st.builds(
    Drawn,
    device=st.sampled_from(sorted(TOPICS)),
    elements=st.lists(st.booleans(), max_size=4).map(tuple),
    age=st.integers(0, 100_000),
)


def written(drawn: Drawn, position: int) -> Message:
    """Elements carry their place in the batch as their counter."""
    if not drawn.elements:
        return list(WRONG.values())[drawn.age % len(WRONG)]
    places = enumerate(drawn.elements)
    good = [reading(NOW_MS - drawn.age + at, position * 10 + at) if fine else {"ts": "?"} for at, fine in places]
    return message(drawn.device, good[0] if len(good) == 1 else good)


@settings(max_examples=200)
@given(st.lists(DRAWN, max_size=8))
def test_everything_received_is_a_row_or_a_refusal_of_its_message(drawn: list[Drawn]) -> None:
    batch = decode(*(written(each, position) for position, each in enumerate(drawn)))
    assert batch.received == sum(max(1, len(each.elements)) for each in drawn)
    rows = [row for readings in batch.readings for row in rows_of(readings)]
    assert sorted(rows) == sorted(
        (each.device, (NOW_MS - each.age + at) * 1000, position * 10 + at, position)
        for position, each in enumerate(drawn)
        for at, fine in enumerate(each.elements)
        if fine
    )
    refused = [position for position, each in enumerate(drawn) for fine in each.elements or (False,) if not fine]
    assert [rejected.message for rejected in batch.rejected] == refused
    for readings in batch.readings:
        keys = [(number, ts) for number, ts, _, _ in rows_of(readings)]
        assert keys == sorted(keys)
        assert all(DECODER.registry.devices[number].kind == readings.kind.name for number, _ in keys)


def rows_of(readings: Readings) -> list[tuple[int, int, int, int]]:
    table: Sequence[list[int]] = [
        readings.device.tolist(),
        readings.ts.tolist(),
        readings.seq.tolist(),
        readings.message.tolist(),
    ]
    return [(number, ts, seq, position) for number, ts, seq, position in zip(*table, strict=True)]


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(sorted(TOPICS.values())) | st.text(max_size=40), st.binary(max_size=40))))
def test_whatever_arrives_on_whatever_topic_finds_a_fate(arrived: list[tuple[str, bytes]]) -> None:
    batch = decode(*(Message(topic, payload) for topic, payload in arrived))
    named = {rejected.message for rejected in batch.rejected}
    named |= {int(position) for readings in batch.readings for position in readings.message}
    assert named == set(range(len(arrived)))


def test_a_mark_is_put_on_the_readings_of_each_kind_and_nothing_else_changes() -> None:
    batch = decode(message(7, reading()), message(12, reading()), WRONG[Code.EMPTY])
    marked = batch.marked(lambda readings: replace(readings, quality=readings.quality | int(Quality.LATE)))
    assert [readings.quality.tolist() for readings in marked.readings] == [[Quality.LATE], [Quality.LATE]]
    assert [readings.quality.tolist() for readings in batch.readings] == [[Quality.GOOD], [Quality.GOOD]]
    assert (marked.rejected, marked.received) == (batch.rejected, 3)
