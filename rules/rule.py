"""A rule as its pack states it, checked and ready to run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from enum import IntEnum, StrEnum

from rules.expressions import Expression
from rules.windows import Window


class Severity(IntEnum):
    """Ordinal, because colours and words differ between standards; 紧急, 重要, 一般, 提示."""

    NOTICE = 1
    MINOR = 2
    MAJOR = 3
    CRITICAL = 4


class Input(StrEnum):
    """What a rule looks at."""

    READING = "reading"  # each reading, in the transaction that stores it
    WINDOW = "window"  # each window of a device's readings, some time after its end
    GROUP = "group"  # the members of a circuit, grid, road ... together, window by window
    JOB = "job"  # the figures of a measure, once a day
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

    ``text`` is the rule as its pack has it, and ``version`` its fingerprint, recorded with each of its alarms.
    ``max_gap`` (µs) is the longest time between two rows that still counts as observed. ``clear`` is None where the
    end of the raise conditions is the end of the alarm; ``clear_messages`` is, for silence, how many messages end it.
    ``ease`` is how long nothing worse must have held before the severity falls; None: it falls when the alarm clears.
    A ``latch`` rule's alarms clear only after a person has said so.

    ``evidence`` are metrics of the reading that the alarm's detail carries beside those that the condition looked at.

    Of windows and groups: ``window``, and ``only``, which readings enter the aggregates. Of groups: by which fields
    devices are grouped, the condition of a ``member``, and the rules whose alarms of members a group's alarm
    ``covers``. Of jobs: when (local time) which ``measure`` is asked.
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
    ease: Hold | None = None
    latch: bool = False
    window: Window | None = None
    only: Expression | None = None
    group: tuple[str, ...] = ()
    member: Expression | None = None
    covers: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    at: time | None = None
    measure: str = ""
    text: str = ""

    @property
    def patience(self) -> int:
        """How long a device may be silent before any branch minds, µs."""
        return min(branch.silent for branch in self.branches)

    @property
    def mildest(self) -> Severity:
        """The least severity that an alarm of this rule can have."""
        mildest = min((severity for severity, _ in self.severity_when), default=self.severity)
        return min(branch.severity or min(mildest, self.severity) for branch in self.branches)

    @property
    def worst(self) -> Severity:
        """The highest severity that an alarm of this rule can have."""
        worst = max((severity for severity, _ in self.severity_when), default=self.severity)
        return max(branch.severity or max(worst, self.severity) for branch in self.branches)

    @property
    def conditions(self) -> tuple[Expression, ...]:
        """Every condition of the rule."""
        found = (
            *(branch.when for branch in self.branches),
            *(condition for _, condition in self.severity_when),
            self.clear,
            self.only,
            self.member,
        )
        return tuple(condition for condition in found if condition is not None)

    @property
    def asked(self) -> frozenset[str]:
        """The rules of whose alarms its conditions ask."""
        return frozenset(name for condition in self.conditions for name in condition.alarms)
