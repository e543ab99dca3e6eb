"""Why an alarm was raised: from what is stored, and by judging the stored readings once more. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devices.errors import Permanent
from devices.quality import Quality
from devices.readings import Readings
from devices.registry import Registry
from rules.closing import close, completed
from rules.engine import Engine
from rules.frame import Frame
from rules.remembering import Memory
from rules.rule import Rule
from rules.spells import NONE, Spells
from rules.verdicts import Transition, Verdicts
from rules.windows import frame_of

_DAY = 86_400_000_000  # µs


class CrashError(Permanent):
    """The rule crashes over what is stored; the message says how."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a group in a window: ``hit``, ``not hit``, ``unknown`` or ``silent``, with what was looked at."""

    device: str
    state: str
    values: Mapping[str, float | str]


def doubts(quality: int) -> str:
    """The quality bits of a reading as words."""
    return ", ".join(str(bit.name).lower() for bit in Quality(quality)) or "good"


def judged_since(rule: Rule, detail: Mapping[str, Any], at: int, ends: Sequence[int]) -> int:
    """From when a rule must judge again to come to the same (µs since 1970 UTC).

    Args:
        rule: The rule.
        detail: What the activation's line says.
        at: When that was.
        ends: When earlier activations of the same alarm ended: what was observed before is forgotten there.
    """
    since = int(detail.get("since", at))
    if any(branch.hold.within for branch in rule.branches):
        return since  # what counts within a time is not forgotten when an alarm ends
    return max([since - rule.max_gap, *(end + 1 for end in ends if end < at)])


def read_since(rule: Rule, since: int) -> int:
    """From when readings are needed to judge from ``since`` on."""
    return since if rule.window is None else since - (rule.window.length or _DAY)


def replay(
    rule: Rule, readings: Readings, surroundings: Frame, since: int, until: int, alarms: Spells = NONE
) -> list[Transition]:
    """What a rule about readings, windows or groups finds in these readings, remembering nothing from before.

    Args:
        rule: The rule.
        readings: Of one device, or of all members of one group, from ``read_since`` until ``until``.
        surroundings: Any frame with the registry, the city's time and the permits.
        since: From when it judges; windows that end later count.
        until: Until when, inclusive. Both in microseconds since 1970 UTC.
        alarms: When alarms were active that the rule asks for.

    Raises:
        CrashError: if the rule crashes.
    """
    local_time = surroundings.local_time
    if rule.window is not None:
        windows = rule.window.between(local_time, since, until)
        return sound(close(rule, frame_of(readings, windows, surroundings), Memory(), alarms=alarms))
    return sound(Engine([rule], surroundings.registry, local_time, permits=surroundings.permits).step([readings]))


def sound(verdicts: Verdicts) -> list[Transition]:
    """What was found.

    Raises:
        CrashError: if the rule crashes.
    """
    for crash in verdicts.crashes:
        raise CrashError(crash.detail)
    return verdicts.transitions


def last_window(rule: Rule, readings: Readings, surroundings: Frame, end: int, alarms: Spells) -> Frame | None:
    """The windows of a rule that ended at a moment, a row for each device that sent something; None if none did."""
    if rule.window is None:
        return None
    windows = rule.window.between(surroundings.local_time, end - 1, end)
    frame = frame_of(readings, windows, surroundings)
    return completed(rule, frame, alarms) if len(frame) else None


def members(rule: Rule, frame: Frame | None, registry: Registry) -> Iterator[Member]:
    """What the members of a group were at the end of a window, hits first."""
    found = {}
    if frame is not None and rule.member is not None:
        truth = rule.member.truth(frame)
        for row, number in enumerate(frame.readings.device.tolist()):
            state = "hit" if truth.true[row] else "not hit" if truth.false[row] else "unknown"
            found[number] = Member(registry.devices[number].device_id, state, rule.member.look(frame.row(row)))
    silent = [Member(device.device_id, "silent", {}) for device in registry.devices.values() if device.id not in found]
    order = ("hit", "not hit", "unknown", "silent")
    yield from sorted([*found.values(), *silent], key=lambda each: (order.index(each.state), each.device))
