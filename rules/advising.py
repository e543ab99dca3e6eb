"""What would have made a noisy device quieter: a longer delay, which is tried, or a wider deadband, which is measured.

Pure. Times in microseconds since 1970 UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from devices.quality import Quality
from devices.readings import Floats, Readings
from devices.registry import Registry
from rules.episodes import FEWEST, MINUTE, Episode, fleeting, returns
from rules.expressions import Expression
from rules.frame import Frame
from rules.hindsight import Hindsight
from rules.local_time import LocalTime
from rules.nodes import as_floats
from rules.rule import Branch, Hold, Input, Rule
from rules.spells import NONE, Spells
from rules.verdicts import Change
from rules.windows import frame_of

# Delays that are tried, and the share of episodes that one must spare to be worth it: project defaults.
DELAYS = tuple(minutes * MINUTE for minutes in (1, 2, 5, 10, 15, 30, 60, 120))
WORTH = 0.5


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a rule is tried again: the readings of one device, or of all members of one group, and their registry.

    ``heard`` says when each was heard last before that.
    """

    readings: Readings
    registry: Registry
    local_time: LocalTime
    since: int
    until: int
    permits: Spells = NONE
    heard: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Advice:
    """What would have made a device quieter for one rule.

    With the delay ``delay`` (µs; of a silence rule the time of silence) ``spared`` of its alarms had not been, and the
    others had come so much later. With the clear condition ``deadband`` away from the raise condition, in the unit of
    ``metric``, half of the alarms that came back within an hour had been one with those before. Zero and empty where
    there is nothing to advise: where most alarms lasted and did not come back, too.
    """

    delay: int = 0
    spared: int = 0
    metric: str = ""
    deadband: float = 0.0


def advise(rule: Rule, asked: Sequence[Rule], of: Sequence[Episode], scene: Scene) -> Advice:
    """What would have made this rule quieter for this device.

    Args:
        rule: The rule.
        asked: The rules of whose alarms it asks.
        of: Its episodes there, in order.
        scene: The history.
    """
    if fleeting(of, rule) + len(returns(of)) < WORTH * len(of):
        return Advice()  # often, but each time for good reason
    delay, spared = _delay(rule, asked, len(of), scene)
    metric, deadband = _deadband(rule, of, scene)
    return Advice(delay, spared, metric, deadband)


def _delay(rule: Rule, asked: Sequence[Rule], alarms: int, scene: Scene) -> tuple[int, int]:
    """The shortest delay that spares enough of them: the rule is judged again with each."""
    for delay in DELAYS:
        branches = tuple(_delayed(branch, delay) for branch in rule.branches)
        if rule.input is Input.JOB or branches == rule.branches:
            continue
        tried = Hindsight(
            [*asked, replace(rule, branches=branches)], scene.registry, scene.local_time,
            permits=scene.permits, heard=scene.heard,
        )  # fmt: skip
        changes = tried.slice(scene.readings, scene.since, scene.until)
        left = sum(change.rule_id == rule.id and change.change is Change.RAISED for change in changes)
        if left <= (1 - WORTH) * alarms:
            return max(branch.silent or branch.hold.duration for branch in branches), alarms - left
    return 0, 0


def _delayed(branch: Branch, delay: int) -> Branch:
    if branch.silent:
        return replace(branch, silent=branch.silent + delay)
    if branch.hold.within or branch.hold.duration >= delay:
        return branch
    return replace(branch, hold=Hold(duration=delay))


def _deadband(rule: Rule, of: Sequence[Episode], scene: Scene) -> tuple[str, float]:
    """How far a value had moved away before it came back, for half of the returns at most so far."""
    back = returns(of)
    raising = next(
        (branch.when for branch in rule.branches if branch.when and branch.when.text == of[-1].because), None
    )
    if raising is None or rule.input not in {Input.READING, Input.WINDOW} or len(back) < FEWEST:
        return "", 0.0
    frame = _frame(rule, scene)
    if not (holds := raising.truth(frame).true).any():
        return "", 0.0
    at = frame.judged_at
    between = [~holds & (at >= (before.cleared or 0)) & (at < after.raised) for before, after in back]
    for name in raising.aggregates if rule.window else sorted(raising.metrics):
        column = _column(raising, frame, name)
        wrong = column[holds & ~np.isnan(column)]
        away = [found for rows in between if len(found := column[rows & ~np.isnan(column)])]
        if name in of[-1].raised_by and len(wrong) and len(away) >= FEWEST:
            above = float(np.median(wrong)) > float(np.median(np.concatenate(away)))
            widths = [wrong.min() - each.min() if above else each.max() - wrong.max() for each in away]
            if (width := float(np.median(widths))) > 0:
                return name, width
    return "", 0.0


def _column(raising: Expression, frame: Frame, name: str) -> Floats:
    """A metric of readings, an aggregate of windows."""
    if name not in raising.aggregates:
        return frame.metric(name)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return as_floats(raising.aggregates[name].evaluate(frame))


def _frame(rule: Rule, scene: Scene) -> Frame:
    """The rows that the rule judges."""
    readings = scene.readings
    frame = Frame(readings, scene.registry, scene.local_time, scene.permits)
    if rule.window is None:
        return replace(frame, readings=readings.where((readings.quality & int(Quality.LATE)) == 0))
    found = frame_of(readings, rule.window.between(scene.local_time, scene.since, scene.until), frame)
    if rule.only is not None and found.contents is not None:
        only = rule.only.truth(found.contents.frame).true
        found = replace(found, contents=replace(found.contents, only=only))
    return found
