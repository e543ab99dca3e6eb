"""Alarms over history as episodes: how many, how long, which cases, what a delay or a deadband would have spared.

Pure. Times in microseconds since 1970 UTC.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from rules.durations import MICROS
from rules.rule import Rule, Severity
from rules.verdicts import Change, Key, Transition

MINUTE = 60 * MICROS
TEN_MINUTES = 10 * MINUTE
FLOOD = 10  # alarms in ten minutes that one operator cannot follow any more: EEMUA 191, ISA-18.2
# Delays that are suggested, and the share of episodes that one must spare to be worth it.
DELAYS = tuple(minutes * MINUTE for minutes in (1, 2, 5, 10, 15, 30, 60, 120))
WORTH = 0.5
# A return within this time is the same trouble to whoever is called.
RETURN = 60 * MINUTE
FEWEST = 3  # episodes below which nothing is suggested


@dataclass(frozen=True, slots=True)
class Episode:
    """One alarm from raising to clearing; ``cleared`` is None while it lasts.

    ``raised_by`` and ``cleared_by`` hold the values that its conditions looked at.
    """

    rule_id: str
    device: int
    severity: Severity
    raised: int
    cleared: int | None
    raised_by: Mapping[str, object]
    cleared_by: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Difference:
    """Alarms of one set of rules beside those of another: by rule and device, at overlapping times."""

    both: int
    only_first: tuple[Episode, ...]
    only_second: tuple[Episode, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """What would have made a noisy device quieter for one rule.

    ``delay`` (µs) would have spared ``spared`` of ``episodes``; the others would have come that much later. With the
    clear condition ``deadband`` further from the raise condition, in the unit of ``metric``, half of the returns
    within an hour would have been one alarm. Zero and empty where there is nothing to advise.
    """

    rule_id: str
    device: int
    episodes: int
    delay: int
    spared: int
    metric: str
    deadband: float


def episodes(transitions: Iterable[Transition]) -> list[Episode]:
    """The episodes of changes in order of time; of one that grew worse the worst severity."""
    open_: dict[Key, Episode] = {}
    ended: list[Episode] = []
    for change in transitions:
        key = (change.rule_id, change.device)
        standing = open_.get(key)
        values = change.detail.get("values") or {}
        match change.change:
            case Change.RAISED:
                open_[key] = Episode(*key, change.severity, change.at, None, values, {})
            case Change.CLEARED if standing:
                ended.append(replace(standing, cleared=change.at, cleared_by=values))
                del open_[key]
            case Change.ESCALATED if standing:
                open_[key] = replace(standing, severity=max(standing.severity, change.severity))
            case _:
                pass
    return sorted([*ended, *open_.values()], key=lambda each: (each.raised, each.rule_id, each.device))


def cases(found: Iterable[Episode], rules: Mapping[str, Rule], until: int) -> Counter[str]:
    """How many cases they would have been, by rule that opened them: one open case per facility and problem."""
    busy: dict[tuple[int, str], int] = {}
    opened: Counter[str] = Counter()
    for each in found:
        key = (each.device, rules[each.rule_id].case.problem)
        if each.raised > busy.get(key, -1):
            opened[each.rule_id] += 1
        busy[key] = max(busy.get(key, -1), each.cleared or until)
    return opened


def load(found: Sequence[Episode]) -> Counter[int]:
    """How many alarms were raised in each stretch of ten minutes by the clock that had any."""
    return Counter(each.raised // TEN_MINUTES for each in found)


def difference(first: Sequence[Episode], second: Sequence[Episode], until: int) -> Difference:
    """What one set of rules finds and the other does not."""
    return Difference(
        both=sum(_met(first, second, until)),
        only_first=tuple(each for each, met in zip(first, _met(first, second, until), strict=True) if not met),
        only_second=tuple(each for each, met in zip(second, _met(second, first, until), strict=True) if not met),
    )


def _met(mine: Sequence[Episode], theirs: Sequence[Episode], until: int) -> list[bool]:
    spans: defaultdict[Key, list[tuple[int, int]]] = defaultdict(list)
    for each in theirs:
        spans[each.rule_id, each.device].append((each.raised, each.cleared or until))
    ordered = {key: np.array(each, dtype=np.int64) for key, each in spans.items()}
    met = []
    for each in mine:
        others = ordered.get((each.rule_id, each.device))
        end = each.cleared or until
        met.append(others is not None and bool(((others[:, 0] <= end) & (others[:, 1] >= each.raised)).any()))
    return met


def worst(found: Iterable[Episode], most: int = 10) -> list[Advice]:
    """The rules and devices that were raised most often, with what would have made them quieter."""
    by_key: defaultdict[Key, list[Episode]] = defaultdict(list)
    for each in found:
        by_key[each.rule_id, each.device].append(each)
    often = sorted(by_key, key=lambda key: (-len(by_key[key]), key))
    return [_advice(key, by_key[key]) for key in often[:most] if len(by_key[key]) >= FEWEST]


def _advice(key: Key, of: Sequence[Episode]) -> Advice:
    delay, spared = _delay(of)
    metric, deadband = _deadband(of)
    return Advice(*key, len(of), delay, spared, metric, deadband)


def _delay(of: Sequence[Episode]) -> tuple[int, int]:
    """The shortest delay that spares enough of them."""
    lengths = np.array([each.cleared - each.raised for each in of if each.cleared is not None], dtype=np.int64)
    for delay in DELAYS:
        if (spared := int((lengths < delay).sum())) >= WORTH * len(of):
            return delay, spared
    return 0, 0


def _deadband(of: Sequence[Episode]) -> tuple[str, float]:
    """How far the value had fallen when the alarm cleared that was soon raised again, for half of the returns."""
    returned = [
        before
        for before, after in pairwise(of)
        if before.cleared is not None and after.raised - before.cleared <= RETURN
    ]
    for metric in of[0].raised_by:
        falls = [
            abs(raised - cleared)
            for each in returned
            if isinstance(raised := each.raised_by.get(metric), float)
            and isinstance(cleared := each.cleared_by.get(metric), float)
        ]
        if len(falls) >= FEWEST:
            return metric, float(np.median(falls))
    return "", 0.0
