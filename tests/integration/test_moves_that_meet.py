"""A person or a collector is quicker than the dispatcher by a moment: what it has just found is true no more."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from psycopg import Connection

from rules.verdicts import Change
from storage import alarm_round, alarm_store
from storage.alarm_moves import AlarmMoves
from storage.connection import connect
from tests.integration.desk import FRIDAY, Desk
from tests.integration.making import COVER_EAST, rows, transition
from tests.waiting import eventually

RULE = "MH-01"
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def tell(desk: Desk, connection: Connection, change: Change, at: timedelta) -> None:
    found = transition(desk.number(COVER_EAST), change, rule=RULE, at=FRIDAY + at)
    with connection.transaction():
        alarm_store.record(connection, [found], FRIDAY + at)


def people(connection: Connection) -> AlarmMoves:
    return AlarmMoves(connection, at=FRIDAY + HOUR, actor="Li")


def raised(desk: Desk) -> None:
    tell(desk, desk.connection, Change.RAISED, 0 * HOUR)


def shelved(desk: Desk) -> None:
    raised(desk)
    AlarmMoves(desk.connection, at=FRIDAY, actor="Li").shelve([1], span=HOUR, reason="sensor is being moved")


def chattering(desk: Desk) -> None:
    for second in range(0, 8, 2):
        tell(desk, desk.connection, Change.RAISED, second * SECOND)
        tell(desk, desk.connection, Change.CLEARED, (second + 1) * SECOND)


@pytest.mark.parametrize(
    ("before", "meanwhile", "after"),
    [
        (raised, lambda _desk, other: people(other).acknowledge([1]), ["raised", "acknowledged"]),
        (shelved, lambda _desk, other: people(other).unshelve([1]), ["raised", "shelved", "unshelved", "raised"]),
        (
            chattering,
            lambda desk, other: tell(desk, other, Change.RAISED, HOUR),
            [*["raised", "cleared"] * 2, "raised", "chattering", "repeated", "calmed", "cleared", "raised"],
        ),
    ],
    ids=["acknowledged when it is to be reminded of", "unshelved when its time is over", "raised when it has calmed"],
)
def test_what_somebody_has_just_done_to_an_alarm_is_not_done_again(
    desk: Desk,
    dsn: str,
    before: Callable[[Desk], None],
    meanwhile: Callable[[Desk, Connection], None],
    after: list[str],
) -> None:
    before(desk)

    def look_after() -> None:
        with desk.connection.transaction():
            alarm_round.look_after(desk.connection, FRIDAY + HOUR)

    dispatcher = desk.connection.info.backend_pid
    waits = "SELECT pg_backend_pid() = ANY (pg_blocking_pids(%s))"
    with connect(dsn, name="cityward test, other") as other, ThreadPoolExecutor(1) as threads:
        with other.transaction():
            meanwhile(desk, other)
            looking = threads.submit(look_after)
            eventually(lambda: looking.done() or rows(other, waits, dispatcher) == [(True,)], "the dispatcher waits")
        looking.result()
    assert [event for (event,) in rows(desk.connection, "SELECT event FROM alarm_event ORDER BY id")] == after
