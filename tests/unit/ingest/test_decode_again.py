"""Quarantined messages as readings again, and what becomes of each."""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.device import Device
from devices.kind import load_kinds
from devices.quality import Quality
from devices.readings import Readings
from devices.registry import Registry
from devices.rejection import Code, Rejected
from devices.topics import device_topic
from ingest.decoding import Decoder
from ingest.messages import DecodedBatch, Ledger, Quarantined, Status
from ingest.replaying import decode_again, outcomes

NOW = 1_795_291_326_000_000  # µs
DAY = 86_400_000_000
KINDS = load_kinds()
DECODER = Decoder(
    Registry(
        KINDS,
        [
            Device(id=number, device_id=f"d-{number}", kind=kind, name="", district="east", lon=0, lat=0)
            for number, kind in ((3, "manhole"), (5, "noise"))
        ],
    )
)
COVER, METER = device_topic("east", "manhole", "d-3"), device_topic("east", "noise", "d-5")
BAD: Mapping[str, Any] = {"ts": "?", "m": {}}


def reading(ts: int = NOW - DAY, seq: int = 1, **metrics: Any) -> dict[str, Any]:
    return {"ts": ts // 1000, "seq": seq, "m": metrics}


def quarantined(*sent: Any, topic: str = COVER, number: int = 1, part: int = -1, at: int = NOW - DAY) -> Quarantined:
    return Quarantined(number, at, topic, msgspec.json.encode(sent[0] if len(sent) == 1 else sent), part)


def again(*messages: Quarantined) -> DecodedBatch:
    return decode_again(DECODER, messages, NOW)


def only(batch: DecodedBatch) -> Readings:
    (readings,) = batch.readings
    return readings


def refusals(batch: DecodedBatch) -> list[tuple[Code, int, int]]:
    return [(each.code, each.message, each.part) for each in batch.rejected]


def nothing_stored_yet(batch: DecodedBatch) -> list[Ledger]:
    return [each.ledger for each in outcomes(batch, batch.readings, batch.rejected)]


def test_a_reading_keeps_its_first_arrival_and_is_flagged() -> None:
    batch = again(quarantined(reading(tilt=4), at=NOW - DAY + 7))
    readings = only(batch)
    assert (readings.device.tolist(), readings.ts.tolist()) == ([3], [NOW - DAY])
    assert readings.received_at.tolist() == [NOW - DAY + 7]
    assert readings.quality.tolist() == [Quality.REPLAYED]
    assert batch.batch.received_at == NOW


def test_other_doubts_stay_beside_the_flag() -> None:
    assert only(again(quarantined(reading(tilt=400)))).quality.tolist() == [Quality.REPLAYED | Quality.IMPLAUSIBLE]


def test_a_clock_is_judged_by_the_arrival_and_not_by_now() -> None:
    ahead = quarantined(reading(NOW - DAY // 2), at=NOW - DAY)
    assert refusals(again(ahead)) == [(Code.CLOCK_SKEW, 0, 0)]


def test_messages_become_one_table_a_kind_in_order_of_device_and_time() -> None:
    batch = again(
        quarantined(reading(NOW - 2, 1, tilt=1), at=NOW - 2),
        quarantined(reading(NOW - 5, 2, lmax=60), topic=METER, at=NOW - 5),
        quarantined(reading(NOW - 9000, 3, tilt=2), reading(NOW - 4000, 4, tilt=3), at=NOW - 1),
    )
    covers, meters = batch.readings
    assert covers.seq.tolist() == [3, 4, 1]
    assert (covers.message.tolist(), covers.part.tolist()) == ([2, 2, 0], [0, 1, 0])
    assert covers.metric("tilt").tolist() == [2, 3, 1]
    assert (meters.seq.tolist(), meters.message.tolist()) == ([2], [1])


def test_of_an_array_only_the_refused_reading_is_tried_again() -> None:
    three = [reading(NOW - DAY + 1000 * at, at) for at in range(3)]
    batch = again(quarantined(*three, part=1), quarantined(*three, part=2, number=2))
    assert only(batch).seq.tolist() == [1, 2]
    assert batch.rejected == []


def test_of_an_array_only_the_refused_reading_is_refused_again() -> None:
    batch = again(quarantined(BAD, reading(), BAD, part=2))
    assert (batch.readings, refusals(batch)) == ([], [(Code.WRONG_TYPE, 0, 2)])


def test_a_message_that_cannot_be_read_as_a_whole_is_refused_whatever_part_was_meant() -> None:
    batch = again(Quarantined(1, NOW, "city/east/manhole/nobody/up", b"[1, 2]", part=1))
    assert refusals(batch) == [(Code.UNREGISTERED, 0, -1)]


def test_a_reading_that_is_not_there_any_more_still_finds_a_fate() -> None:
    batch = again(quarantined(reading(), reading(NOW), part=5))
    assert (batch.readings, refusals(batch)) == ([], [(Code.MALFORMED, 0, 5)])


def test_keys_that_a_kind_does_not_know_are_gathered() -> None:
    batch = again(quarantined(reading(colour=1)), quarantined(reading(NOW - 1, smell=2), at=NOW))
    assert batch.also_sent == {3: {"colour", "smell"}}


def test_nothing_to_try_again_is_an_empty_batch() -> None:
    batch = again()
    assert (batch.readings, batch.rejected, outcomes(batch, [], [])) == ([], [], [])


def test_a_message_that_is_read_at_last_moves_from_quarantined_to_stored() -> None:
    assert nothing_stored_yet(again(quarantined(reading()))) == [Ledger(0, 1, 0, -1)]


def test_a_message_that_is_refused_again_moves_nothing() -> None:
    assert nothing_stored_yet(again(quarantined(BAD))) == [Ledger()]


def test_a_message_that_turns_out_to_hold_several_readings_had_brought_them_all() -> None:
    several = again(quarantined(reading(), reading(NOW - DAY + 1000), BAD, BAD))
    assert nothing_stored_yet(several) == [Ledger(3, 2, 0, 1)]
    (outcome,) = outcomes(several, several.readings, several.rejected)
    assert [each.part for each in outcome.rejected] == [2, 3]


def test_what_the_tables_had_already_is_a_duplicate_and_what_they_refuse_stays() -> None:
    batch = again(quarantined(*(reading(NOW - DAY + 1000 * at, at) for at in range(4))))
    readings = only(batch)
    conflict = Rejected(Code.CONFLICT, "", message=0, part=3)
    (outcome,) = outcomes(batch, [readings.take(np.array([1]))], [*batch.rejected, conflict])
    assert (outcome.stored, outcome.duplicate, outcome.rejected) == (1, 2, (conflict,))


SENT = st.lists(st.lists(st.booleans(), min_size=1, max_size=4), max_size=6)


@given(SENT, st.randoms(use_true_random=False))
def test_the_ledger_after_trying_again_is_as_if_everything_had_been_readable_at_once(
    sent: list[list[bool]], chance: Any
) -> None:
    """Each message was one quarantined reading; what it holds is now stored, a duplicate or refused."""
    messages = [
        quarantined(
            *(reading(NOW - DAY + 1000 * (10 * place + at), at) if fine else BAD for at, fine in enumerate(elements)),
            number=place,
        )
        for place, elements in enumerate(sent)
    ]
    batch = again(*messages)
    new = [np.array([chance.random() < 0.5 for _ in range(len(readings))]) for readings in batch.readings]
    fresh = [readings.take(mask) for readings, mask in zip(batch.readings, new, strict=True)]
    found = outcomes(batch, fresh, batch.rejected)
    before = Ledger(len(sent), 0, 0, len(sent))
    total = sum((each.ledger for each in found), before)
    stored, refused = sum(map(len, fresh)), sum(not fine for elements in sent for fine in elements)
    received = sum(map(len, sent))
    assert total == Ledger(received, stored, received - stored - refused, refused)
    for elements, each in zip(sent, found, strict=True):
        assert each.stored + each.duplicate == sum(elements)
        assert [one.part for one in each.rejected] == (
            [at for at, fine in enumerate(elements) if not fine] if len(elements) > 1 else [-1] * elements.count(False)
        )


@given(st.binary(max_size=60), st.sampled_from([COVER, METER, "city/x", "\0"]), st.integers(-1, 3))
def test_whatever_lies_in_quarantine_finds_a_fate(payload: bytes, topic: str, part: int) -> None:
    batch = again(Quarantined(1, NOW, topic, payload, part))
    (outcome,) = outcomes(batch, batch.readings, batch.rejected)
    assert outcome.stored + outcome.duplicate + len(outcome.rejected) >= 1


@pytest.mark.parametrize(("part", "stored"), [(-1, 1), (0, 1), (1, 0)])
def test_a_message_of_one_reading_has_no_second(part: int, stored: int) -> None:
    batch = again(quarantined(reading(), part=part))
    (outcome,) = outcomes(batch, batch.readings, batch.rejected)
    assert (outcome.stored, len(outcome.rejected)) == (stored, 1 - stored)


def test_a_status_that_is_understood_now_leaves_the_ledger_for_it_holds_no_reading() -> None:
    topic = device_topic("east", "manhole", "d-3", "status")
    batch = again(Quarantined(1, NOW - DAY, topic, b"online"), Quarantined(2, NOW - 5, topic, b"offline"))
    assert batch.statuses == {3: Status(online=False, since=NOW - 5)}
    assert (batch.received, batch.readings) == (0, [])
    assert nothing_stored_yet(batch) == [Ledger(-1, 0, 0, -1)] * 2
