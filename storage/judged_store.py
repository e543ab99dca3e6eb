"""Progress of rules about windows, groups and jobs, and what they must know beside readings."""

from collections.abc import Collection, Mapping

from psycopg import Connection

from rules.spells import NONE, OPEN, Spell, Spells
from storage.queries import load

_SQL = load("rules")


def judged(connection: Connection) -> dict[str, int]:
    """Until when each series of windows and each job has been judged, microseconds since 1970 UTC."""
    return {str(name): int(until) for name, until in connection.execute(_SQL["judged"])}


def save_judged(connection: Connection, progress: Mapping[str, int]) -> None:
    """Note progress, within the transaction that holds what was found."""
    parameters = {"names": list(progress), "untils": list(progress.values())}
    connection.execute(_SQL["save_judged"], parameters)


def alarm_spells(connection: Connection, rule_ids: Collection[str], since: int) -> Spells:
    """When alarms of these rules were active, those that ended before ``since`` (µs) left out."""
    if not rule_ids:
        return NONE
    rows = connection.execute(_SQL["alarm_spells"], {"rule_ids": list(rule_ids), "since": since})
    return Spells.of(
        Spell(str(rule_id), int(device), int(start), OPEN if end is None else int(end))
        for rule_id, device, start, end in rows
    )
