import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from procrastinate.jobs import Job
from procrastinate.testing import InMemoryConnector

from cases.city import City
from notify.delivery import Backoff, build_app, is_last, job, queue_of, wait_s
from notify.errors import NotReachedError, UndeliverableError
from notify.message import Message
from notify.outbox import Notification
from notify.working import rescue
from tests.unit.cases.sample import city
from tests.unit.notify.sample import MESSAGE

CITY = city()
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class FixedClock:
    def now(self) -> datetime:
        return NOW


@dataclass
class FakeChannel:
    error: Exception | None = None
    sent: list[int] = field(default_factory=list)

    async def send(self, notification: Notification) -> None:
        if self.error:
            raise self.error
        self.sent.append(notification.message.notification_id)


@dataclass
class FakeStore:
    notifications: dict[int, Notification]
    log: list[tuple[Any, ...]] = field(default_factory=list)
    behind: set[int] = field(default_factory=set)
    carried: set[int] = field(default_factory=set)
    said: set[int] = field(default_factory=set)

    async def load(self, notification_id: int) -> Notification | None:
        return self.notifications.get(notification_id)

    async def delivered(self, notification_id: int, at: datetime) -> None:
        self.log.append(("delivered", notification_id, at))

    async def failed(self, notification_id: int, error: str, *, final: bool) -> None:
        self.log.append(("failed", notification_id, error, final))

    async def dropped(self, notification_id: int, why: str) -> None:
        self.log.append(("dropped", notification_id, why))

    async def city(self) -> City:
        return CITY

    async def has_earlier(self, notification_id: int) -> bool:
        return notification_id in self.behind

    async def gather(self, notification_id: int) -> tuple[Message, ...] | None:
        return None if notification_id in self.carried else ()

    async def sent_since(self, channel: str, target: str, since: datetime) -> int:
        assert (channel, target, since) != ("", "", NOW)
        return 0

    async def was_told(self, notification_id: int, since: datetime) -> bool:
        assert since < NOW
        return notification_id in self.said


def notification(number: int, channel: str = "mqtt", delivered_at: datetime | None = None) -> Notification:
    message = replace(MESSAGE, notification_id=number)
    return Notification(channel, "water", message, delivered_at)


@dataclass
class Office:
    """The app with fakes around it; ``deliver`` runs its worker until nothing is due."""

    channels: dict[str, FakeChannel]
    store: FakeStore
    connector: InMemoryConnector = field(default_factory=InMemoryConnector)

    def deliver(self, *waiting: Notification, attempts: int = 0, channel: str = "") -> None:
        channels = [channel] if channel else [each.channel for each in waiting]
        asyncio.run(self._deliver(waiting, attempts, map(queue_of, channels)))

    async def _deliver(self, waiting: tuple[Notification, ...], attempts: int, queues: Iterable[str]) -> None:
        app = build_app(self.connector, self.store, self.channels, FixedClock())
        async with app.open_async():
            for each in waiting:
                message = each.message
                deferrer = job(app, channel=each.channel)
                number = await deferrer.defer_async(notification_id=message.notification_id)
                self.connector.jobs[number]["attempts"] = attempts
            await app.run_worker_async(queues=[*queues], wait=False, install_signal_handlers=False)

    def job(self, number: int = 1) -> dict[str, Any]:
        return self.connector.jobs[number]


def office(*stored: Notification, **channels: FakeChannel) -> Office:
    return Office(channels, FakeStore({each.message.notification_id: each for each in stored}))


def test_a_delivery_is_sent_and_recorded() -> None:
    desk = office(notification(7), mqtt=FakeChannel())
    desk.deliver(notification(7))
    assert desk.channels["mqtt"].sent == [7]
    assert desk.store.log == [("delivered", 7, NOW)]
    assert desk.job()["status"] == "succeeded"


def test_what_was_delivered_is_not_sent_again() -> None:
    desk = office(notification(7, delivered_at=NOW), mqtt=FakeChannel())
    desk.deliver(notification(7))
    assert desk.channels["mqtt"].sent == []
    assert desk.store.log == []


def test_a_notification_that_no_longer_exists_ends_its_job() -> None:
    desk = office(mqtt=FakeChannel())
    desk.deliver(notification(7))
    assert desk.job()["status"] == "succeeded"


def test_a_permanent_failure_is_recorded_as_final_and_ends_the_job() -> None:
    desk = office(notification(7), mqtt=FakeChannel(UndeliverableError("no such topic")))
    desk.deliver(notification(7))
    assert desk.store.log == [("failed", 7, "no such topic", True)]
    assert desk.job()["status"] == "succeeded"


def test_a_channel_that_is_not_set_up_is_a_permanent_failure() -> None:
    desk = office(notification(7, "pigeon"), mqtt=FakeChannel())
    desk.deliver(notification(7, "pigeon"))
    assert desk.store.log == [("failed", 7, "the channel 'pigeon' is not set up", True)]


