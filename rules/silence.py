"""The watchdog: devices that should have spoken and did not.

Pure. Silence is judged by arrival, not by event time: a device that sends old readings is not silent. The memory is
the open alarm itself, so a restart changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from devices.moments import MICROS
from devices.registry import Registry
from rules.frame import Frame
from rules.local_time import LocalTime
from rules.rule import Branch, Input, Rule, Severity
from rules.spells import NONE, Spells
from rules.verdicts import Change, RuleCrash, Transition, Verdicts
from rules.windows import blank


@dataclass(frozen=True, slots=True)
class Heard:
    """When a device was last heard (microseconds since 1970 UTC) and how often so far."""

    last: int
    readings: int


@dataclass(frozen=True, slots=True)
class SilenceAlarm:
    """An active alarm of a silence rule: how often the device had been heard when it was raised."""

    readings: int


def watch(
    rules: Iterable[Rule],
    registry: Registry,
    local_time: LocalTime,
    heard: Mapping[int, Heard],
    active: Mapping[tuple[str, int], SilenceAlarm],
    now: int,
    *,
    alarms: Spells = NONE,
    permits: Spells = NONE,
) -> Verdicts:
    """What silence begins and ends at ``now``. A rule that crashes costs the others nothing.

    Args:
        rules: All rules; those of another input are passed over.
        registry: Who should be heard.
        local_time: The city's clock.
        heard: By device number; others are not looked at. A device never heard of is not yet installed.
        active: The active alarms of silence rules, by rule and device.
        now: Microseconds since 1970 UTC.
        alarms: When alarms of the rules are active that its conditions ask for.
        permits: The work permits in force.
    """
    verdicts = Verdicts()
    for rule in rules:
        if rule.input is Input.SILENCE:
            devices = registry.of_kind(rule.kind, np.array(sorted(heard), dtype=np.int64)).tolist()
            try:
                raised = list(_raised(rule, devices, registry, local_time, heard, active, now, alarms, permits))
                cleared = list(_cleared(rule, devices, heard, active))
            except Exception as error:  # noqa: BLE001 - whatever a rule does, the watch goes on
                verdicts.crashes.append(RuleCrash(rule.id, f"{type(error).__name__}: {error}"))
            else:
                verdicts.transitions.extend([*raised, *cleared])
    return verdicts


def _raised(
    rule: Rule,
    devices: Sequence[int],
    registry: Registry,
    local_time: LocalTime,
    heard: Mapping[int, Heard],
    active: Mapping[tuple[str, int], SilenceAlarm],
    now: int,
    alarms: Spells,
    permits: Spells,
) -> Iterable[Transition]:
    raised: set[int] = set()
    for branch in rule.branches:
        quiet = [
            device
            for device in devices
            if now - heard[device].last > branch.silent and (rule.id, device) not in active and device not in raised
        ]
        for device, severity, why in _where(rule, branch, quiet, registry, local_time, now, alarms, permits):
            raised.add(device)
            detail = {
                "because": f"silent for more than {branch.silent // MICROS} s",
                "since": heard[device].last,
                "readings": heard[device].readings,
                **({"graver": why} if why else {}),
            }
            yield Transition(Change.RAISED, rule.id, rule.version, device, severity, now, detail)


def _cleared(
    rule: Rule,
    devices: Sequence[int],
    heard: Mapping[int, Heard],
    active: Mapping[tuple[str, int], SilenceAlarm],
) -> Iterable[Transition]:
    for device in devices:
        alarm = active.get((rule.id, device))
        now_heard = heard[device]
        if alarm and now_heard.readings - alarm.readings >= rule.clear_messages:
            detail = {"because": f"heard again {now_heard.readings - alarm.readings} times"}
            yield Transition(Change.CLEARED, rule.id, rule.version, device, rule.severity, now_heard.last, detail)


def _where(
    rule: Rule,
    branch: Branch,
    devices: Sequence[int],
    registry: Registry,
    local_time: LocalTime,
    now: int,
    alarms: Spells,
    permits: Spells,
) -> list[tuple[int, Severity, str]]:
    """The devices for which the branch's condition holds at this hour, how bad that is, and what makes it worse."""
    if not devices:
        return []
    moments = blank(
        registry.kinds[rule.kind],
        np.array(devices, dtype=np.int64),
        np.full(len(devices), now, dtype=np.int64),
    )
    frame = Frame(moments, registry, local_time, permits, alarms=alarms)
    holds = branch.when.truth(frame).true if branch.when is not None else np.ones(len(devices), dtype=bool)
    severity, why = [branch.severity or rule.severity] * len(devices), [""] * len(devices)
    if branch.severity is None:
        for worse, condition in reversed(rule.severity_when):  # the worst last, so that it stays
            for row in np.flatnonzero(condition.truth(frame).true).tolist():
                severity[row], why[row] = worse, condition.text
    return [(devices[row], severity[row], why[row]) for row in np.flatnonzero(holds).tolist()]
