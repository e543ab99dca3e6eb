"""Why something was missed, late or false: asked of the trial's database before that is thrown away."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from cityward.trial.evaluating import Raised
from cityward.trial.outcome import Outcome
from cityward.trial.stage import Stage
from devices.kind import Metric, MetricType
from rules import mentions
from rules.explaining import doubts
from rules.rule import Rule
from simulators.labels import Label
from simulators.physics.daytime import LOCAL
from storage import reading_writer

MOST = 5  # of each sort and rule are explained
_DEVICES = 3  # of a label
T = TypeVar("T")
_AROUND = timedelta(minutes=10)
_PATIENCE = 60.0  # seconds for an explanation


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that went wrong, in a line, and all that is known about it."""

    title: str
    text: str


def troubles(stage: Stage, outcome: Outcome, rules: Sequence[Rule]) -> list[Trouble]:
    """What was missed, late, false, and who was sent to permitted work, in this order; of each rule the first ones."""
    labels = {label.id: label for label in outcome.labels}
    by_id = {rule.id: rule for rule in rules}
    found = []
    for name, rule in _some(outcome.score.missed, lambda each: each[1]):
        title = f"{rule} never noticed {_what(labels[name])}"
        found.append(Trouble(title, _stored(stage, outcome, labels[name], by_id[rule])))
    for name, rule, seconds in _some(outcome.score.late, lambda each: each[1]):
        title = f"{rule} took {seconds / 60:.0f} min to notice {_what(labels[name])}"
        found.append(Trouble(title, _stored(stage, outcome, labels[name], by_id[rule])))
    for alarm in _some(outcome.score.false, lambda each: each.rule):
        title = f"{alarm.rule} of {alarm.device} at {_local(alarm.at)} was false"
        found.append(Trouble(title, _explained(stage, alarm)))
    for alarm in _some(outcome.sent_to_permitted_work, lambda each: each.rule):
        title = f"{alarm.rule} of {alarm.device} at {_local(alarm.at)} sent somebody to permitted work"
        found.append(Trouble(title, _explained(stage, alarm)))
    return found


def _some(found: Iterable[T], rule_of: Callable[[T], str]) -> Iterator[T]:
    """The first ones of each rule."""
    seen: Counter[str] = Counter()
    for each in found:
        seen[rule_of(each)] += 1
        if seen[rule_of(each)] <= MOST:
            yield each


def _what(label: Label) -> str:
    return f"{label.id} of {', '.join(label.devices[:_DEVICES])} at {_local(label.start)}"


def _explained(stage: Stage, alarm: Raised) -> str:
    """What ``cityward alarms explain`` says."""
    said = subprocess.run(  # noqa: S603 - our own interpreter and our own module
        [sys.executable, "-m", "cityward", "alarms", "explain", str(alarm.number)],
        env={**stage.dispatcher.environment, "COLUMNS": "150"},
        cwd=stage.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        timeout=_PATIENCE,
    )
    return "\n".join(line.rstrip() for line in (said.stdout or said.stderr).splitlines())


def _stored(stage: Stage, outcome: Outcome, label: Label, rule: Rule) -> str:
    """What was stored of the devices meanwhile, and which alarms there were."""
    until = max(label.end, *(each.by for each in label.expects))
    by = min(each.by for each in label.expects if each.rule == rule.id)
    lines = [f"Expected by {_local(by)}; it lasted until {_local(label.end)}."]
    for name in label.devices[:_DEVICES]:
        lines += _readings(stage, name, rule, label.start - _AROUND, until)
    there = [each for each in outcome.alarms if each.device in label.devices and label.start <= each.known <= until]
    lines += [f"alarm {each.number}: {each.rule} of {each.device}, noticed {_local(each.known)}" for each in there]
    return "\n".join(lines if there else [*lines, "No alarm of these devices meanwhile."])


def _readings(stage: Stage, name: str, rule: Rule, since: datetime, until: datetime) -> Iterator[str]:
    device = stage.registry.named(name)
    if device is None:
        return
    kind = stage.registry.kinds[device.kind]
    rows = reading_writer.around(stage.connection, kind, device.id, since, until)
    yield f"{name}: {len(rows)} readings stored from {_local(since)} to {_local(until)}"
    for metric in mentions.metrics(rule.text, device, stage.registry):
        if spoken := _range(kind.metric(metric), [row[metric] for row in rows if row[metric] is not None]):
            yield f"    {metric}: {spoken}"
    for limit in mentions.limits(rule.text, device, stage.registry, since.astimezone(LOCAL).date()):
        yield f"    limit.{limit.name}: {limit.step.value} {limit.unit}"
    if doubtful := sorted({doubts(row["quality"]) for row in rows if row["quality"]}):
        yield f"    doubts: {'; '.join(doubtful)}"


def _range(metric: Metric, values: Sequence[Any]) -> str:
    """From the least to the largest number, or the words that there were; empty where there were none."""
    if metric.type in {MetricType.TEXT, MetricType.BOOL, MetricType.ENUM}:
        return ", ".join(sorted({str(metric.said(value)) for value in values}))
    return f"{min(values):g} to {max(values):g}, {len(values)} times" if values else ""


def _local(at: datetime) -> str:
    return f"{at.astimezone(LOCAL):%Y-%m-%d %H:%M:%S}"
