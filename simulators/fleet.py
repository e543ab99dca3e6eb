"""The fleet: which device sends what when, in order of time.

Pure. Readings are made in slices of time, a kind at once as columns. The same city, story and seed give the same
messages, however the time is cut into calls.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random

import numpy as np

from devices.kind import MetricType
from devices.moments import MICROS
from devices.readings import Ints
from simulators.chance import Chance
from simulators.city import PretendCity
from simulators.faults import FaultKind
from simulators.garbage import spoil
from simulators.harm import Harm
from simulators.message import Message
from simulators.observation import Columns, Observation, World
from simulators.physics import bridge, fume, generic, manhole, noise, streetlight
from simulators.physics.plates import plates
from simulators.physics.traffic import Traffic
from simulators.physics.weather import Weather
from simulators.population import Population
from simulators.reports import Reports
from simulators.schedule import EVENT, Due, Schedule
from simulators.story import Story
from simulators.transport import Transport, lines

PHYSICS: Mapping[str, Callable[[Observation], Columns]] = {
    "manhole": manhole.measure,
    "fume": fume.measure,
    "noise": noise.measure,
    "streetlight": streetlight.measure,
    "bridge": bridge.measure,
}
_TEXTS: Mapping[str, Callable[[Observation], list[str | None]]] = {"plate": plates}
# A slice is as long as it takes to be worth the overhead, within these bounds.
_SHORTEST_S, _LONGEST_S, _WORTH = 10, 600, 3000


@dataclass(frozen=True, slots=True)
class _Troop:
    """The devices of one kind with all that concerns them; ``counted`` is each one's last counter."""

    population: Population
    harm: Harm
    schedule: Schedule
    transport: Transport
    counted: Ints


