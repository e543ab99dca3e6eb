import asyncio
import tomllib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import pytest
from procrastinate import App
from psycopg import Connection

from cases.words import Language
from cityward import embedded
from devices.kind import Kind
from devices.registry import Registry
from notify.message import render
from notify.outbox import Notification
from rules.rule import Severity
from rules.verdicts import Change
from storage.outbox import NotificationStore, connector
from storage.registry_store import import_city
from tests.fix_city import CITY
from tests.integration.desk import FRIDAY, SHANGHAI, Desk
from tests.integration.making import COVER_EAST, COVER_WEST, rows

T = TypeVar("T")
HOOK = "https://drainage.example/hook"
NOTIFICATIONS = "SELECT channel, target, state, attempts, last_error FROM notification ORDER BY id"
JOBS = "SELECT queue_name, args FROM procrastinate_jobs ORDER BY id"


@pytest.fixture
def wired(connection: Connection, registry: Registry, kinds: dict[str, Kind]) -> Desk:
    """A city whose drainage company has a webhook."""
    document = tomllib.loads(CITY.read_text(encoding="utf-8"))
    document["units"]["drainage"]["webhook"] = HOOK
    import_city(connection, document, "city.toml", FRIDAY)
    return Desk(connection, registry, kinds)


def using(dsn: str, use: Callable[[NotificationStore], Awaitable[T]]) -> T:
    """What an asynchronous use of the store gives."""

    async def run() -> T:
        async with NotificationStore(dsn) as store:
            return await use(store)

    return asyncio.run(run())


async def load(notification_id: int, store: NotificationStore) -> Notification | None:
    return await store.load(notification_id)


def test_every_channel_of_the_unit_has_a_notification_and_its_job(wired: Desk) -> None:
    wired.alarm(("MH-01", COVER_EAST))
    wired.take_up()
    assert rows(wired.connection, NOTIFICATIONS) == [
        ("mqtt", "drainage", "pending", 0, ""),
        ("webhook", HOOK, "pending", 0, ""),
    ]
    ids = [each for (each,) in rows(wired.connection, "SELECT id FROM notification ORDER BY id")]
    assert rows(wired.connection, JOBS) == [
        ("notify.mqtt", {"notification_id": ids[0]}),
        ("notify.webhook", {"notification_id": ids[1]}),
    ]


def test_a_unit_without_a_webhook_hears_by_mqtt_only(wired: Desk) -> None:
    wired.alarm(("MH-01", COVER_WEST))
    wired.take_up()
    assert rows(wired.connection, NOTIFICATIONS) == [("mqtt", "west-cg", "pending", 0, "")]


def test_notification_and_job_are_committed_together_or_not_at_all(wired: Desk) -> None:
    wired.alarm(("MH-01", COVER_EAST))
    with wired.connection.transaction(force_rollback=True):
        wired.take_up()
        assert len(rows(wired.connection, NOTIFICATIONS)) == len(rows(wired.connection, JOBS)) == 2
    assert rows(wired.connection, NOTIFICATIONS) == rows(wired.connection, JOBS) == []
    wired.take_up()
    assert len(rows(wired.connection, NOTIFICATIONS)) == len(rows(wired.connection, JOBS)) == 2


@pytest.mark.each_server
def test_a_unit_hears_of_what_asks_something_of_it_and_of_the_end(desk: Desk) -> None:
    def told() -> list[Any]:
        events = "SELECT event FROM notification ORDER BY 1"
        return [event for (event,) in rows(desk.connection, events)]

    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    number, moves = desk.only_number(), desk.moves(FRIDAY)
    moves.accept(number)
    moves.arrive(number)
    assert told() == ["dispatch"]
    desk.alarm(("MH-02", COVER_EAST), severity=Severity.CRITICAL)
    desk.take_up()
    assert told() == ["dispatch", "escalated"]
    for rule in ("MH-01", "MH-02"):
        desk.alarm((rule, COVER_EAST), change=Change.CLEARED)
    desk.take_up()
    moves.done(number, "closed it")
    assert told() == ["dispatch", "escalated"]
    desk.hear(COVER_EAST, FRIDAY + timedelta(minutes=1))
    desk.ask(FRIDAY + timedelta(minutes=1))
    assert told() == ["close", "dispatch", "escalated"]


