"""Alarm storms: more alarms in a district than anybody can read. Pure.

A storm is itself an alarm, of the rule ``RULE`` and the district's desk: it has a case and a message, says how much it
holds back, and ends by itself; what it has suppressed and is still active then comes up.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from alarms.policy import Storm
from rules.rule import Severity

RULE = "AM-01"
VERSION = "built in"
PROBLEM = "alarm_storm"
SEVERITY = Severity.MAJOR


@dataclass(frozen=True, slots=True)
class Turn:
    """The districts whose storm begins and ends."""

    begins: list[str]
    ends: list[str]


def weigh(counts: Mapping[str, int], raging: Collection[str], storm: Storm) -> Turn:
    """What the numbers of new alarms by district say.

    Args:
        counts: New alarms within ``storm.within``, by district.
        raging: The districts that have a storm now.
        storm: The city's thresholds.
    """
    begins = [
        district
        for district, count in sorted(counts.items())
        if storm.begin and count > storm.begin and district not in raging
    ]
    ends = [district for district in sorted(raging) if not storm.begin or counts.get(district, 0) < storm.end]
    return Turn(begins, ends)
