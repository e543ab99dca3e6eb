"""What rules said: every version that was ever in force, for alarms that were raised by it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection

from rules.rule import Rule
from storage.queries import load

_SQL = load("rule_texts")


@dataclass(frozen=True, slots=True)
class RuleText:
    """A version of a rule, as its pack had it (YAML, a list of one), and when it first was in force (UTC)."""

    text: str
    loaded_at: datetime


def keep(connection: Connection, rules: Iterable[Rule], at: datetime) -> None:
    """Note that these rules are in force; before they judge, for alarms follow what is noted here."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            _SQL["keep_rule_text"],
            [
                {
                    "rule_id": rule.id,
                    "version": rule.version,
                    "input": rule.input.value,
                    "text": rule.text,
                    "latch": rule.latch,
                    "covers": list(rule.covers),
                    "at": at,
                }
                for rule in rules
            ],
        )


def find(connection: Connection, rule_id: str, version: str) -> RuleText | None:
    """A version of a rule; None where it was never in force here."""
    row = connection.execute(_SQL["load_rule_text"], {"rule_id": rule_id, "version": version}).fetchone()
    return RuleText(*row) if row else None
