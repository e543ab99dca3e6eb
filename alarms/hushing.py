"""Which alarms others explain: suppression by design. Pure.

The alarm that names the cause is never suppressed by what it explains.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why one alarm explains another."""

    PARENT_SILENT = "parent_silent"  # its gateway, cabinet or circuit is silent too
    GROUP = "group"  # the alarm of a group that it is a member of covers its rule
    STORM = "storm"  # the district has more alarms than anybody can read


@dataclass(frozen=True, slots=True)
class Explanation:
    """Alarm ``by``, of rule ``rule_id`` and the facility ``device_id``, explains ``alarm``."""

    alarm: int
    by: int
    rule_id: str
    device_id: str
    cause: Cause

    def detail(self) -> dict[str, str | int]:
        """What the history says about it."""
        return {"because": self.cause.value, "by": self.by, "rule": self.rule_id, "facility": self.device_id}


def explained(found: Iterable[Explanation], suppressed_by: Mapping[int, int]) -> dict[int, Explanation]:
    """The explanation of each alarm: the first that does not, step by step, go back to the alarm itself.

    Args:
        found: In order of preference.
        suppressed_by: By which alarms those that explain are themselves suppressed already.
    """
    chosen: dict[int, Explanation] = {}
    above = dict(suppressed_by)
    for each in found:
        if each.alarm not in chosen and not _leads_to(each.by, each.alarm, above):
            chosen[each.alarm] = each
            above[each.alarm] = each.by
    return chosen


def _leads_to(start: int, end: int, above: Mapping[int, int]) -> bool:
    at: int | None = start
    while at is not None and at != end:
        at = above.get(at)
    return at is not None
