"""What a trial came to: the score, the ledger, the cases' times; as one JSON document. Pure."""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from cityward.trial.evaluating import Raised, RuleScore, Score
from ingest.messages import Ledger
from simulators.labels import Label
from storage.outcome import Activation, Dispatched


@dataclass(frozen=True, slots=True)
class Goals:
    """What a trial must reach: at least this recall, at most so many false dispatches in 1,000 device-days."""

    recall: float
    false: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that is known of a trial after its end.

    Attributes:
        scenario: Its name.
        devices: How many there were.
        seed: Where chance started.
        begins: From when, aware.
        ends: Until when it came.
        labels: The truth.
        alarms: What was raised.
        cases: What was opened.
        score: What it was worth.
        published: Messages that the broker has acknowledged.
        ledger: What became of them.
        seconds: How long it took on the wall.
        cut_short: Whether somebody stopped it before its end.
    """

    scenario: str
    devices: int
    seed: int
    begins: datetime
    ends: datetime
    labels: Sequence[Label]
    alarms: Sequence[Raised]
    cases: Sequence[Dispatched]
    score: Score
    published: int
    ledger: Ledger
    seconds: float
    cut_short: bool = False

    @property
    def precision(self) -> float | None:
        """Share of all alarms that were right."""
        return 1 - len(self.score.false) / self.told if self.told else None

    @property
    def told(self) -> int:
        """How many alarms people were told of."""
        return sum(not each.hushed for each in self.alarms)

    @property
    def delays_s(self) -> list[float]:
        """How long after its beginning everything that was found was found, in order of size."""
        return sorted(delay for rule in self.score.rules.values() for delay in rule.delays_s)

    @property
    def sent_to_permitted_work(self) -> list[Raised]:
        """Alarms that are right and yet sent somebody for nothing."""
        false = {*self.score.false}
        return [each for each in self.score.unwanted if each not in false]

    def problems(self, goals: Goals) -> list[str]:
        """What it has not reached."""
        found = []
        if self.score.recall is not None and self.score.recall < goals.recall:
            found.append(f"recall {self.score.recall:.4f} is below {goals.recall:g}")
        if self.score.false_per_1000_device_days > goals.false:
            found.append(
                f"{self.score.false_per_1000_device_days:.2f} false dispatches in 1,000 device-days are more than"
                f" {goals.false:g}"
            )
        if self.ledger.received != self.published and not self.cut_short:
            found.append(f"{self.published} messages were published and {self.ledger.received} received")
        if self.cut_short:
            found.append("it was stopped before its end")
        return found

    def as_json(self, goals: Goals) -> dict[str, Any]:
        """The last line of a trial."""
        return {
            "scenario": self.scenario,
            "devices": self.devices,
            "days": round((self.ends - self.begins) / timedelta(days=1), 3),
            "seed": self.seed,
            "recall": _rounded(self.score.recall),
            "precision": _rounded(self.precision),
            "false_dispatches_per_1000_device_days": _rounded(self.score.false_per_1000_device_days),
            "false_dispatches": self.score.false_dispatches,
            "delay_p50_s": share(self.delays_s, 0.5),
            "delay_p95_s": share(self.delays_s, 0.95),
            "labels": len(self.labels),
            "alarms": self.told,
            "hushed": len(self.alarms) - self.told,
            "cases": len(self.cases),
            "case_times": case_times(self.alarms, self.cases, self.ends),
            "published": self.published,
            "ledger": asdict(self.ledger),
            "rules": {name: _rule(rule) for name, rule in self.score.concerned.items()},
            "missed": [{"label": label, "rule": rule} for label, rule in self.score.missed],
            "late": [{"label": label, "rule": rule, "after_s": after} for label, rule, after in self.score.late],
            "false": [_said(each) for each in self.score.false],
            "sent_to_permitted_work": [_said(each) for each in self.sent_to_permitted_work],
            "problems": self.problems(goals),
            "seconds": round(self.seconds, 1),
        }


def raised(
    activations: Iterable[Activation], cases: Iterable[Dispatched], until: datetime, tick: timedelta
) -> list[Raised]:
    """Activations as alarms; each case counts for the last one that could have opened it."""
    told = list(activations)
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, each in enumerate(told):
        if not each.hushed:
            places[each.rule_id, each.device_id].append(place)
    sent = set()
    for case in cases:
        mine = places[case.rule_id, case.device_id]
        before = bisect_right(mine, case.opened_at + tick, key=lambda place: told[place].seen_at)
        if before:
            sent.add(mine[before - 1])
    return [
        Raised(
            each.rule_id,
            each.device_id,
            each.at,
            dispatched=place in sent,
            noticed=each.seen_at,
            ended=each.ended or until,
            number=each.alarm_id,
            hushed=each.hushed,
        )
        for place, each in enumerate(told)
    ]


def case_times(alarms: Sequence[Raised], cases: Sequence[Dispatched], until: datetime) -> dict[str, Any]:
    """From an alarm to its case (s), how long cases were open that closed by themselves (min), how many were overdue.

    Nobody works on the cases of a trial: they end when telemetry shows that what was wrong is over.
    """
    seen = {(each.rule, each.device): each.known for each in reversed(alarms) if each.dispatched}
    first = {(each.rule_id, each.device_id): each.opened_at for each in reversed(cases)}
    opened = sorted(max(0.0, (first[key] - at).total_seconds()) for key, at in seen.items() if key in first)
    closed = sorted((each.closed_at - each.opened_at) / timedelta(minutes=1) for each in cases if each.closed_at)
    return {
        "opened_after_s": {"p50": share(opened, 0.5), "p95": share(opened, 0.95)},
        "closed": {"count": len(closed), "p50_min": share(closed, 0.5), "p95_min": share(closed, 0.95)},
        "overdue": sum(each.fix_by < (each.closed_at or until) for each in cases),
    }


def share(ranked: Sequence[float], part: float) -> float | None:
    """Of values in order of size the smallest that so large a part does not exceed; None where there are none."""
    return round(ranked[max(0, math.ceil(part * len(ranked)) - 1)], 1) if ranked else None


def _said(alarm: Raised) -> dict[str, Any]:
    return {"rule": alarm.rule, "device": alarm.device, "at": alarm.at.isoformat(), "alarm": alarm.number}


def _rule(rule: RuleScore) -> dict[str, Any]:
    return {
        "expected": rule.expected,
        "in_time": rule.in_time,
        "late": rule.late,
        "alarms": rule.alarms,
        "right": rule.right,
        "recall": _rounded(rule.recall),
        "precision": _rounded(rule.precision),
        "delay_p50_s": rule.delay_s(0.5),
        "delay_p95_s": rule.delay_s(0.95),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
