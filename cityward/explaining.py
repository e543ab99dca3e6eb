"""Why an alarm was raised: from what is stored, and by judging the stored readings once more. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from devices.quality import Quality
from devices.readings import Readings
from rules.closing import close
from rules.engine import Engine
from rules.frame import Frame
from rules.remembering import Memory
from rules.rule import Input, Rule
from rules.verdicts import Change, Transition
from rules.windows import frame_of
from storage.alarm_list import HistoryRow

REPLAYABLE = frozenset({Input.READING, Input.WINDOW})
_DAY = 86_400_000_000  # µs


def raising(history: Sequence[HistoryRow]) -> HistoryRow | None:
    """The line that tells of the alarm's latest activation; None where there is none, or only the end of a hush."""
    found = [line for line in history if line.event in {"raised", "repeated"} and "after" not in line.detail]
    return found[-1] if found else None


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


def replay(rule: Rule, readings: Readings, surroundings: Frame, since: int, until: int) -> list[Transition]:
    """What the rule finds in these readings, remembering nothing from before; ``REPLAYABLE`` says for which inputs.

    Args:
        rule: The rule.
        readings: Of one device, from ``read_since`` until ``until``.
        surroundings: Any frame with the registry, the city's time and the permits.
        since: From when it judges; windows that end later count.
        until: Until when, inclusive. Both in microseconds since 1970 UTC.

    Raises:
        ValueError: if the rule crashes.
    """
    local_time = surroundings.local_time
    if rule.window is not None:
        windows = rule.window.between(local_time, since, until)
        verdicts = close(rule, frame_of(readings, windows, surroundings), Memory())
    else:
        verdicts = Engine([rule], surroundings.registry, local_time, permits=surroundings.permits).step([readings])
    for crash in verdicts.crashes:
        raise ValueError(f"the rule crashes: {crash.detail}")
    return verdicts.transitions


def compared(found: Sequence[Transition], at: int, severity: int) -> Iterator[str]:
    """How a replay differs from what is on record; nothing where it does not."""
    raised = [each for each in found if each.change is Change.RAISED]
    same = [each for each in raised if each.at == at]
    if same and int(same[0].severity) != severity:
        yield f"the severity would be {same[0].severity.name.lower()}"
    elif not same and not raised:
        yield "nothing would be raised"
    elif not same:
        yield f"it would be raised {abs(raised[-1].at - at) / 1e6:g} s {'later' if raised[-1].at > at else 'earlier'}"