def test_the_message_is_loaded_as_it_was_written_in_the_citys_time(dsn: str, wired: Desk) -> None:
    wired.alarm(("MH-01", COVER_EAST), severity=Severity.CRITICAL)
    wired.take_up()
    ((mqtt,), (webhook,)) = rows(wired.connection, "SELECT id FROM notification ORDER BY id")
    found = using(dsn, partial(load, mqtt))
    assert found is not None
    message = found.message
    assert (found.channel, found.target, found.delivered_at, message.notification_id) == (
        "mqtt",
        "drainage",
        None,
        mqtt,
    )
    assert (message.case_number, message.event, message.severity) == (wired.only_number(), "dispatch", 4)
    assert (message.problem, message.device_id, message.lon) == ("cover_open", COVER_EAST, 114.30)
    assert (message.arrive_by, message.fix_by) == (FRIDAY + timedelta(minutes=30), FRIDAY + timedelta(hours=2))
    assert message.fix_by is not None
    assert message.fix_by.utcoffset() == SHANGHAI.utcoffset(datetime(2026, 11, 20, tzinfo=SHANGHAI))
    assert "19:30" in render(message, Language.ZH)
    other = using(dsn, partial(load, webhook))
    assert other is not None
    assert (other.channel, other.target) == ("webhook", HOOK)


