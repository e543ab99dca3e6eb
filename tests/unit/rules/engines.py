"""Engines fed by hand, and what they say."""

from collections.abc import Iterable, Mapping

import msgspec

from devices.readings import Readings
from devices.shapes import convert
from rules.engine import Engine
from rules.rule import Severity
from rules.verdicts import Change, Key, RuleState, Transition

START = 1_795_190_400_000_000  # 2026-11-21 00:00 in the city
SECOND = 1_000_000
MINUTE = 60 * SECOND


def feed(engine: Engine, *tables: Readings) -> list[Transition]:
    """Judge and commit one table after the other."""
    found: list[Transition] = []
    for table in tables:
        verdicts = engine.step([table])
        engine.apply(verdicts)
        found += verdicts.transitions
    return found


def told(found: Iterable[Transition]) -> list[tuple[float, Change, Severity]]:
    return [((each.at - START) / MINUTE, each.change, each.severity) for each in found]


def steady(level: float | None, minutes: Iterable[int]) -> dict[float, float | None]:
    return dict.fromkeys(minutes, level)


def stored(states: Mapping[Key, RuleState]) -> dict[Key, RuleState]:
    """The states after a stay in the database."""
    rows = {key: msgspec.json.encode(msgspec.to_builtins(state)) for key, state in states.items()}
    return {key: convert(msgspec.json.decode(row), RuleState) for key, row in rows.items()}
