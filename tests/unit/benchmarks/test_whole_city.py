"""What the bench of a start registers and publishes fits together."""

from collections import Counter

import msgspec

from benchmarks.start import Plan, WholeCity
from devices.topics import parse

CITY = WholeCity(Plan(5000), now=1_795_291_200_000)


def test_eight_of_ten_devices_are_lamps() -> None:
    kinds = Counter(device.kind for device in CITY.descriptions())
    assert kinds == {"streetlight": 4000, "manhole": 500, "noise": 500}


def test_every_message_is_of_another_lamp_that_is_registered_there() -> None:
    lamps = {device.device_id: device.district for device in CITY.descriptions() if device.kind == "streetlight"}
    for number in range(4000):
        topic, payload = CITY.message(number)
        parsed = parse(topic.decode())
        assert parsed
        assert lamps.pop(parsed.device_id) == parsed.district
        assert msgspec.json.decode(payload)["ts"] == 1_795_291_200_000
    assert lamps == {}