def test_deadlines_that_no_longer_matter_are_left_out(dsn: str, desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    number = desk.only_number()
    desk.moves(FRIDAY).accept(number)
    desk.moves(FRIDAY).arrive(number)
    desk.alarm(("MH-02", COVER_EAST), severity=Severity.CRITICAL)
    desk.take_up()
    desk.moves(FRIDAY).cancel(number, "a drill")
    ids = rows(desk.connection, "SELECT id FROM notification ORDER BY id")
    messages = [found.message for (each,) in ids if (found := using(dsn, partial(load, each)))]
    kept = [(each.event, bool(each.arrive_by), bool(each.fix_by)) for each in messages]
    assert kept == [("dispatch", True, True), ("escalated", False, True), ("cancel", False, False)]


def test_a_notification_that_does_not_exist_is_none(dsn: str) -> None:
    assert using(dsn, partial(load, 12345)) is None


def test_attempts_are_counted_and_a_delivery_ends_them(dsn: str, desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    ((number,),) = rows(desk.connection, "SELECT id FROM notification")

    async def fail_then_deliver(store: NotificationStore) -> Notification | None:
        await store.failed(number, "no broker: [Errno 111]", final=False)
        state = rows(desk.connection, NOTIFICATIONS)
        assert state == [("mqtt", "drainage", "pending", 1, "no broker: [Errno 111]")]
        await store.delivered(number, FRIDAY)
        return await store.load(number)

    found = using(dsn, fail_then_deliver)
    assert rows(desk.connection, NOTIFICATIONS) == [("mqtt", "drainage", "delivered", 2, "")]
    assert found is not None
    assert found.delivered_at == FRIDAY


def test_the_last_failed_attempt_is_the_end(dsn: str, desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    ((number,),) = rows(desk.connection, "SELECT id FROM notification")
    using(dsn, lambda store: store.failed(number, "HTTP 410 Gone", final=True))
    assert rows(desk.connection, NOTIFICATIONS) == [("mqtt", "drainage", "failed", 1, "HTTP 410 Gone")]


def test_a_connection_that_broke_while_nobody_used_it_fails_no_delivery(dsn: str, desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    ((number,),) = rows(desk.connection, "SELECT id FROM notification")

    async def be_cut_after_sending(store: NotificationStore) -> None:
        assert await store.load(number)
        desk.connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await store.delivered(number, FRIDAY)

    using(dsn, be_cut_after_sending)
    assert rows(desk.connection, NOTIFICATIONS) == [("mqtt", "drainage", "delivered", 1, "")]


def test_the_job_queue_opens_although_the_database_is_away() -> None:
    away = f"postgresql://postgres@127.0.0.1:{embedded.free_port(0)}/city"

    async def open_and_close() -> None:
        app = App(connector=connector(away))
        async with asyncio.timeout(10), app.open_async():
            pass

    asyncio.run(open_and_close())


def pending(desk: Desk) -> list[int]:
    return [
        number for (number,) in rows(desk.connection, "SELECT id FROM notification WHERE state = 'pending' ORDER BY id")
    ]


def test_what_waits_for_the_same_target_with_the_same_event_goes_together_and_again_the_same_after_a_crash(
    dsn: str, desk: Desk
) -> None:
    desk.alarm(("MH-01", COVER_EAST), ("MH-05", COVER_EAST), ("MH-01", COVER_WEST))
    desk.take_up()
    first, second, west = pending(desk)

    async def take(store: NotificationStore) -> list[Any]:
        taken = [await store.gather(second), await store.gather(first), await store.gather(west)]
        desk.alarm(("MH-08", COVER_EAST))
        desk.take_up()
        return [*taken, await store.gather(second), await store.gather(pending(desk)[-1])]

    with_second, with_first, with_west, again, later = using(dsn, take)
    assert [message.notification_id for message in with_second] == [first]
    assert with_first is None, "it goes with the second"
    assert with_west == ()
    assert again == with_second, "the same message under the same id"
    assert later == ()


def test_what_goes_together_is_delivered_and_fails_together(dsn: str, desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST), ("MH-05", COVER_EAST))
    desk.take_up()
    first, second = pending(desk)

    async def deliver(store: NotificationStore) -> None:
        await store.gather(first)
        await store.failed(first, "no broker", final=False)
        assert rows(desk.connection, "SELECT DISTINCT attempts, last_error FROM notification") == [(1, "no broker")]
        assert await store.load(second) is None, "its own job has nothing to do"
        await store.delivered(first, FRIDAY)
        assert await store.sent_since("mqtt", "drainage", FRIDAY - timedelta(minutes=1)) == 1, "one message"

    using(dsn, deliver)
    assert pending(desk) == []


def test_a_later_word_on_a_case_waits_and_the_same_word_is_known(dsn: str, desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    number = desk.only_number()
    desk.moves(FRIDAY).give_back(number, "not ours")
    desk.moves(FRIDAY).assign(number, "drainage", "yes, yours")
    dispatched, returned, assigned = pending(desk)

    async def ask(store: NotificationStore) -> list[bool]:
        before = [await store.has_earlier(each) for each in (dispatched, returned, assigned)]
        await store.gather(dispatched)
        await store.delivered(dispatched, FRIDAY)
        return [*before, await store.has_earlier(assigned), await store.was_told(assigned, FRIDAY - timedelta(hours=1))]

    assert using(dsn, ask) == [False, False, True, False, False]
    desk.moves(FRIDAY).give_back(number, "really not")
    desk.moves(FRIDAY).assign(number, "drainage", "decided")
    using(dsn, lambda store: store.delivered(assigned, FRIDAY))
    again = pending(desk)[-1]
    assert using(dsn, lambda store: store.was_told(again, FRIDAY - timedelta(hours=1)))
    using(dsn, lambda store: store.dropped(again, "the same was said"))
    state = rows(desk.connection, "SELECT state, last_error FROM notification WHERE id = %s", again)
    assert state == [("dropped", "the same was said")]


def test_the_manners_are_those_of_the_city_in_force(dsn: str, wired: Desk) -> None:
    assert wired.numbers() == []
    city = using(dsn, lambda store: store.city())
    assert city.units["drainage"].webhook == HOOK


def test_people_are_told_by_the_city_that_was_imported_last(dsn: str, wired: Desk) -> None:
    document = tomllib.loads(CITY.read_text(encoding="utf-8"))
    document["contacts"] = {"li": {"name": {"en": "Li", "zh": "李"}, "url": "json://127.0.0.1"}}

    async def before_and_after(store: NotificationStore) -> list[list[str]]:
        known = [[*(await store.city()).contacts]]
        import_city(wired.connection, document, "city.toml", FRIDAY)
        return [*known, [*(await store.city()).contacts], [*(await store.city()).contacts]]

    assert using(dsn, before_and_after) == [[], ["li"], ["li"]]
