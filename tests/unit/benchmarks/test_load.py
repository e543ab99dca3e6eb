"""What a benchmark publishes can be read, and what it foretells is what the rules make of it."""

import tomllib
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.chaos import PACKS
from benchmarks.load import DISTRICTS, STRANGER, FaultyCity, Happening, Meters
from cases.city import read_city
from cityward import wiring
from cityward.clock import Clock
from devices.device import Description, Device
from devices.kind import Kind, load_kinds
from devices.moments import MICROS
from devices.registry import Registry
from devices.rejection import Code
from ingest.decoding import Decoder
from ingest.messages import Batch, Message
from rules.engine import Engine
from rules.packs import load_packs
from simulators.city import CITY_FILE

START = 1_763_000_000
PLANNED = 60


@pytest.fixture(scope="module")
def kinds() -> dict[str, Kind]:
    return load_kinds()


def registered(kinds: dict[str, Kind], descriptions: Iterable[Description]) -> Registry:
    numbered = enumerate(descriptions, start=1)
    return Registry(
        kinds, [Device(id=n, **{f: getattr(each, f) for f in Description.__struct_fields__}) for n, each in numbered]
    )


def faulty_city(seed: int = 1, devices: int = 20) -> FaultyCity:
    return FaultyCity(devices, seed, START)


def messages(city: FaultyCity, readings: int) -> list[Message]:
    pairs = [city.message(number) for number in range(readings * city.devices)]
    return [Message(topic.decode(), payload) for topic, payload in pairs]


def test_every_message_is_read_but_those_of_the_stranger(kinds: dict[str, Kind]) -> None:
    city = faulty_city()
    decoded = Decoder(registered(kinds, city.descriptions())).decode(Batch(messages(city, PLANNED), 2**51))
    assert {rejected.code for rejected in decoded.rejected} == {Code.UNREGISTERED}
    assert len(decoded.rejected) == PLANNED
    assert sum(map(len, decoded.readings)) == PLANNED * (city.devices - 1)
    assert decoded.also_sent == {}


@settings(max_examples=30)
@given(seed=st.integers(0, 50), lost=st.sets(st.integers(1, 2 * PLANNED), max_size=40))
def test_the_engine_says_what_was_foretold_from_the_readings_that_were_stored(seed: int, lost: set[int]) -> None:
    city, kinds = faulty_city(seed), load_kinds()
    registry = registered(kinds, city.descriptions())
    kept = [n for n in range(2 * PLANNED * city.devices) if n // city.devices + 1 not in lost]
    sent = [Message(topic.decode(), payload) for topic, payload in map(city.message, kept)]
    decoded = Decoder(registry).decode(Batch(sent, 2**51))
    document = tomllib.loads(CITY_FILE.read_text(encoding="utf-8"))
    engine = Engine(load_packs(kinds, PACKS), registry, wiring.local_time(read_city(document, str(CITY_FILE))))
    transitions = engine.step(decoded.readings).transitions
    said = {Happening(registry.devices[t.device].device_id, t.rule_id, t.change.value, t.at) for t in transitions}
    stored = [number for number in range(1, 2 * PLANNED + 1) if number not in lost]
    assert said == {line for device in range(1, city.devices) for line in city.history(device, stored)}
    assert len(said) == len(transitions)


def test_alarms_come_and_go_and_some_faults_are_too_short_to_count() -> None:
    city = faulty_city(devices=100)
    lines = [line for device in range(1, city.devices) for line in city.history(device, range(1, 2 * PLANNED))]
    assert {(line.rule_id, line.event) for line in lines} == {
        (rule, event) for rule in ("CH-01", "CH-02") for event in ("raised", "cleared")
    }
    assert 25 < len({line.device_id for line in lines}) < 50
    assert STRANGER not in {line.device_id for line in lines}
    assert max(line.at for line in lines) < (START + 2 * PLANNED * 30) * MICROS


def test_the_smallest_city_has_room_for_all_faults() -> None:
    assert len(FaultyCity(10, 1, START).descriptions()) == 9


def test_the_districts_are_the_city_files() -> None:
    document = tomllib.loads(CITY_FILE.read_text(encoding="utf-8"))
    assert set(DISTRICTS) == set(read_city(document, str(CITY_FILE)).districts)


def test_meters_begin_to_leak_one_a_round(kinds: dict[str, Kind]) -> None:
    meters = Meters(7, Clock())
    registry = registered(kinds, meters.descriptions())
    sent = [Message(topic.decode(), payload) for topic, payload in map(meters.message, range(25))]
    (readings,) = Decoder(registry).decode(Batch(sent, Clock().micros())).readings
    leaking = set(readings.device[readings.metric("leakage_ma") > 100].tolist())
    assert leaking == {1, 2, 3}
    assert meters.leaking(25) == 3
    assert meters.leaking(24) == 3
    assert meters.leaking(23) == 2
