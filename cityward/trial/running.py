"""A trial from beginning to end."""

import shutil
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cityward import wiring
from cityward.settings import Settings
from cityward.trial.driving import Course, drive
from cityward.trial.evaluating import evaluate
from cityward.trial.outcome import Outcome, raised
from cityward.trial.stage import Servers, Stage, stage
from devices.errors import StoppedError
from devices.registry import Registry
from rules.rule import Input, Rule
from simulators.city import PretendCity
from simulators.fleet import Fleet
from simulators.labels import truth
from simulators.scenario import Scenario
from simulators.telling import shortage, tell
from storage import outcome as stored
from storage.overview import ledger


@dataclass(frozen=True, slots=True)
class Plan:
    """What to try: a scenario in a city, from where chance starts and when, for how long, on which servers."""

    scenario: Scenario
    city: PretendCity
    seed: int
    course: Course
    servers: Servers


@dataclass(frozen=True, slots=True)
class Told:
    """Who hears of a trial: words about what it does, and how far it is (time, messages)."""

    say: Callable[[str], None]
    report: Callable[[datetime, int], None]


def run(
    plan: Plan,
    settings: Settings,
    stop: threading.Event,
    told: Told,
    explain: Callable[[Stage, Outcome], None],
) -> Outcome:
    """Run a trial; ``explain`` may ask its database before that is thrown away.

    Where somebody stops it, it is about the time until then.

    Raises:
        TrialError: if it comes to no end.
        StoppedError: if somebody stops it before anything has happened.
    """
    began, course = time.monotonic(), plan.course
    story = tell(plan.scenario, plan.city, course.begins, plan.seed)
    if short := shortage(plan.scenario, plan.city, story, course.begins, plan.seed):
        told.say(short)
    fleet, labels = Fleet(plan.city, story, plan.seed), truth(story, plan.city, plan.seed).labels
    rules = wiring.rules(settings, plan.city.kinds)
    with (
        _folder() as folder,
        stage(plan.servers, settings, plan.city, story, course.begins, folder, told.say) as on,
    ):
        ends, published = drive(on, fleet, course, stop=stop, report=told.report)
        activations, cases = stored.activations(on.connection), stored.dispatches(on.connection)
        alarms = raised(activations, cases, ends, course.tick)
        outcome = Outcome(
            scenario=plan.scenario.name,
            devices=len(plan.city.devices),
            seed=plan.seed,
            begins=course.begins,
            ends=ends,
            labels=labels,
            alarms=alarms,
            cases=cases,
            score=evaluate(
                labels,
                alarms,
                rules=[rule.id for rule in rules],
                device_days=len(plan.city.devices) * (ends - course.begins) / timedelta(days=1),
                until=ends,
                groups=_groups(on.registry, rules),
                reach={rule.id: _reach(rule) for rule in rules},
                tick=course.tick,
            ),
            published=published,
            ledger=ledger(on.connection),
            seconds=time.monotonic() - began,
            cut_short=ends < course.ends,
        )
        explain(on, outcome)
    return outcome


def _reach(rule: Rule) -> timedelta:
    """How far back a rule looks: a job over the day before."""
    if rule.input is Input.JOB:
        return timedelta(days=1)
    return timedelta(microseconds=rule.window.length) if rule.window else timedelta()


def _groups(registry: Registry, rules: list[Rule]) -> Mapping[str, set[str]]:
    """By device the groups that rules see it in, and the desk that its storms are raised for."""
    found = defaultdict(set, {device.device_id: {f"desk:{device.district}"} for device in registry.devices.values()})
    for kind, by in {(rule.kind, rule.group) for rule in rules if rule.group}:
        for group, members in registry.members(kind, by).items():
            for device in members.tolist():
                found[registry.devices[device].device_id].add(group)
    return found


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for logs and the embedded database, which stays where something went wrong after it had begun."""
    folder = Path(tempfile.mkdtemp(prefix="cityward-evaluate-"))
    try:
        yield folder
    except Exception as error:
        if isinstance(error, StoppedError) or not any(folder.iterdir()):
            shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)
