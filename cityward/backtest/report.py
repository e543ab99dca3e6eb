"""What a backtest found, as one JSON document: the tables at the prompt are made of it. Pure."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from cityward.backtest.judging import Asked, Found
from devices.moments import MICROS
from devices.registry import Registry
from rules.episodes import (
    FEWEST,
    FLOOD,
    Borne,
    Episode,
    Visit,
    borne_out,
    cases,
    coming_back,
    difference,
    fleeting,
    load,
)
from rules.rule import Rule

_TEN_MINUTES_A_DAY = 144
_DAY = timedelta(days=1)
_EXAMPLES = 10
_MOST = 0.5  # the share of a rule's alarms from which a hint is given: project default
_ENOUGH = 6  # alarms from which one device is said to make most of them


class Hint(StrEnum):
    """What speaks against a rule as it is tried."""

    FLEETING = "fleeting"  # most are over within five minutes
    COMES_BACK = "comes_back"  # most are the same trouble again within an hour
    ONE_DEVICE = "one_device"  # one device makes most of them
    NOTHING_THERE = "nothing_there"  # crews found nothing more often than what it spoke of
    MISSES = "misses"  # it would not have raised what crews found


def report(
    found: Found, rules: Mapping[str, Rule], asked: Asked, visits: Sequence[Visit], watched: int
) -> dict[str, Any]:
    """The document.

    Args:
        found: What was found.
        rules: The rules of both sides by id.
        asked: What was asked for.
        visits: Cases of that time that are concluded.
        watched: How long a case stays open at least when its alarms are over, µs.
    """
    days = (asked.until - asked.since) / (_DAY.total_seconds() * MICROS)
    changed = difference(found.tried, found.in_force, asked.until)
    opened, busy = cases(found.tried, rules, asked.until, watched), load(found.tried)
    opened_in_force = cases(found.in_force, rules, asked.until, watched)
    raised = {each.rule_id for each in [*found.tried, *found.in_force]}
    borne = borne_out(found.tried, visits, asked.until)
    named = _names(found.registry)
    return {
        "from": _moment(asked.since),
        "to": _moment(asked.until),
        "days": round(days, 3),
        "readings": found.readings,
        "readings_per_second": round(found.readings / found.judging) if found.judging else None,
        "passed_over": found.passed_over,
        "alarms": len(found.tried),
        "cases": sum(opened.values()),
        "alarms_in_force": len(found.in_force),
        "cases_in_force": sum(opened_in_force.values()),
        "same": changed.both,
        "only_tried": len(changed.only_first),
        "only_in_force": len(changed.only_second),
        "peak_10_minutes": max(busy.values(), default=0),
        "flood_share": round(sum(each > FLOOD for each in busy.values()) / (days * _TEN_MINUTES_A_DAY), 5),
        "rules": {
            rule_id: _of_rule(rules[rule_id], found, opened[rule_id], days, borne.get(rule_id), named)
            for rule_id in sorted(raised)
        },
        "worst": [
            {
                "rule": rule_id,
                "device": named(device),
                "alarms": alarms,
                "delay_s": advice.delay / MICROS or None,
                "spared": advice.spared,
                "metric": advice.metric,
                "deadband": advice.deadband or None,
            }
            for (rule_id, device), alarms, advice in found.noisy
        ],
        "examples": {
            "only_tried": [_example(each, named) for each in changed.only_first[:_EXAMPLES]],
            "only_in_force": [_example(each, named) for each in changed.only_second[:_EXAMPLES]],
        },
    }


def _of_rule(
    rule: Rule, found: Found, opened: int, days: float, borne: Borne | None, named: Callable[[int], str]
) -> dict[str, Any]:
    mine = [each for each in found.tried if each.rule_id == rule.id]
    lengths = sorted((each.cleared - each.raised) / MICROS for each in mine if each.cleared is not None)
    by_device = Counter(each.device for each in mine)
    busiest = by_device.most_common(1)
    return {
        "alarms": len(mine),
        "in_force": sum(each.rule_id == rule.id for each in found.in_force),
        "per_day": round(len(mine) / days, 3),
        "devices": len(by_device),
        "cases": opened,
        "lasting": sum(each.cleared is None for each in mine),
        "median_s": lengths[len(lengths) // 2] if lengths else None,
        "fleeting": fleeting(mine, rule),
        "came_back": coming_back(mine),
        "busiest": {"device": named(busiest[0][0]), "alarms": busiest[0][1]} if busiest else None,
        "crews_found": borne.right if borne else None,
        "crews_found_nothing": borne.wrong if borne else None,
        "crews_found_and_missed": borne.missed if borne else None,
        "hints": [hint.value for hint in _hints(rule, mine, by_device, borne or Borne())],
    }


def _hints(rule: Rule, mine: Sequence[Episode], by_device: Counter[int], borne: Borne) -> Iterator[Hint]:
    alarms = len(mine)
    if alarms >= FEWEST and fleeting(mine, rule) >= _MOST * alarms:
        yield Hint.FLEETING
    if alarms >= FEWEST and coming_back(mine) >= _MOST * alarms:
        yield Hint.COMES_BACK
    if alarms >= _ENOUGH and len(by_device) > 1 and max(by_device.values()) >= _MOST * alarms:
        yield Hint.ONE_DEVICE
    if borne.wrong > borne.right:
        yield Hint.NOTHING_THERE
    if borne.missed:
        yield Hint.MISSES


def _names(registry: Registry) -> Callable[[int], str]:
    """What devices and groups are called, by number."""
    groups = {group.id: name for name, group in registry.groups.items()}

    def named(number: int) -> str:
        known = registry.devices.get(number)
        return known.device_id if known else groups.get(number, str(number))

    return named


def _example(episode: Episode, named: Callable[[int], str]) -> dict[str, Any]:
    return {
        "rule": episode.rule_id,
        "device": named(episode.device),
        "raised": _moment(episode.raised),
        "because": episode.because,
        "values": dict(episode.raised_by),
    }


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / MICROS, UTC).isoformat()
