"""Severities that fall while the alarm stands: an alarm is as bad as the worst that held within the last while.

Observed time only: what a row does not tell counts neither way, and a gap interrupts the calm.
"""

import msgspec

from rules.observing import Observation, met, observe
from rules.rule import Hold, Rule, Severity
from rules.verdicts import RuleState


def eased(rule: Rule, hold: Hold, state: RuleState, at: int, worst: Severity | None, *, unknown: bool) -> RuleState:
    """The state after a row in which ``worst`` was the worst that held, None: nothing did.

    Args:
        rule: The rule; the severity does not fall below its mildest.
        hold: How long nothing worse must have held.
        state: Of an active condition.
        at: Event time, microseconds since 1970 UTC.
        worst: No worse than the state's severity.
        unknown: Whether some condition is unknown here, so that worse may have held.
    """
    levels = range(Severity.MINOR, state.severity + 1)
    past = dict(zip(levels, state.calm, strict=False))
    calm: list[Observation | None] = []
    severity = int(state.severity)
    for level in levels:
        seen = past.get(level)
        if worst is not None and worst >= level:
            seen = None
        elif not unknown:
            seen = observe(seen, at, hold, rule.max_gap)
        calm.append(seen)
    while severity > rule.mildest:
        top = calm[severity - Severity.MINOR]
        if top is None or not met(top, hold):
            break
        severity -= 1
    calm = calm[: max(severity - 1, 0)]
    return msgspec.structs.replace(state, severity=severity, calm=tuple(calm) if any(calm) else ())
