"""Killing everything in turn, under load, and looking into the books afterwards."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchError
from benchmarks.load import STEP, FaultyCity
from benchmarks.publisher import Publisher
from benchmarks.rig import Rig, Setup, publishing, rig, say, share
from benchmarks.verdict import Verdict, judge
from cityward.clock import Clock
from devices.moments import MICROS
from storage.audit import heard_until, read_books
from storage.overview import ledger, waiting_work

PACKS = Path(__file__).with_name("packs")
STALLED = 60.0  # seconds without a reading after which nothing more will come
_SHARES = {"p50": 0.5, "p95": 0.95, "max": 1.0}
DELIVERED = 180.0  # seconds: a dispatcher that died leaves a job that is given back after at most 60


class Victim(StrEnum):
    """What is done to whom. Named as printed."""

    COLLECTOR = "kill the collector"
    SECOND = "kill the waiting collector"
    DISPATCHER = "kill the dispatcher"
    DATABASE = "kill the database"
    BROKER = "restart the broker"
    KILL_BROKER = "kill the broker"
    KILL_FULL_BROKER = "kill the collectors, then the broker"


# In this order once, so that few rounds meet everybody; shuffled afterwards.
_GENTLE = (Victim.COLLECTOR, Victim.DATABASE, Victim.BROKER, Victim.DISPATCHER, Victim.SECOND)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. ``rate`` in messages a second; ``autosave`` is Mosquitto's, in seconds."""

    rounds: int
    seconds_per_round: float
    seed: int
    rate: int
    devices: int
    kill_broker: bool
    autosave: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict, and how it went. Times in seconds; None where nothing of the kind happened."""

    verdict: Verdict
    rounds: int
    done: dict[str, int]
    failovers: list[float]
    drained_s: float

    @property
    def passed(self) -> bool:
        """Whether nothing is missing, doubled or wrong."""
        return not self.verdict.problems

    def as_json(self) -> dict[str, Any]:
        """One flat line."""
        times = {f"failover_{name}_s": share(self.failovers, part) for name, part in _SHARES.items()}
        return {"passed": self.passed, "rounds": self.rounds, **asdict(self.verdict), "done": self.done,
                "failovers": len(self.failovers), **times, "drained_s": round(self.drained_s, 1)}  # fmt: skip


def run(plan: Plan) -> Outcome:
    """Start everything, go through the rounds, let it drain, compare."""
    city = faulty_city(plan.devices, plan.rate, plan.rounds * plan.seconds_per_round, plan.seed)
    chance = random.Random(plan.seed)
    done: dict[str, int] = {}
    failovers: list[float] = []
    setup = Setup(city.descriptions(), collectors=2, packs=PACKS, autosave=plan.autosave)
    with rig(setup) as made:
        publisher = Publisher(made.broker.broker, city, plan.rate)
        with publishing(publisher):
            for number, victim in zip(range(1, plan.rounds + 1), _victims(plan, chance), strict=False):
                before = chance.uniform(0.2, 0.6) * plan.seconds_per_round
                made.pause(before)
                began = made.clock.micros()
                _DEEDS[victim](made, chance, failovers)
                done[victim] = done.get(victim, 0) + 1
                made.until_at_work()
                took = (made.clock.micros() - began) / MICROS
                say(f"round {number} of {plan.rounds}: {victim}; all at work after {took:.1f} s; {publisher.sent} sent")
                made.pause(max(0.0, plan.seconds_per_round - before))
            drained = finish(made, city, publisher)
        verdict = compare(made, city, publisher, may_miss=plan.kill_broker)
        return Outcome(verdict, plan.rounds, done, failovers, drained)


def faulty_city(devices: int, rate: int, seconds: float, seed: int) -> FaultyCity:
    """A load for so long, with event times that are over before now."""
    planned = round(seconds * rate / devices) + 1
    # Waiting for what was killed to come back adds to the planned time.
    start = Clock().micros() // MICROS - (10 * planned + 10_000) * STEP
    return FaultyCity(devices, seed, start)


def finish(made: Rig, city: FaultyCity, publisher: Publisher) -> float:
    """End the load with one last reading of every device, which nothing can befall any more; let everything drain.

    Returns:
        Seconds from the last acknowledgement to the last commit.
    """
    publisher.end_with_round(city.devices)
    made.wait(lambda: publisher.done, "the broker has acknowledged everything")
    began, last = made.clock.micros(), publisher.sent // city.devices
    _until_stored(made, datetime.fromtimestamp(city.time(last), UTC), city.devices - 1)
    drained = (made.clock.micros() - began) / MICROS
    with made.connected("drain") as connection:
        made.wait(lambda: waiting_work(connection) == 0, "every alarm taken up, every message delivered", DELIVERED)
    return drained


def compare(made: Rig, city: FaultyCity, publisher: Publisher, *, may_miss: bool) -> Verdict:
    """Look into the books."""
    with made.connected("audit") as connection:
        books = read_books(connection, made.kinds.values())
    verdict = judge(city, publisher.acknowledged, books, may_miss=may_miss)
    made.failed = bool(verdict.problems)
    return verdict


def _until_stored(made: Rig, last: datetime, devices: int) -> None:
    """Until every registered device's last reading is there, or nothing comes any more: the books will tell."""
    with made.connected("drain") as connection:
        received, looked = -1, made.clock.micros()
        while (there := heard_until(connection, last)) < devices:
            now = ledger(connection).received
            if now > received:
                received, looked = now, made.clock.micros()
            elif made.clock.micros() - looked > STALLED * MICROS:
                say(f"{devices - there} devices' last readings are missing, and nothing comes any more")
                return
            made.pause(0.2)


