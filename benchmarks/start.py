"""A whole city at once: how long a collector needs to start with it, and how much memory.

The city is registered, rules remember something of one device in a hundred, and every device has a status. Then a
collector is started as an operator does it. Its time is from its start as a process to the line ``collecting`` of its
log; its memory is what the operating system counts as resident, looked at twenty times a second.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.load import DISTRICTS
from benchmarks.processors import usage
from benchmarks.publisher import Publisher
from benchmarks.rig import Rig, Setup, publishing, rig, say
from cityward.program import Program
from devices.device import Description
from devices.topics import device_topic
from ingest.hearing import Heard
from rules.packs import load_packs
from rules.rule import Input
from rules.verdicts import RuleState
from storage import device_status, rule_states
from storage.overview import ledger
from storage.registry_store import import_devices

GOAL_SECONDS, GOAL_MIB = 10.0, 1024
FIRST = 20_000  # devices that send afterwards: what is looked up of each when it is first heard
RATE = 5000.0  # messages a second
PATIENCE = 600.0  # seconds
_REMEMBERED = 100  # of so many devices, rules remember one
_AT_ONCE = 20_000
_LAMP = b'{"ts":%d,"seq":%d,"m":{"voltage":228.5,"current":0.5,"leakage_ma":3}}'
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Plan:
    """How many devices: eight of ten are lamps, one is a cover, one a noise meter."""

    devices: int


class WholeCity:
    """The devices by number, from 0, and a message of each of the first lamps.

    Args:
        plan: How many.
        now: The time of the messages, milliseconds since 1970 UTC.
    """

    def __init__(self, plan: Plan, now: int) -> None:
        self._devices = plan.devices
        self._now = now

    def descriptions(self) -> list[Description]:
        """What is registered: circuits of 60 lamps, gateways of 200 devices, five sorts of lamp."""
        return [self._description(number) for number in range(self._devices)]

    def message(self, number: int) -> tuple[bytes, bytes]:
        """A reading of the lamp of this number."""
        device = number // 8 * 10 + number % 8
        topic = device_topic(_district(device), "streetlight", _device_id(device))
        return topic.encode(), _LAMP % (self._now, number)

    def copies(self, _number: int) -> int:
        """One."""
        return 1

    def _description(self, number: int) -> Description:
        kind = _kind(number)
        return Description(
            device_id=_device_id(number),
            kind=kind,
            name=f"Device {number}",
            district=_district(number),
            grid=f"4201020010{number // 200 % 100_000:05}",
            lon=114 + number % 1000 * 1e-4,
            lat=30 + number // 1000 % 1000 * 1e-4,
            road=f"Road {number // 500}",
            road_class=("main", "secondary", "branch")[number // 500 % 3],
            component_class={"streetlight": "0118", "manhole": "0102", "noise": "0308"}[kind],
            circuit=f"circuit-{number // 60}",
            cabinet=f"cabinet-{number // 300}",
            gateway=f"gateway-{number // 200}",
            attributes={"rated_power": 60.0 + number % 5 * 30} if kind == "streetlight" else {},
        )


def run(plan: Plan) -> dict[str, Any]:
    """Register the city, start a collector and a dispatcher with it, let some devices send; the figures."""
    with rig(Setup([])) as made:
        for program in made.programs:
            program.stop()
        city = WholeCity(plan, made.clock.micros() // 1000)
        descriptions = city.descriptions()
        say(f"registering {plan.devices} devices ...")
        registering = _timed(lambda: _register(made, descriptions))
        say("writing what rules remember and what was heard of each device ...")
        remembered = _remember(made, plan.devices)
        say("starting a collector ...")
        collector = _start(made, made.collectors[0])
        first = min(FIRST, plan.devices * 8 // 10)
        say(f"{first} of them send ...")
        sending = _timed(lambda: _send(made, city, first))
        after = usage(made.collectors[0].pid).memory
        made.collectors[0].stop()
        say("starting a dispatcher ...")
        dispatcher = _start(made, made.dispatcher)
    return {
        "passed": collector[0] <= GOAL_SECONDS and max(collector[1], after) <= GOAL_MIB * _MIB,
        "devices": plan.devices,
        "rule_states": remembered,
        "registering_s": round(registering, 1),
        "collector_start_s": round(collector[0], 1),
        "collector_start_s_goal": GOAL_SECONDS,
        "collector_peak_mib": round(collector[1] / _MIB),
        "collector_peak_mib_goal": GOAL_MIB,
        "first_heard": first,
        "first_heard_s": round(sending, 1),
        "collector_after_mib": round(after / _MIB),
        "dispatcher_start_s": round(dispatcher[0], 1),
        "dispatcher_peak_mib": round(dispatcher[1] / _MIB),
    }


def _register(made: Rig, descriptions: Sequence[Description]) -> None:
    with made.connected("registry") as connection:
        import_devices(connection, descriptions, "the benchmark", made.clock.now())


def _remember(made: Rig, devices: int) -> int:
    """How many states of rules."""
    rule = next(each for each in load_packs(made.kinds) if each.kind == "streetlight" and each.input is Input.READING)
    now = made.clock.micros()
    with made.connected("memory") as connection, connection.transaction():
        numbers = device_status.numbers(connection)
        states = {(rule.id, number): RuleState(active=True, severity=2) for number in numbers[::_REMEMBERED]}
        rule_states.save(connection, states)
        for start in range(0, devices, _AT_ONCE):
            device_status.write(connection, _heard(numbers[start : start + _AT_ONCE], now))
    return len(states)


def _heard(numbers: Sequence[int], now: int) -> Iterator[Heard]:
    for number in numbers:
        yield Heard(number, now, now, 1, 0, 0, b'{"voltage":228.5,"leakage_ma":3}', "2.4", frozenset())


def _start(made: Rig, program: Program) -> tuple[float, int]:
    """Seconds until the process is at its work, and the most memory that it took meanwhile, in bytes."""
    most = 0

    def at_work() -> bool:
        nonlocal most
        most = max(most, usage(program.pid).memory)
        return program.look() == "working"

    began = made.clock.now()
    program.start()
    made.wait(at_work, f"{program.name} at its work", PATIENCE)
    return ((program.since or made.clock.now()) - began).total_seconds(), most


def _send(made: Rig, city: WholeCity, first: int) -> None:
    publisher = Publisher(made.broker.broker, city, RATE)
    publisher.end_at(first)
    with made.connected("audit") as connection, publishing(publisher):
        made.wait(lambda: ledger(connection).stored >= first, "all stored", PATIENCE)


def _timed(what: Callable[[], object]) -> float:
    began = time.monotonic()
    what()
    return time.monotonic() - began


def _kind(number: int) -> Literal["streetlight", "manhole", "noise"]:
    match number % 10:
        case 8:
            return "manhole"
        case 9:
            return "noise"
        case _:
            return "streetlight"


def _device_id(number: int) -> str:
    return f"42010201{number:08}"


def _district(number: int) -> str:
    return DISTRICTS[number // 1000 % len(DISTRICTS)]
