"""What the database does to notifications, quarantined messages and permits is what their tables say, and no more."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg import Connection

from alarms import permits
from devices.kind import Kind
from devices.registry import Registry
from devices.rejection import Code, Rejected
from ingest import quarantined
from ingest.messages import Quarantined
from ingest.replaying import Outcome
from notify import lifecycle as delivery
from storage import permit_store, quarantine, replay_store
from storage.notification_list import retry
from storage.outbox import NotificationStore, deferring_app
from tests.integration.desk import FRIDAY, Desk
from tests.integration.making import COVER_EAST, NOON, rows

DOCS = Path(__file__).parents[2] / "docs"
HOUR = timedelta(hours=1)
WAITS = {"resolved_at": None, "resolution": None, "resolved_by": None, "replay_partition": None, "by": None}
ASKED = {**WAITS, "replay_partition": "all", "by": "li"}
OVER = {**WAITS, "resolved_at": NOON, "resolved_by": "li"}
MESSAGES: Mapping[quarantined.State, Mapping[str, object]] = {
    quarantined.State.WAITING: WAITS,
    quarantined.State.ASKED: ASKED,
    quarantined.State.REPLAYED: {**OVER, "resolution": "replayed"},
    quarantined.State.DROPPED: {**OVER, "resolution": "dropped"},
}


@pytest.mark.parametrize(
    ("page", "diagram"),
    [("cases", delivery.diagram), ("quarantine", quarantined.diagram), ("alarms", permits.diagram)],
    ids=["cases", "quarantine", "alarms"],
)
def test_the_diagrams_in_the_documentation_are_those_of_the_tables(page: str, diagram: Callable[[], str]) -> None:
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{diagram()}\n```" in text, f"docs/{page}.md is stale: put there what {diagram} returns"


def test_a_notification_moves_as_its_table_says(
    connection: Connection, dsn: str, registry: Registry, kinds: dict[str, Kind]
) -> None:
    desk = Desk(connection, registry, kinds)
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    ((number,),) = rows(connection, "SELECT id FROM notification")
    assert set(delivery.DELIVERY_TRANSITIONS) == set(delivery.State)

    async def moved(store: NotificationStore, event: delivery.Event) -> None:
        match event:
            case delivery.Event.DELIVER:
                await store.delivered(number, FRIDAY)
            case delivery.Event.MISS | delivery.Event.GIVE_UP:
                await store.failed(number, "away", final=event is delivery.Event.GIVE_UP)
            case delivery.Event.DROP:
                await store.dropped(number, "said before")
            case delivery.Event.RETRY:
                retry(connection, deferring_app(), [number])

    async def everything() -> None:
        async with NotificationStore(dsn) as store:
            for state, moves in delivery.DELIVERY_TRANSITIONS.items():
                for event in delivery.Event:
                    connection.execute("UPDATE notification SET state = %s", [state])
                    await moved(store, event)
                    after = rows(connection, "SELECT state FROM notification")
                    assert after == [(moves.get(event, state),)], f"{event} of what is {state}"

    asyncio.run(everything())


def test_a_quarantined_message_moves_as_its_table_says(connection: Connection) -> None:
    assert set(quarantined.QUARANTINE_TRANSITIONS) == set(MESSAGES) == set(quarantined.State)
    message = Quarantined(1, 0, "city/x", b"{", -1)
    refused = Outcome(message, 0, 0, (Rejected(Code.MALFORMED, "as before", 0, -1),))
    moves: Mapping[quarantined.Event, Callable[[], object]] = {
        quarantined.Event.ASK: lambda: quarantine.request_replay(connection, {1: "all"}, NOON, "li"),
        quarantined.Event.DROP: lambda: quarantine.drop(connection, [1], "a test", NOON, "li"),
        quarantined.Event.RESOLVE: lambda: replay_store.settle(connection, [Outcome(message, 1, 0, ())], NOON),
        quarantined.Event.REFUSE: lambda: replay_store.settle(connection, [refused], NOON),
    }
    for state, columns in MESSAGES.items():
        for event, move in moves.items():
            connection.execute("TRUNCATE quarantine RESTART IDENTITY")
            connection.execute(
                "INSERT INTO quarantine (received_at, partition, code, detail, topic, payload, reason, resolved_at,"
                " resolution, resolved_by, replay_partition, replay_requested_at, replay_requested_by) VALUES (%(at)s,"
                " 'all', 'malformed', '', 'city/x', '', 'a test', %(resolved_at)s, %(resolution)s, %(resolved_by)s,"
                " %(replay_partition)s, CASE WHEN %(by)s::text IS NULL THEN NULL ELSE %(at)s END, %(by)s)",
                {"at": NOON, **columns},
            )
            move()
            ((asked, resolution),) = rows(connection, "SELECT replay_partition, resolution FROM quarantine")
            after = quarantined.State(resolution or ("asked" if asked else "waiting"))
            assert after is quarantined.QUARANTINE_TRANSITIONS[state].get(event, state), f"{event} of what is {state}"


def test_a_permit_moves_as_its_table_says(connection: Connection, registry: Registry) -> None:
    del registry  # imported
    permit = permit_store.Permit(
        kind="maintenance", target=COVER_EAST, valid_from=FRIDAY + HOUR, valid_to=FRIDAY + 2 * HOUR, holder="crew",
        reason="a test",
    )  # fmt: skip
    stands: list[permits.State] = []
    for hours in (0, 1, 2):
        at = FRIDAY + hours * HOUR
        number, _ = permit_store.grant(connection, permit, at=FRIDAY, actor="li")
        (before,) = (each for each in permit_store.list_permits(connection, at, everything=True) if each.id == number)
        stands.append(before.state_at(at))
        with suppress(permit_store.PermitError):
            permit_store.revoke(connection, number, at=at, actor="li", reason="rain")
        (after,) = (each for each in permit_store.list_permits(connection, at, everything=True) if each.id == number)
        moves = permits.PERMIT_TRANSITIONS[stands[-1]]
        assert after.state_at(at) is moves.get(permits.Event.REVOKE, stands[-1]), f"revoked when {stands[-1]}"
        assert permits.PERMIT_TRANSITIONS[after.state_at(at)].get(permits.Event.REVOKE) is None
    assert stands == [permits.State.TO_COME, permits.State.IN_FORCE, permits.State.OVER]
