import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from cases.people import Manners
from notify.message import Message
from notify.outbox import Notification, NotificationStore
from notify.stages import Dropped, Group, Held, Hours, Passed, Settle, Stage, Throttle, morning_after, pipeline
from tests.unit.cases.sample import CITY, SHANGHAI

NOON = datetime(2026, 11, 20, 12, tzinfo=SHANGHAI)
MIDNIGHT = datetime(2026, 11, 21, 0, tzinfo=SHANGHAI)
MORNING = datetime(2026, 11, 21, 6, tzinfo=SHANGHAI)
SECOND = timedelta(seconds=1)


@dataclass
class Shelf:
    """A store that answers as it is told."""

    sent: int = 0
    earlier: bool = False
    others: tuple[Message, ...] | None = ()

    async def city(self) -> Any:
        return replace(CITY, manners=Manners(settle=10 * SECOND, per_minute=3))

    async def has_earlier(self, notification_id: int) -> bool:
        return self.earlier and notification_id > 0

    async def sent_since(self, channel: str, target: str, since: datetime) -> int:
        assert (channel, target, since) == ("mqtt", "water", NOON - 60 * SECOND)
        return self.sent

    async def gather(self, notification_id: int) -> tuple[Message, ...] | None:
        assert notification_id == 7
        return self.others


@dataclass
class At:
    now_is: datetime = NOON

    def now(self) -> datetime:
        return self.now_is


def message(severity: int = 3, number: int = 7) -> Message:
    return Message(
        notification_id=number,
        case_number=f"42010220261120{number:05}",
        district="east",
        unit="water",
        event="dispatch",
        severity=severity,
        problem="cover_open",
        device_id="x",
        facility="Cover 1",
        road="",
    )


def told(severity: int = 3, channel: str = "mqtt", created_at: datetime = NOON) -> Notification:
    return Notification(channel, "water", message(severity), created_at=created_at)


def through(stage: Stage, notification: Notification) -> Passed:
    async def run() -> Passed:
        return await stage(notification)

    return asyncio.run(run())


def store(**answers: Any) -> NotificationStore:
    return cast("NotificationStore", Shelf(**answers))


def test_the_order_of_the_stages_is_one_list() -> None:
    stages = [type(stage).__name__ for stage in pipeline(store(), {}, At())]
    assert stages == ["Settle", "Hours", "Throttle", "Group", "Dedup", "Link", "Send", "Record"]


@pytest.mark.parametrize(("severity", "age", "held"), [(3, 9, True), (3, 10, False), (4, 0, False)])
def test_what_is_not_critical_waits_a_moment_for_more_of_its_kind(severity: int, age: int, held: bool) -> None:  # noqa: FBT001
    passed = through(Settle(store(), At()), told(severity, created_at=NOON - age * SECOND))
    assert isinstance(passed, Held) == held


def test_not_even_a_critical_message_overtakes_an_earlier_one_about_its_case() -> None:
    assert isinstance(through(Settle(store(earlier=True), At()), told(4)), Held)


@pytest.mark.parametrize(
    ("severity", "channel", "at", "held"),
    [
        (2, "person", MIDNIGHT, True),
        (3, "person", MIDNIGHT, False),
        (2, "mqtt", MIDNIGHT, False),
        (2, "person", NOON, False),
    ],
)
def test_people_are_woken_for_major_and_critical_things_only(
    severity: int,
    channel: str,
    at: datetime,
    held: bool,  # noqa: FBT001
) -> None:
    passed = through(Hours(store(), At(at)), told(severity, channel))
    assert passed == Held(MORNING) if held else isinstance(passed, Notification)


@pytest.mark.parametrize(
    ("at", "morning"),
    [
        (datetime(2026, 11, 20, 21, 59, tzinfo=SHANGHAI), None),
        (datetime(2026, 11, 20, 22, 0, tzinfo=SHANGHAI), MORNING),
        (datetime(2026, 11, 21, 5, 59, tzinfo=SHANGHAI), MORNING),
        (MORNING, None),
    ],
)
def test_the_night_is_the_citys(at: datetime, morning: datetime | None) -> None:
    assert morning_after(at, CITY) == morning


@pytest.mark.parametrize(("sent", "severity", "held"), [(2, 3, False), (3, 3, True), (99, 4, False)])
def test_one_target_gets_so_many_messages_a_minute_and_critical_ones_all_the_same(
    sent: int,
    severity: int,
    held: bool,  # noqa: FBT001
) -> None:
    assert isinstance(through(Throttle(store(sent=sent), At()), told(severity)), Held) == held


def test_what_waits_for_the_same_target_goes_along() -> None:
    passed = through(Group(store(others=(message(number=8), message(number=9)))), told())
    assert isinstance(passed, Notification)
    assert [other.notification_id for other in passed.others] == [8, 9]
    assert through(Group(store(others=None)), told()) == Dropped("")