def test_a_failure_that_may_pass_is_recorded_and_waits_for_its_next_try() -> None:
    desk = office(notification(7), mqtt=FakeChannel(NotReachedError("broker away")))
    before = datetime.now(UTC)  # noqa: TID251 - procrastinate's back-off is wall time
    desk.deliver(notification(7))
    assert desk.store.log == [("failed", 7, "broker away", False)]
    assert (desk.job()["status"], desk.job()["attempts"]) == ("todo", 1)
    assert desk.job()["scheduled_at"] >= before + timedelta(seconds=2)


def test_the_last_try_is_recorded_as_final_and_fails_the_job() -> None:
    last = next(attempts for attempts in range(1000) if is_last(attempts))
    desk = office(notification(7), mqtt=FakeChannel(NotReachedError("broker away")))
    desk.deliver(notification(7), attempts=last)
    assert desk.store.log == [("failed", 7, "broker away", True)]
    assert desk.job()["status"] == "failed"


def test_an_error_that_nobody_foresaw_is_tried_again() -> None:
    desk = office(notification(7), mqtt=FakeChannel(RuntimeError("database away")))
    desk.deliver(notification(7))
    assert desk.job()["status"] == "todo"


def test_an_error_that_nobody_foresaw_is_final_at_last_and_holds_up_nothing_any_more() -> None:
    last = next(attempts for attempts in range(1000) if is_last(attempts))
    desk = office(notification(7), mqtt=FakeChannel(RuntimeError("a defect")))
    desk.deliver(notification(7), attempts=last)
    assert desk.store.log == [("failed", 7, "RuntimeError: a defect", True)]
    assert desk.job()["status"] == "failed"


def test_a_worker_touches_its_own_channel_only() -> None:
    desk = office(notification(7), notification(8, "webhook"), mqtt=FakeChannel(), webhook=FakeChannel())
    desk.deliver(notification(7), notification(8, "webhook"), channel="webhook")
    assert desk.store.log == [("delivered", 8, NOW)]


def test_a_later_message_about_a_case_waits_for_the_earlier_one() -> None:
    desk = office(notification(7), mqtt=FakeChannel())
    desk.store.behind.add(7)
    desk.deliver(notification(7))
    assert desk.store.log == []
    assert desk.job(1)["status"] == "succeeded"
    assert (desk.job(2)["status"], desk.job(2)["args"]) == ("todo", {"notification_id": 7})
    assert desk.job(2)["scheduled_at"] is not None


def test_what_goes_with_another_message_is_left_to_it() -> None:
    desk = office(notification(7), mqtt=FakeChannel())
    desk.store.carried.add(7)
    desk.deliver(notification(7))
    assert (desk.store.log, desk.channels["mqtt"].sent) == ([], [])


def test_what_was_said_a_moment_ago_is_dropped_with_the_reason() -> None:
    desk = office(notification(7), mqtt=FakeChannel())
    desk.store.said.add(7)
    desk.deliver(notification(7))
    assert desk.store.log == [("dropped", 7, "the same was said a few minutes ago")]


def test_the_job_of_a_worker_that_died_is_given_back() -> None:
    desk = office(notification(7), mqtt=FakeChannel())

    async def scenario() -> int:
        app = build_app(desk.connector, desk.store, desk.channels, FixedClock())
        async with app.open_async():
            await job(app, channel="mqtt").defer_async(notification_id=7)
            desk.job().update(status="doing", worker_id=99)
            lost = await rescue(app)
            await app.run_worker_async(wait=False, install_signal_handlers=False)
            return lost

    assert asyncio.run(scenario()) == 1
    assert desk.store.log == [("delivered", 7, NOW)]


def decided(error: BaseException, attempts: int = 0) -> Any:
    row = Job(id=1, queue="q", lock=None, queueing_lock=None, task_name="deliver", attempts=attempts)
    return Backoff().get_retry_decision(exception=error, job=row)


def test_a_job_that_was_stopped_with_its_worker_starts_again_at_once() -> None:
    decision = decided(asyncio.CancelledError(), attempts=100_000)
    assert decision.retry_at <= datetime.now(UTC) + timedelta(seconds=1)  # noqa: TID251


def test_the_waits_double_up_to_ten_minutes() -> None:
    assert [wait_s(attempts) for attempts in range(10)] == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600]


def test_all_tries_together_take_about_a_day() -> None:
    tries = next(attempts for attempts in range(1000) if is_last(attempts))
    assert timedelta(hours=20) < timedelta(seconds=sum(map(wait_s, range(tries)))) < timedelta(hours=28)


@pytest.mark.parametrize(("asked", "wait"), [(None, 2.0), (1.0, 2.0), (60.0, 60.0), (86_400.0, 600.0)])
def test_the_receiver_may_ask_for_a_longer_wait_within_the_cap(asked: float | None, wait: float) -> None:
    assert wait_s(0, asked) == wait


@given(st.integers(0, 10**6), st.none() | st.floats(0, 1e9))
def test_no_wait_is_shorter_than_the_first_or_longer_than_the_cap(attempts: int, asked: float | None) -> None:
    assert 2.0 <= wait_s(attempts, asked) <= 600.0
