"""What the engine found: transitions for people, state for the next reading."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from rules.observing import Observation
from rules.rule import Severity

Key = tuple[str, int]  # rule id, device number


class Change(StrEnum):
    """How a condition changed."""

    RAISED = "raised"
    ESCALATED = "escalated"
    EASED = "eased"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Transition:
    """A condition of a rule began, worsened, eased or ended for a device.

    ``at`` is event time, microseconds since 1970 UTC. ``detail`` explains: what held, since when, with which values.
    """

    change: Change
    rule_id: str
    rule_version: str
    device: int
    severity: Severity
    at: int
    detail: dict[str, Any]


class RuleState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a rule remembers of a device between readings.

    ``raising`` has one place per branch, ``clearing`` the observation of the clear condition. ``calm`` is, for rules
    that ease, for each severity above notice up to its own for how long nothing so bad has held.
    """

    active: bool = False
    severity: int = 0
    raising: tuple[Observation | None, ...] = ()
    clearing: Observation | None = None
    calm: tuple[Observation | None, ...] = ()

    @property
    def at_rest(self) -> bool:
        """Whether there is nothing to remember."""
        return not self.active and not any(self.raising)


@dataclass(frozen=True, slots=True)
class RuleCrash:
    """A rule raised an error of its own; it is benched until the packs are read again."""

    rule_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The outcome of a step. ``states`` holds what changed; None for a rule that came to rest."""

    transitions: list[Transition] = field(default_factory=list)
    states: dict[Key, RuleState | None] = field(default_factory=dict)
    crashes: list[RuleCrash] = field(default_factory=list)
