"""Alarms over history as episodes: how many, how long, which cases, who has most, what came back.

Pure. Times in microseconds since 1970 UTC.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from devices.moments import MICROS
from rules.rule import Rule, Severity
from rules.verdicts import Change, Key, Transition

MINUTE = 60 * MICROS
TEN_MINUTES = 10 * MINUTE
FLOOD = 10  # alarms in ten minutes that one operator cannot follow any more: EEMUA 191, ISA-18.2
# A return within this time is the same trouble to whoever is called.
RETURN = 60 * MINUTE
FLEETING = 5 * MINUTE
SETTLING = 10 * MINUTE  # a case may be opened so long after its alarm is over
FEWEST = 3  # episodes of a device below which nothing is said of it


@dataclass(frozen=True, slots=True)
class Episode:
    """One alarm from raising to clearing; ``cleared`` is None while it lasts.

    ``because`` is the condition that held, ``raised_by`` what it looked at.
    """

    rule_id: str
    device: int
    severity: Severity
    raised: int
    cleared: int | None
    because: str
    raised_by: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Difference:
    """Alarms of one set of rules beside those of another: by rule and device, at overlapping times."""

    both: int
    only_first: tuple[Episode, ...]
    only_second: tuple[Episode, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """A case that a rule asked for, from when to when, and whether the trouble was there that its alarm spoke of."""

    rule_id: str
    device: int
    since: int
    until: int
    right: bool


@dataclass(frozen=True, slots=True)
class Borne:
    """What visits say of a rule's alarms: cases that it would have asked for again, by what was found there.

    ``missed`` are those where the trouble was there and the rule would have said nothing.
    """

    right: int = 0
    wrong: int = 0
    missed: int = 0


def episodes(transitions: Iterable[Transition]) -> list[Episode]:
    """The episodes of changes in order of time; of one that grew worse the worst severity."""
    open_: dict[Key, Episode] = {}
    ended: list[Episode] = []
    for change in transitions:
        key = (change.rule_id, change.device)
        standing = open_.get(key)
        match change.change:
            case Change.RAISED:
                because, values = str(change.detail.get("because", "")), change.detail.get("values", {})
                open_[key] = Episode(*key, change.severity, change.at, None, because, values)
            case Change.CLEARED if standing:
                ended.append(replace(standing, cleared=change.at))
                del open_[key]
            case Change.ESCALATED if standing:
                open_[key] = replace(standing, severity=max(standing.severity, change.severity))
            case _:
                pass
    return sorted([*ended, *open_.values()], key=lambda each: (each.raised, each.rule_id, each.device))


def cases(found: Iterable[Episode], rules: Mapping[str, Rule], until: int, watched: int) -> Counter[str]:
    """How many cases they would have been, by rule that opened them: one open case per facility and problem.

    Args:
        found: In order of time.
        rules: By id.
        until: The end of what is known.
        watched: How long a case stays open at least when its alarms are over, µs.
    """
    busy: dict[tuple[int, str], int] = {}
    opened: Counter[str] = Counter()
    for each in found:
        key = (each.device, rules[each.rule_id].case.problem)
        if each.raised > busy.get(key, -1):
            opened[each.rule_id] += 1
        busy[key] = max(busy.get(key, -1), (each.cleared or until) + watched)
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


def worst(found: Iterable[Episode], most: int = 10) -> list[tuple[Key, list[Episode]]]:
    """The rules and devices that were raised most often, three times at least, with their episodes in order."""
    by_key: defaultdict[Key, list[Episode]] = defaultdict(list)
    for each in found:
        by_key[each.rule_id, each.device].append(each)
    often = sorted(by_key, key=lambda key: (-len(by_key[key]), key))
    return [(key, by_key[key]) for key in often[:most] if len(by_key[key]) >= FEWEST]


def returns(of: Sequence[Episode]) -> list[tuple[Episode, Episode]]:
    """Of one rule and device, in order: episodes that came back within an hour, with what came back."""
    return [
        (before, after)
        for before, after in pairwise(of)
        if before.cleared is not None and after.raised - before.cleared <= RETURN
    ]


def fleeting(of: Iterable[Episode], rule: Rule) -> int:
    """How many were over within five minutes, the delay of their end aside: nobody could have got there."""
    ending = rule.clear_hold.duration or rule.clear_hold.samples * (rule.window.every if rule.window else 0)
    return sum(each.cleared is not None and each.cleared - each.raised <= FLEETING + ending for each in of)


def coming_back(of: Iterable[Episode]) -> int:
    """How many were the same trouble as one of the same rule and device less than an hour before."""
    by_key: defaultdict[Key, list[Episode]] = defaultdict(list)
    for each in of:
        by_key[each.rule_id, each.device].append(each)
    return sum(len(returns(each)) for each in by_key.values())


def borne_out(found: Iterable[Episode], visits: Iterable[Visit], until: int) -> dict[str, Borne]:
    """What visits of the past say of these episodes, by rule."""
    spans: defaultdict[Key, list[Episode]] = defaultdict(list)
    for each in found:
        spans[each.rule_id, each.device].append(each)
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for visit in visits:
        again = any(
            each.raised <= visit.until and (each.cleared or until) >= visit.since - SETTLING
            for each in spans[visit.rule_id, visit.device]
        )
        if again or visit.right:
            counts[visit.rule_id]["missed" if not again else "right" if visit.right else "wrong"] += 1
    return {rule_id: Borne(**each) for rule_id, each in sorted(counts.items())}