def _victims(plan: Plan, chance: random.Random) -> Iterator[Victim]:
    """Each in turn; where the broker is killed, in every other round with everything that waits in it."""
    order = list(_GENTLE)
    if plan.kill_broker:
        order[order.index(Victim.BROKER)] = Victim.KILL_BROKER
    while True:
        for victim in order:
            if plan.kill_broker:
                yield Victim.KILL_FULL_BROKER
            yield victim
        chance.shuffle(order)


def _kill_collector(made: Rig, _chance: random.Random, failovers: list[float]) -> None:
    holder = made.holder()
    if holder is None:
        raise BenchError("nobody collects")
    killed = made.clock.now()
    holder.kill()
    made.wait(lambda: made.holder() not in {None, holder}, "the other collector takes over")
    heir = made.holder()
    if heir is not None and heir.since is not None:
        failovers.append(round((heir.since - killed).total_seconds(), 3))
    holder.start()


def _kill_second(made: Rig, _chance: random.Random, _failovers: list[float]) -> None:
    second = made.second()
    if second is None:
        raise BenchError("no collector stands by")
    second.kill()
    second.start()


def _kill_dispatcher(made: Rig, _chance: random.Random, _failovers: list[float]) -> None:
    made.dispatcher.kill()
    made.dispatcher.start()


def _kill_database(made: Rig, chance: random.Random, _failovers: list[float]) -> None:
    made.database.kill()
    made.wait(lambda: made.holder() is None, "the collector has noticed")
    made.pause(chance.uniform(0, 1))
    made.database.start()


def _restart_broker(made: Rig, chance: random.Random, _failovers: list[float]) -> None:
    made.broker.stop()
    made.wait(lambda: made.holder() is None, "the collector has noticed")
    made.pause(chance.uniform(0, 1))
    made.broker.start()


def _kill_broker(made: Rig, chance: random.Random, _failovers: list[float]) -> None:
    made.broker.kill()
    made.wait(lambda: made.holder() is None, "the collector has noticed")
    made.pause(chance.uniform(0, 1))
    made.broker.start()


def _kill_full_broker(made: Rig, chance: random.Random, _failovers: list[float]) -> None:
    """While nobody collects, so that what is killed is what has been waiting."""
    for collector in made.collectors:
        collector.kill()
    made.pause(chance.uniform(0.5, 2.5))
    made.broker.kill()
    made.broker.start()
    for collector in made.collectors:
        collector.start()


_DEEDS: Mapping[Victim, Callable[[Rig, random.Random, list[float]], None]] = {
    Victim.COLLECTOR: _kill_collector,
    Victim.SECOND: _kill_second,
    Victim.DISPATCHER: _kill_dispatcher,
    Victim.DATABASE: _kill_database,
    Victim.BROKER: _restart_broker,
    Victim.KILL_BROKER: _kill_broker,
    Victim.KILL_FULL_BROKER: _kill_full_broker,
}
