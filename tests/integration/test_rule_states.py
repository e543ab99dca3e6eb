"""Rules that crash: benched by whom, until when."""

from datetime import timedelta

from psycopg import Connection

from rules.verdicts import RuleCrash
from storage.rule_states import benched, record_crashes, unbench
from tests.integration.making import NOON


def test_a_crashed_rule_is_benched_until_the_process_that_ran_it_reads_the_rules_anew(connection: Connection) -> None:
    for holder in ("east", "dispatch"):
        record_crashes(connection, [RuleCrash("X-01", "ZeroDivisionError: a bug")], NOON, holder)
    assert [(each.rule_id, each.holder, each.at, each.detail) for each in benched(connection)] == [
        ("X-01", holder, NOON, "ZeroDivisionError: a bug") for holder in ("east", "dispatch")
    ]
    unbench(connection, "east", NOON + timedelta(hours=1))
    assert [each.holder for each in benched(connection)] == ["dispatch"]
