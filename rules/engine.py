"""The engine: readings in, verdicts out.

``step`` is pure: it changes nothing, so a batch that is rolled back can be judged again; ``apply`` follows once the
verdicts are committed. A rule that crashes is benched and costs nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from devices.quality import Quality
from devices.readings import Readings
from devices.registry import Registry
from rules.expressions import look
from rules.frame import Frame
from rules.judging import Evidence, judge
from rules.local_time import LocalTime
from rules.remembering import Memory
from rules.rule import Input, Rule
from rules.spells import NONE, Spells
from rules.verdicts import Change, Key, RuleCrash, RuleState, Verdicts

_UNJUDGED = int(Quality.LATE | Quality.REPEATED)


class Engine:
    """Judges readings of one partition against all rules whose input is a reading.

    Args:
        rules: The rules in force.
        registry: The snapshot that readings were decoded against.
        local_time: The city's clock.
        states: What was remembered when the last collector stopped.
        permits: The work permits in force, by kind of permit.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        registry: Registry,
        local_time: LocalTime,
        states: Mapping[Key, RuleState] | None = None,
        permits: Spells = NONE,
    ) -> None:
        self._registry = registry
        self._permits = permits
        self._local_time = local_time
        self._rules: dict[str, list[Rule]] = defaultdict(list)
        self._memories: dict[str, Memory] = {}
        for rule in rules:
            if rule.input is Input.READING:
                self._rules[rule.kind].append(rule)
                self._memories[rule.id] = Memory()
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
                frame = Frame(live, self._registry, self._local_time, self._permits)
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
            judge(rule, frame, self._memories[rule.id], mine, _evidence(rule, frame))
        except Exception as error:  # noqa: BLE001 - whatever a rule does, readings go on
            verdicts.crashes.append(RuleCrash(rule.id, f"{type(error).__name__}: {error}"))
            return
        verdicts.transitions.extend(mine.transitions)
        verdicts.states.update(mine.states)


def _evidence(rule: Rule, frame: Frame) -> Evidence | None:
    """What the reading of a row says of the metrics that the rule keeps as evidence."""
    if not rule.evidence:
        return None
    texts = frame.readings.texts

    def told(row: int, change: Change) -> dict[str, dict[str, float | str]]:
        if change is Change.CLEARED:  # whoever comes after the culprit is nobody's business
            return {}
        values = {name: texts[name][row] if name in texts else look(frame.row(row), name) for name in rule.evidence}
        return {"evidence": {name: value for name, value in values.items() if value is not None}}

    return told
