"""What rules remember of devices: delays that run, conditions that hold."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from psycopg import Connection
from psycopg.types.json import Jsonb

from devices.shapes import convert
from rules.verdicts import Key, RuleCrash, RuleState
from storage.queries import load

_SQL = load("rules")


@dataclass(frozen=True, slots=True)
class Benched:
    """A rule that crashed, where and when (aware, UTC), and why."""

    rule_id: str
    holder: str
    at: datetime
    detail: str


def load_states(connection: Connection) -> dict[Key, RuleState]:
    """Everything that was running when those who judge stopped."""
    rows = connection.execute(_SQL["load_rule_state"])
    return {(str(rule_id), int(device)): convert(state, RuleState) for rule_id, device, state in rows}


def save(connection: Connection, states: Mapping[Key, RuleState | None]) -> None:
    """Write what changed, within the transaction that is open; None is a rule at rest, and needs no row."""
    changed = {key: state for key, state in states.items() if state is not None}
    at_rest = [key for key, state in states.items() if state is None]
    if changed:
        rows = [Jsonb(msgspec.to_builtins(state)) for state in changed.values()]
        connection.execute(_SQL["save_rule_state"], {**_columns(list(changed)), "states": rows})
    if at_rest:
        connection.execute(_SQL["drop_rule_state"], _columns(at_rest))


def record_crashes(connection: Connection, crashes: Iterable[RuleCrash], at: datetime, holder: str) -> None:
    """Keep what benched a rule, for people to see; ``holder`` is the partition or process that benched it."""
    for crash in crashes:
        parameters = {"rule_id": crash.rule_id, "at": at, "detail": crash.detail, "holder": holder}
        connection.execute(_SQL["save_rule_error"], parameters)


def benched(connection: Connection) -> list[Benched]:
    """The rules that are benched, in order of their ids."""
    return [Benched(*row) for row in connection.execute(_SQL["benched"])]


def unbench(connection: Connection, holder: str, at: datetime) -> None:
    """A process has read the rules anew, and tries them all."""
    connection.execute(_SQL["unbench"], {"holder": holder, "at": at})


def _columns(keys: Sequence[Key]) -> dict[str, list[str] | list[int]]:
    return {"rule_ids": [rule_id for rule_id, _ in keys], "devices": [device for _, device in keys]}
