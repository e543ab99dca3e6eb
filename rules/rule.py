"""A rule as its pack states it, checked and ready to run."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from rules.expressions import Expression


class Severity(IntEnum):
    """Ordinal, because colours and words differ between standards; 紧急, 重要, 一般, 提示."""

    NOTICE = 1
    MINOR = 2
    MAJOR = 3
    CRITICAL = 4


class Input(StrEnum):
    """What a rule looks at."""

    READING = "reading"  # each reading, in the transaction that stores it
    SILENCE = "silence"  # the absence of messages, watched by the dispatcher


@dataclass(frozen=True, slots=True)
class Hold:
    """How long a condition must be observed before it counts.

    Met by ``samples`` readings in a row, by ``duration`` µs of observed time, or by ``samples`` readings within
    ``within`` µs whatever lies between them. All zero: at once.
    """

    samples: int = 0
    duration: int = 0
    within: int = 0

    @property
    def immediate(self) -> bool:
        """Whether a single reading suffices."""
        return not (self.samples or self.duration)


AT_ONCE = Hold()


@dataclass(frozen=True, slots=True)
class Branch:
    """One way in which a rule raises.

    ``severity`` where this way has one of its own. ``silent`` is the time without a message, µs, for rules whose
    input is silence; their condition then speaks of the device and the hour, and may be missing.
    """

    when: Expression | None
    hold: Hold = AT_ONCE
    severity: Severity | None = None
    silent: int = 0


@dataclass(frozen=True, slots=True)
class CaseSpec:
    """The case that an alarm of this rule opens.

    ``arrive`` and ``fix`` are allowances such as ``2h urgent``; a city may override them per rule. ``to`` is the role
    at which the search for the responsible unit begins.
    """

    problem: str
    fix: str
    arrive: str = ""
    to: str = "maintainer"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of one kind.

    ``version`` is a fingerprint of the rule's text, recorded with each of its alarms. ``max_gap`` (µs) is the
    longest time between two readings that still counts as observed. ``clear`` is None where the end of the raise
    conditions is the end of the alarm; ``clear_messages`` is, for silence, how many messages end it.
    """

    id: str
    names: Mapping[str, str]
    kind: str
    input: Input
    branches: tuple[Branch, ...]
    severity: Severity
    severity_when: tuple[tuple[Severity, Expression], ...]
    clear: Expression | None
    clear_hold: Hold
    clear_messages: int
    max_gap: int
    case: CaseSpec
    source: str
    version: str
