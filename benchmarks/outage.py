"""A database that is away for minutes while devices go on, and a collector that is killed meanwhile."""

from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.chaos import PACKS, compare, faulty_city, finish
from benchmarks.publisher import Publisher
from benchmarks.rig import Setup, publishing, rig, say
from benchmarks.verdict import Verdict
from devices.moments import MICROS

AROUND = 3.0  # seconds of ordinary life before the outage, and after it


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. ``rate`` in messages a second; ``autosave`` is Mosquitto's, in seconds."""

    minutes: float
    rate: int
    devices: int
    seed: int
    autosave: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict, and how it went."""

    verdict: Verdict
    away_s: float
    waiting: int
    resumed_s: float
    caught_up_s: float
    behind: int

    @property
    def passed(self) -> bool:
        """Whether nothing is missing, doubled or wrong."""
        return not self.verdict.problems

    def as_json(self) -> dict[str, Any]:
        """One flat line."""
        numbers = asdict(self)
        return {"passed": self.passed, **numbers.pop("verdict"), **numbers}


def run(plan: Plan) -> Outcome:
    """Stop the database, kill the collector half-way, start the database, let it drain, compare."""
    city = faulty_city(plan.devices, plan.rate, 60 * plan.minutes + 2 * AROUND, plan.seed)
    setup = Setup(city.descriptions(), collectors=2, packs=PACKS, autosave=plan.autosave)
    with rig(setup) as made:
        publisher = Publisher(made.broker.broker, city, plan.rate)
        with publishing(publisher):
            made.pause(AROUND)
            holder = made.holder() or made.collectors[0]
            began, before = made.clock.micros(), publisher.sent
            made.database.stop()
            say(f"the database is away for {60 * plan.minutes:g} s; {before} sent")
            made.pause(30 * plan.minutes)
            holder.kill()
            holder.start()
            say(f"{holder.name} was killed and started again; {publisher.sent} sent")
            made.pause(30 * plan.minutes)
            waiting = publisher.sent - before
            made.database.start()
            away = (made.clock.micros() - began) / MICROS
            back = made.clock.micros()
            made.until_at_work()
            resumed = (made.clock.micros() - back) / MICROS
            say(f"the database is back; {waiting} messages wait at the broker")
            made.pause(AROUND)
            finish(made, city, publisher)
            caught_up = (made.clock.micros() - back) / MICROS
        verdict = compare(made, city, publisher, may_miss=False)
        return Outcome(
            verdict=verdict,
            away_s=round(away, 1),
            waiting=waiting,
            resumed_s=round(resumed, 1),
            caught_up_s=round(caught_up, 1),
            behind=publisher.behind,
        )
