"""The engine: readings in, verdicts out. Vectorised screen, scalar decide.

Conditions are evaluated on whole columns; only devices for which something holds, or is remembered, are walked
reading by reading in event order. ``step`` is pure: it changes nothing, so a batch that is rolled back can be judged
again; ``apply`` follows once the verdicts are committed. A rule that crashes is benched and costs nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.quality import Quality
from devices.readings import Ints, Readings
from devices.registry import Registry
from rules.frame import Frame
from rules.local_time import LocalTime
from rules.observing import Observation, interrupted, met, observe
from rules.rule import Hold, Input, Rule, Severity
from rules.truth import Bools, Truth
from rules.verdicts import Change, Key, RuleCrash, RuleState, Transition, Verdicts

_REST = RuleState()
_UNJUDGED = int(Quality.LATE | Quality.REPEATED)


class Engine:
    """Judges readings of one partition against all rules whose input is a reading.

    Args:
        rules: The rules in force.
        registry: The snapshot that readings were decoded against.
        local_time: The city's clock.
        states: What was remembered when the last collector stopped.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        registry: Registry,
        local_time: LocalTime,
        states: Mapping[Key, RuleState] | None = None,
    ) -> None:
        self._registry = registry
        self._local_time = local_time
        self._rules: dict[str, list[Rule]] = defaultdict(list)
        self._memories: dict[str, _Memory] = {}
        for rule in rules:
            if rule.input is Input.READING:
                self._rules[rule.kind].append(rule)
                self._memories[rule.id] = _Memory()
        for (rule_id, device), state in (states or {}).items():
            # A rule that left the packs leaves its state behind; a rule that gained a branch starts it afresh.
            if rule_id in self._memories:
                self._memories[rule_id].keep(device, state)

    def step(self, readings: Sequence[Readings]) -> Verdicts:
        """What these readings start, raise and end.

        Late readings are history: they raise nothing live. Repeated ones say nothing of their device.

        Args:
            readings: At most one table a kind, in order of device and time.
        """
        verdicts = Verdicts()
        for batch in readings:
            live = batch.where((batch.quality & _UNJUDGED) == 0)
            if len(live):
                frame = Frame(live, self._registry, self._local_time)
                for rule in self._rules[batch.kind.name]:
                    self._judge(rule, frame, verdicts)
        return verdicts

    def apply(self, verdicts: Verdicts) -> None:
        """Remember verdicts that are committed."""
        for (rule_id, device), state in verdicts.states.items():
            self._memories[rule_id].keep(device, state)
        for crash in verdicts.crashes:
            for rules in self._rules.values():
                rules[:] = [rule for rule in rules if rule.id != crash.rule_id]

    def _judge(self, rule: Rule, frame: Frame, verdicts: Verdicts) -> None:
        """One rule over one table; its verdicts count only if it gets through."""
        mine = Verdicts()
        try:
            self._walk(rule, frame, mine)
        except Exception as error:  # noqa: BLE001 - whatever a rule does, readings go on
            verdicts.crashes.append(RuleCrash(rule.id, f"{type(error).__name__}: {error}"))
            return
        verdicts.transitions.extend(mine.transitions)
        verdicts.states.update(mine.states)

    def _walk(self, rule: Rule, frame: Frame, verdicts: Verdicts) -> None:
        raising = [branch.when.truth(frame) for branch in rule.branches if branch.when is not None]
        memory = self._memories[rule.id]
        rows = _interesting(frame.readings.device, raising, memory)
        if not len(rows):
            return
        clearing = rule.clear.truth(frame) if rule.clear is not None else ~_any(raising)
        for row in rows.tolist():
            device, at = int(frame.readings.device[row]), int(frame.readings.ts[row])
            key = (rule.id, device)
            before = verdicts.states.get(key, memory.states.get(device)) or _REST
            holding = [_at(truth, row) for truth in raising]
            after, change = advance(rule, before, at, holding, clearing=_at(clearing, row))
            if after.active:
                after, change = _weigh(rule, before, after, change, holding, frame, row)
            if after != before:
                verdicts.states[key] = None if after.at_rest else after
            if change is not None:
                severity = Severity(after.severity or before.severity)
                detail = _explain(rule, after, change, frame.row(row))
                verdicts.transitions.append(Transition(change, rule.id, rule.version, device, severity, at, detail))


def advance(
    rule: Rule, state: RuleState, at: int, raising: Sequence[bool | None], *, clearing: bool | None
) -> tuple[RuleState, Change | None]:
    """One reading's worth of time for one rule and device, severities aside.

    Args:
        rule: The rule.
        state: What it remembers.
        at: Event time, microseconds since 1970 UTC.
        raising: For each branch whether its condition holds; None where the reading does not tell.
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
    return RuleState(active=True, severity=state.severity, raising=observed, clearing=ending), None


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
) -> tuple[RuleState, Change | None]:
    """The severity of an active condition: it rises while the alarm stands, and falls only when it clears."""
    worst = max(
        (
            branch.severity or _severity(rule, frame, row)
            for branch, seen, holds in zip(rule.branches, after.raising, holding, strict=True)
            if holds and seen is not None and met(seen, branch.hold)
        ),
        default=Severity.NOTICE,
    )
    if worst <= before.severity:
        return after, change
    weighed = msgspec.structs.replace(after, severity=int(worst))
    return weighed, change or Change.ESCALATED


def _severity(rule: Rule, frame: Frame, row: int) -> Severity:
    for severity, condition in rule.severity_when:
        if condition.truth(frame.row(row)).true[0]:
            return severity
    return rule.severity


class _Memory:
    """What a rule remembers, by device number."""

    def __init__(self) -> None:
        self.states: dict[int, RuleState] = {}
        self._known: Bools = np.zeros(1024, dtype=bool)

    def keep(self, device: int, state: RuleState | None) -> None:
        """Remember a state; None is nothing to remember."""
        self._grow(device)
        self._known[device] = state is not None
        if state is None:
            self.states.pop(device, None)
        else:
            self.states[device] = state

    def of(self, device: Ints) -> Bools:
        """For which of these devices, in ascending order, something is remembered."""
        self._grow(int(device[-1]))
        return self._known[device]

    def _grow(self, device: int) -> None:
        if device >= len(self._known):
            more = max(device + 1, 2 * len(self._known)) - len(self._known)
            self._known = np.concatenate([self._known, np.zeros(more, dtype=bool)])


def _interesting(device: Ints, raising: Sequence[Truth], memory: _Memory) -> NDArray[np.intp]:
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
    for branch, seen in zip(rule.branches, state.raising, strict=True):
        if branch.when is not None and seen is not None and met(seen, branch.hold):
            return {
                "because": branch.when.text,
                "values": branch.when.look(row),
                "since": seen.since,
                "samples": seen.samples,
            }
    return {}