class Fleet:
    """The devices of a city in a story.

    Args:
        city: The devices.
        story: What happens to them and to their messages.
        seed: Where chance starts.
        slice_s: Seconds of the city's time that are made at once; by the number of its messages where None.
    """

    def __init__(self, city: PretendCity, story: Story, seed: int, slice_s: int | None = None) -> None:
        chance = Chance(seed)
        self.story = story
        self._seed = seed
        self._world = World(chance, Weather(chance, story.rains, story.gales), Traffic(chance, story.crowds))
        self._troops = []
        for kind in city.kinds.values():
            devices = city.of_kind(kind.name)
            if devices:
                population = Population(kind, devices)
                harm = Harm(population, story.faults)
                schedule = Schedule(self._world, population, harm)
                transport = Transport(chance, population, lines(story.lines, kind.name))
                counted = np.zeros(len(population), dtype=np.int64)
                self._troops.append(_Troop(population, harm, schedule, transport, counted))
        rate = sum(troop.schedule.rate() for troop in self._troops)
        worth = min(_LONGEST_S, max(_SHORTEST_S, _WORTH / max(rate, 1e-9)))
        self._slice = round(slice_s or worth) * MICROS
        self._made_until: int | None = None
        self._ready: deque[Message] = deque()  # in order of time
        self._under_way: list[Message] = []  # arrives later than what has been made so far
        self._deeds: deque[tuple[Callable[[Harm, Collection[str], int], None], Collection[str]]] = deque()

    def reports(self, since: datetime, until: datetime) -> Iterator[Reports]:
        """What arrives of the readings made from ``since`` on and before ``until``, slice by slice and kind by kind."""
        begins, ends = _micros(since), _micros(until)
        while begins < ends:
            cut = min(ends, begins - begins % self._slice + self._slice)
            for troop in self._troops:
                reports = troop.transport.carried(self._made(troop, begins, cut))
                if len(reports):
                    yield reports
            begins = cut

    def messages(self, since: datetime, until: datetime) -> Iterator[Message]:
        """What reaches the broker from ``since`` on and before ``until``, in order of time.

        The first call starts the devices. Each further call goes on where the last one ended, also where that
        one was not read to its end; what was due before ``since`` is left out.
        """
        begins, ends = _micros(since), _micros(until)
        if self._made_until is None:
            self._made_until = begins
        while True:
            while self._ready and self._ready[0].at < ends:
                message = self._ready.popleft()
                if message.at >= begins:
                    yield message
            if self._made_until >= ends:
                return
            self._made_until = self._make(self._made_until)

    def repair(self, devices: Collection[str]) -> None:
        """End what is wrong with these devices as soon as possible: what has been made already is sent as it is."""
        self._deeds.append((Harm.repair, devices))

    def ask(self, devices: Collection[str]) -> None:
        """Have these devices report as soon as possible, three times in as many minutes."""
        self._deeds.append((Harm.ask, devices))

    def measure(self, kind: str, rows: Ints, at: Ints, *, events: bool = False) -> Columns:
        """What devices of a kind measure at these times; nothing is counted or sent."""
        troop = next(troop for troop in self._troops if troop.population.kind.name == kind)
        due = Due(rows, at, np.full(len(rows), EVENT if events else 0))
        return _physics(troop)(self._observation(troop, due))

    def _make(self, begins: int) -> int:
        """Make one slice's messages; where it ends."""
        ends = begins - begins % self._slice + self._slice
        while self._deeds:  # another thread may have told of them
            do, devices = self._deeds.popleft()
            for troop in self._troops:
                do(troop.harm, devices, begins)
        for troop in self._troops:
            self._under_way += self._published(troop, troop.transport.carried(self._made(troop, begins, ends)))
        self._under_way.sort()
        arrived = next((n for n, message in enumerate(self._under_way) if message.at >= ends), len(self._under_way))
        self._ready.extend(self._under_way[:arrived])
        del self._under_way[:arrived]
        return ends

    def _made(self, troop: _Troop, since: int, until: int) -> Reports:
        due = troop.schedule.due(since, until)
        seen = self._observation(troop, due)
        columns = _physics(troop)(seen) if len(due.rows) else {}
        metrics = troop.population.kind.metrics
        values = np.full((len(due.rows), len(metrics)), np.nan)
        for name, column in columns.items():
            values[:, troop.population.kind.position[name]] = column
        texts: dict[str, list[str | None]] = {
            metric.name: _TEXTS[metric.name](seen) if metric.name in _TEXTS else [None] * len(due.rows)
            for metric in metrics
            if metric.type is MetricType.TEXT
        }
        counted = self._counted(troop, due, since, until)
        return Reports(troop.population, due.rows, due.at, due.at, counted, due.type, values, texts)

    def _counted(self, troop: _Troop, due: Due, since: int, until: int) -> Ints:
        """Each report's counter; a device that is new or starts anew begins with 1."""
        begin = np.ones(len(due.rows), dtype=bool)
        begin[1:] = due.rows[1:] != due.rows[:-1]
        place = np.arange(len(due.rows))
        counted = troop.counted[due.rows] + place - np.maximum.accumulate(np.where(begin, place, 0)) + 1
        anew = troop.transport.reboots(since, until)
        for rows, at in troop.harm.ends(FaultKind.SENSOR_SWAP, since, until):
            anew += [(row, at) for row in rows.tolist()]
        for row, at in anew:
            after = np.flatnonzero((due.rows == row) & (due.at >= at))
            counted[after] = np.arange(1, len(after) + 1)
        troop.counted[due.rows] = counted  # rows are in order, so the last one of a device stays
        for row, at in anew:
            troop.counted[row] = np.count_nonzero((due.rows == row) & (due.at >= at))
        return counted

    def _observation(self, troop: _Troop, due: Due) -> Observation:
        return Observation(self._world, troop.population, troop.harm, due.rows, due.at, due.type == EVENT)

    def _published(self, troop: _Troop, reports: Reports) -> list[Message]:
        """The messages of reports, with the copies and the spoilt ones that the line adds."""
        if not len(reports):
            return []
        first = list(map(Message, reports.arrives.tolist(), reports.topics(), reports.payloads()))
        twice, later = troop.transport.copies(reports)
        copies = [first[at]._replace(at=when) for at, when in zip(twice.tolist(), later.tolist(), strict=True)]
        spoilt = [
            spoil(first[at], Random(f"{self._seed} {first[at].topic} {first[at].at}"))
            for at in troop.transport.spoilt(reports).tolist()
        ]
        return first + copies + spoilt


def _physics(troop: _Troop) -> Callable[[Observation], Columns]:
    return PHYSICS.get(troop.population.kind.name, generic.measure)


def _micros(at: datetime) -> int:
    return round(at.timestamp() * 1000) * 1000
