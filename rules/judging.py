"""One rule over rows in event order: what begins, worsens, eases and ends.

Rows are readings, windows or groups of devices; the same state machine judges them all. Vectorised screen, scalar
decide: conditions are evaluated on whole columns, and only devices for which something holds or is remembered are
walked row by row. Pure.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.readings import Ints
from rules.easing import eased
from rules.frame import Frame
from rules.observing import Observation, interrupted, met, observe
from rules.remembering import Memory
from rules.rule import Hold, Rule, Severity
from rules.truth import Truth
from rules.verdicts import Change, RuleState, Transition, Verdicts

_REST = RuleState()
Evidence = Callable[[int, Change], Mapping[str, Any]]


def judge(rule: Rule, frame: Frame, memory: Memory, verdicts: Verdicts, evidence: Evidence | None = None) -> None:
    """Add to the verdicts what a rule finds in a frame.

    Args:
        rule: The rule; its conditions speak of the frame's rows.
        frame: Rows in order of device and time.
        memory: What the rule remembers from before the first row.
        verdicts: Where it goes; states that stand there already go before those.
        evidence: What to say in the detail of a transition beside what the conditions looked at, by row and change.
    """
    raising = [branch.when.truth(frame) for branch in rule.branches if branch.when is not None]
    devices, times = frame.readings.device, frame.judged_at
    if not len(frame):
        return
    rows = _interesting(devices, raising, memory)
    if not len(rows):
        return
    clearing = rule.clear.truth(frame) if rule.clear is not None else ~_any(raising)
    for row in rows.tolist():
        device, at = int(devices[row]), int(times[row])
        key = (rule.id, device)
        before = verdicts.states.get(key, memory.states.get(device)) or _REST
        holding = [_at(truth, row) for truth in raising]
        after, change = advance(rule, before, at, holding, clearing=_at(clearing, row))
        if after.active:
            after, change = _weigh(rule, before, after, change, holding, frame, row, at)
        if after != before:
            verdicts.states[key] = None if after.at_rest else after
        if change is not None:
            severity = Severity(after.severity or before.severity)
            detail = _explain(rule, after, change, frame.row(row)) | dict(evidence(row, change) if evidence else {})
            verdicts.transitions.append(Transition(change, rule.id, rule.version, device, severity, at, detail))


def advance(
    rule: Rule, state: RuleState, at: int, raising: Sequence[bool | None], *, clearing: bool | None
) -> tuple[RuleState, Change | None]:
    """One row's worth of time for one rule and device, severities aside.

    Args:
        rule: The rule.
        state: What it remembers.
        at: Event time, microseconds since 1970 UTC.
        raising: For each branch whether its condition holds; None where the row does not tell.
        clearing: The same for the clear condition.
    """
    seen = state.raising if len(state.raising) == len(rule.branches) else (None,) * len(rule.branches)
    observed = tuple(
        _observed(past, at, rule, number, holds=holds)
        for number, (past, holds) in enumerate(zip(seen, raising, strict=True))
    )
    fulfilled = any(
        holds is True and past is not None and met(past, branch.hold)
        for past, holds, branch in zip(observed, raising, rule.branches, strict=True)
    )
    if not state.active:
        after = RuleState(active=fulfilled, severity=state.severity, raising=observed)
        return (after, Change.RAISED) if fulfilled else (after if any(observed) else _REST, None)
    ending: Observation | None = state.clearing
    if clearing is False or fulfilled:
        ending = None
    elif clearing:
        ending = observe(ending, at, rule.clear_hold, rule.max_gap)
        if met(ending, rule.clear_hold):
            begun = tuple(_begun(past, branch.hold) for past, branch in zip(observed, rule.branches, strict=True))
            return RuleState(raising=begun) if any(begun) else _REST, Change.CLEARED
    return msgspec.structs.replace(state, raising=observed, clearing=ending), None


def _observed(past: Observation | None, at: int, rule: Rule, branch: int, *, holds: bool | None) -> Observation | None:
    hold = rule.branches[branch].hold
    if holds is None:
        return past
    if not holds:
        return interrupted(past, at, hold)
    if past is not None and not hold.within and met(past, hold):
        return past  # nothing more to learn, hence nothing to write
    return observe(past, at, hold, rule.max_gap)


def _begun(past: Observation | None, hold: Hold) -> Observation | None:
    """What of an observation outlives the alarm: what raised it is over, and must be seen anew to raise again."""
    return past if past is not None and (hold.within or not met(past, hold)) else None


def _weigh(
    rule: Rule,
    before: RuleState,
    after: RuleState,
    change: Change | None,
    holding: Sequence[bool | None],
    frame: Frame,
    row: int,
    at: int,
) -> tuple[RuleState, Change | None]:
    """The severity of an active condition: it rises at once; it falls if the rule eases, and when it clears."""
    worst = max(
        (
            branch.severity or _severity(rule, frame, row)
            for branch, seen, holds in zip(rule.branches, after.raising, holding, strict=True)
            if holds and seen is not None and met(seen, branch.hold)
        ),
        default=None,
    )
    if worst is not None and worst > before.severity:
        return msgspec.structs.replace(after, severity=int(worst), calm=()), change or Change.ESCALATED
    if change is None and rule.ease is not None:
        after = eased(rule, rule.ease, after, at, worst, unknown=None in holding)
        return after, Change.EASED if after.severity < before.severity else None
    return after, change


def _severity(rule: Rule, frame: Frame, row: int) -> Severity:
    for severity, condition in rule.severity_when:
        if condition.truth(frame.row(row)).true[0]:
            return severity
    return rule.severity


def _interesting(device: Ints, raising: Sequence[Truth], memory: Memory) -> NDArray[np.intp]:
    """Rows of devices for which some condition holds or something is remembered; rows are in order of device."""
    holding = raising[0].true
    for truth in raising[1:]:
        holding = holding | truth.true
    rows = memory.of(device)
    if holding.any():
        rows |= np.isin(device, device[holding])
    return np.flatnonzero(rows)


def _any(truths: Sequence[Truth]) -> Truth:
    result = truths[0]
    for truth in truths[1:]:
        result |= truth
    return result


def _at(truth: Truth, row: int) -> bool | None:
    if truth.true[row]:
        return True
    return False if truth.false[row] else None


def _explain(rule: Rule, state: RuleState, change: Change, row: Frame) -> dict[str, Any]:
    if change is Change.CLEARED:
        if rule.clear is None:
            return {"because": "no raise condition holds any more"}
        return {"because": rule.clear.text, "values": rule.clear.look(row)}
    if change is Change.EASED:
        return {"because": "nothing worse has held for long enough"}
    for branch, seen in zip(rule.branches, state.raising, strict=True):
        if branch.when is not None and seen is not None and met(seen, branch.hold):
            return {
                "because": branch.when.text,
                "values": branch.when.look(row),
                "since": seen.since,
                "samples": seen.samples,
            }
    return {}
