"""What a benchmark publishes. Pure: message ``n`` is always the same, and so is what must come of it."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from cityward.clock import Clock
from devices.device import Description
from devices.moments import MICROS
from devices.topics import device_topic

STEP = 30  # seconds of event time between two readings of a device
HOLD = 600  # seconds: both rules' delays in packs/chaos.yaml
DUPLICATE_EVERY = 97  # messages: about the hundredth that NB-IoT delivers twice
STRANGER = "stranger"  # sends, and is not registered: its messages belong into quarantine
_GRID, _LON, _LAT = "420102001001001", 114.3, 30.59
DISTRICTS = ("qiaodong", "binjiang", "gaoxin")  # of the pretend city's file
# Topics and payloads are built for every message: bytes as they are, with nothing to look up.
_COVER = b'{"ts":%d000,"seq":%d,"type":"%s","m":{"tilt":%d.5,"open_state":"%s"}}'
_METER = b'{"ts":%d,"seq":%d,"m":{"voltage":%d.5,"current":0.%d,"leakage_ma":%d}}'
_LAMP = b'{"ts":%d000,"seq":%d,"m":{"voltage":%d.5,"leakage_ma":%d.25}}'


class Load(Protocol):
    """Messages by number, from 0."""

    def message(self, number: int) -> tuple[bytes, bytes]:
        """Topic and payload."""

    def copies(self, number: int) -> int:
        """How often it is sent."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with a device again and again: the last ``length`` of every ``period`` readings."""

    period: int
    length: int

    def holds(self, sequence: int) -> bool:
        """Whether a reading shows it; the first period begins with reading 1."""
        return (sequence - 1) % self.period >= self.period - self.length


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of an alarm's history: ``raised`` or ``cleared``, at an event time in microseconds since 1970 UTC."""

    device_id: str
    rule_id: str
    event: str
    at: int


class FaultyCity:
    """Covers and lamps in turn, half of which break and mend again and again; the first device is a stranger.

    Message ``n`` is reading ``n // devices + 1`` of device ``n % devices``.

    Args:
        devices: How many, with the stranger; at least 10.
        seed: The same seed breaks the same devices at the same readings.
        start: Event time before the first reading, seconds since 1970 UTC.
    """

    def __init__(self, devices: int, seed: int, start: int) -> None:
        self.devices = devices
        self.names = [STRANGER if number == 0 else f"bench-{number}" for number in range(devices)]
        self._start = start
        self._district = [DISTRICTS[number % len(DISTRICTS)] for number in range(devices)]
        self._topics = [
            device_topic(self._district[number], self.kind(number), self.names[number]).encode()
            for number in range(devices)
        ]
        chance = random.Random(seed)
        # Some leaks are over before their delay is, and some covers are shut for too short a time to count as shut.
        self._faults = {
            device: Fault(period=chance.randint(25, 60), length=chance.randint(1, 35))
            for device in chance.sample(range(1, devices), devices // 2)
        }

    def kind(self, device: int) -> str:
        """The kind of a device."""
        return "streetlight" if device % 2 else "manhole"

    def descriptions(self) -> list[Description]:
        """What is registered: everything but the stranger."""
        return [
            Description(
                device_id=self.names[number],
                kind=self.kind(number),
                name=f"Benchmark {number}",
                district=self._district[number],
                grid=_GRID,
                lon=_LON,
                lat=_LAT,
                component_class="0118" if number % 2 else "0102",
            )
            for number in range(1, self.devices)
        ]

    def time(self, sequence: int) -> int:
        """The event time of every device's reading of this number, seconds since 1970 UTC."""
        return self._start + sequence * STEP

    def message(self, number: int) -> tuple[bytes, bytes]:
        """Topic and payload of message ``number``."""
        sequence, device = divmod(number, self.devices)
        sequence += 1
        fault = self._faults.get(device)
        wrong = fault is not None and fault.holds(sequence)
        ts, some = self.time(sequence), sequence % 10
        if device % 2:
            return self._topics[device], _LAMP % (ts, sequence, 220 + some, 50 if wrong else some)
        kind, state = (b"event", b"open") if wrong else (b"periodic", b"closed")
        return self._topics[device], _COVER % (ts, sequence, kind, some, state)

    def copies(self, number: int) -> int:
        """Two of some messages, one of all others."""
        return 2 if number % DUPLICATE_EVERY == DUPLICATE_EVERY - 1 else 1

    def history(self, device: int, stored: Iterable[int]) -> Iterator[Happening]:
        """What the rules must have made of a device of which these readings were stored, in order of number."""
        fault = self._faults.get(device)
        if fault is None:
            return
        rule, delays = ("CH-02", (0, HOLD)) if device % 2 else ("CH-01", (HOLD, 0))  # to mend, to break
        active, since = False, None
        for number in stored:
            wrong = fault.holds(number)
            if wrong == active:
                since = None
                continue
            since = number if since is None else since
            if (number - since) * STEP >= delays[wrong]:
                active, since = wrong, None
                event = "raised" if active else "cleared"
                yield Happening(self.names[device], rule, event, self.time(number) * MICROS)


class Meters:
    """Lamps that send three values each, with the time at which they are published; every round one more leaks.

    Message ``n`` is reading ``n // devices + 1`` of device ``n % devices``.

    Args:
        devices: How many.
        clock: The time; only for publishing.
    """

    kind = "streetlight"

    def __init__(self, devices: int, clock: Clock | None = None) -> None:
        self._devices = devices
        self._clock = clock or Clock()
        self._topics = [
            device_topic(DISTRICTS[number % len(DISTRICTS)], self.kind, f"meter-{number}").encode()
            for number in range(devices)
        ]

    def descriptions(self) -> list[Description]:
        """What is registered."""
        return [
            Description(
                device_id=f"meter-{number}",
                kind=self.kind,
                name=f"Meter {number}",
                district=DISTRICTS[number % len(DISTRICTS)],
                grid=_GRID,
                lon=_LON,
                lat=_LAT,
                component_class="0118",
            )
            for number in range(self._devices)
        ]

    def message(self, number: int) -> tuple[bytes, bytes]:
        """Topic and payload of message ``number``, as of now."""
        earlier, device = divmod(number, self._devices)
        some = number % 10
        leakage = 150 if device < earlier else some
        return self._topics[device], _METER % (self._clock.micros() // 1000, earlier + 1, 220 + some, some, leakage)

    def copies(self, _number: int) -> int:
        """One."""
        return 1

    def leaking(self, messages: int) -> int:
        """How many lamps have begun to leak after so many messages."""
        return sum((device + 1) * self._devices + device < messages for device in range(self._devices))
