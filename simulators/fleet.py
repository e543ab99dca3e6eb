"""The fleet: which device sends what when, in order of time.

Pure: a heap of what is due next. The same city, faults and seed give the same messages, however the time is
cut into calls.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from random import Random

import msgspec

from devices.topics import device_topic
from simulators.city import PretendCity
from simulators.device import Device
from simulators.faults import REPEATS, Fault, FaultKind
from simulators.garbage import Garbage, spoil
from simulators.message import Message
from simulators.physics import bridge, fume, generic, manhole, noise, streetlight
from simulators.physics.metrics import Metrics

PHYSICS: Mapping[str, Callable[[Device, datetime, Collection[Fault], Random], Metrics]] = {
    "manhole": manhole.measure,
    "fume": fume.measure,
    "noise": noise.measure,
    "streetlight": streetlight.measure,
    "bridge": bridge.measure,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
# Devices that report this seldom begin early rather than evenly, so that a short run hears of them too.
_SELDOM = timedelta(hours=1)
_LATEST_COPY_S = 20.0


@dataclass(frozen=True, slots=True, order=True)
class _Due:
    """Something to happen; ``order`` tells things of the same millisecond apart."""

    at: datetime
    order: int
    happen: Callable[[datetime], Message | None] = field(compare=False)


class Fleet:
    """The devices of a city with their faults.

    Args:
        city: The devices.
        faults: What is wrong with them, and when.
        seed: Where the random numbers start.
        garbage_rate: Share of messages that a spoilt copy follows.
        duplicate_rate: Share of messages that are sent twice.
    """

    def __init__(
        self,
        city: PretendCity,
        faults: Sequence[Fault],
        seed: int,
        garbage_rate: float = 0.0,
        duplicate_rate: float = 0.0,
    ) -> None:
        self._city = city
        self._garbage_rate = garbage_rate
        self._duplicate_rate = duplicate_rate
        self._devices = {device.device_id: device for device in city.devices}
        self._faults: dict[str, list[Fault]] = defaultdict(list)
        for fault in faults:
            self._faults[fault.device_id].append(fault)
        self._randoms = {device_id: Random(f"{seed} {device_id}") for device_id in self._devices}
        self._line = Random(f"{seed} line")  # what happens to messages on their way
        self._sequence: Counter[str] = Counter()
        self._last_sent: dict[str, datetime] = {}  # a device has one message a millisecond
        self._order = count()
        self._heap: list[_Due] = []
        self._started = False

    def messages(self, since: datetime, until: datetime) -> Iterator[Message]:
        """What the fleet sends from ``since`` on and before ``until``, in order of time.

        The first call starts the devices. Each further call goes on where the last one ended, also where that
        one was not read to its end; what was due before ``since`` is left out.
        """
        if not self._started:
            self._start(since)
        while self._heap and self._heap[0].at < until:
            due = heapq.heappop(self._heap)
            message = due.happen(due.at)
            if message is not None and due.at >= since:
                yield message

    def _start(self, since: datetime) -> None:
        self._started = True
        for device in self._devices.values():
            interval = self._city.kinds[device.kind].interval
            phase = self._randoms[device.device_id].random() ** (4 if interval > _SELDOM else 1)
            self._at(since + phase * interval, partial(self._report, device))
        for faults in self._faults.values():
            for fault in faults:
                if fault.kind in REPEATS:
                    device = self._devices[fault.device_id]
                    self._at(fault.start, partial(self._alarm, device, fault))
                    self._at(fault.end, partial(self._event, device))

    def _at(self, at: datetime, happen: Callable[[datetime], Message | None]) -> None:
        heapq.heappush(self._heap, _Due(_whole_ms(at), next(self._order), happen))

    def _report(self, device: Device, at: datetime) -> Message | None:
        """The usual report: a vehicle where the device is a scale, else periodic or a heartbeat."""
        interval = self._city.kinds[device.kind].interval
        if device.word("sensor_type") == "wim":
            self._at(at + bridge.headway(at, self._randoms[device.device_id]), partial(self._report, device))
            return self._event(device, at)
        self._at(at + interval, partial(self._report, device))
        return self._send(device, at, "heartbeat" if interval > _SELDOM else "periodic")

    def _alarm(self, device: Device, fault: Fault, at: datetime) -> Message | None:
        """A message about a fault, which the device repeats while the fault lasts."""
        again = at + REPEATS[fault.kind]
        if again < fault.end:
            self._at(again, partial(self._alarm, device, fault))
        return self._event(device, at)

    def _event(self, device: Device, at: datetime) -> Message | None:
        return self._send(device, at, "event")

    def _send(self, device: Device, at: datetime, message_type: str) -> Message | None:
        faults = [fault for fault in self._faults[device.device_id] if fault.is_active(at)]
        if any(fault.kind is FaultKind.SILENT_DEVICE for fault in faults):
            return None
        if self._last_sent.get(device.device_id) == at:
            self._at(at + _MS, partial(self._send, device, message_type=message_type))
            return None
        self._last_sent[device.device_id] = at
        metrics = self._measure(device, at, faults)
        self._sequence[device.device_id] += 1
        payload = {
            "ts": (at - _EPOCH) // _MS,
            "seq": self._sequence[device.device_id],
            "type": message_type,
            "m": metrics,
        }
        channel = "event" if message_type == "event" else "up"
        topic = device_topic(device.district, device.kind, device.device_id, channel)
        message = Message(topic, msgspec.json.encode(payload), at)
        self._mishandle(message)
        return message

    def _measure(self, device: Device, at: datetime, faults: Collection[Fault]) -> Metrics:
        random = self._randoms[device.device_id]
        if device.kind in PHYSICS:
            return PHYSICS[device.kind](device, at, faults, random)
        return generic.measure(self._city.kinds[device.kind], device, at, random)

    def _mishandle(self, message: Message) -> None:
        """What the line does beside delivering: a copy some seconds later, a spoilt one at once."""
        if self._line.random() < self._duplicate_rate:
            later = message.at + timedelta(seconds=self._line.uniform(0.5, _LATEST_COPY_S))
            self._at(later, partial(_resend, message))
        if self._line.random() < self._garbage_rate:
            spoilt = spoil(message, self._line.choice([*Garbage]), self._line)
            self._at(spoilt.at, partial(_resend, spoilt))


def _resend(message: Message, at: datetime) -> Message:
    return Message(message.topic, message.payload, at)


def _whole_ms(at: datetime) -> datetime:
    """The same time or the next whole millisecond, so that a fault has begun when its message is sent."""
    return at + timedelta(microseconds=-at.microsecond % 1000)
