"""A healthy fleet gives the collector no reason to doubt a reading."""

from datetime import UTC, datetime, timedelta
from itertools import groupby

from devices.device import Device
from devices.quality import Quality
from devices.registry import Registry
from ingest.decoding import Decoder
from ingest.marking import Marking
from ingest.messages import Batch, Message
from simulators.city import SMALLEST, build_city
from simulators.faults import MINUTE
from simulators.fleet import Fleet
from simulators.story import Story

LATE_EVENING = datetime(2026, 11, 20, 14, tzinfo=UTC)  # 22:00 in the city: the quietest hours follow
LONGER_THAN_ANY_STANDSTILL = timedelta(hours=7)


def test_no_instrument_of_a_healthy_fleet_looks_frozen_or_repeated() -> None:
    city = build_city(seed=3, devices=SMALLEST)
    devices = [
        Device(id=number, device_id=each.device_id, kind=each.kind, name="", district=each.district, lon=0, lat=0)
        for number, each in enumerate(city.devices, start=1)
    ]
    decoder, marking, doubts = Decoder(Registry(city.kinds, devices)), Marking(city.kinds.values()), Quality.GOOD
    seen = 0
    story = Fleet(city, Story(), seed=1).messages(LATE_EVENING, LATE_EVENING + LONGER_THAN_ANY_STANDSTILL)
    for minute, sent in groupby(story, key=lambda message: message.at // MINUTE):
        messages = [Message(each.topic, each.payload) for each in sent]
        arrived = (minute + 1) * MINUTE
        for readings in decoder.decode(Batch(messages, arrived)).readings:
            marked = marking.mark(readings)
            marking.advance(marked)
            seen += len(marked)
            for quality in set(marked.quality.tolist()):
                doubts |= Quality(quality)
    assert seen > 1000
    assert doubts == Quality.GOOD
