"""The stages of a notification, one literal list: settle, hours, throttle, group, dedup, link, send, record.

Each stage passes it on, holds it until later, or drops it with a reason. What may be held comes before what groups, so
that whatever waited goes as one message.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from cases.city import City
from notify.errors import UndeliverableError
from notify.linking import Links, place_of
from notify.outbox import Channel, Clock, Notification, NotificationStore
from notify.recipients import PERSON

_MINUTE = timedelta(minutes=1)
_SOON = timedelta(seconds=2)
_NOTICE, _MINOR = 1, 2


@dataclass(frozen=True, slots=True)
class Held:
    """To be looked at again at ``until``."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Dropped:
    """Not to be sent at all; an empty reason where another message takes it along."""

    why: str


Passed = Notification | Held | Dropped


class Stage(Protocol):
    """One stage."""

    async def __call__(self, notification: Notification) -> Passed:
        """Pass it on, hold it or drop it."""


def pipeline(
    store: NotificationStore, channels: Mapping[str, Channel], clock: Clock, links: Links | None = None
) -> Sequence[Stage]:
    """The stages in their order."""
    return [
        Settle(store, clock),
        Hours(store, clock),
        Throttle(store, clock),
        Group(store),
        Dedup(store, clock),
        Link(store, links),
        Send(channels),
        Record(store, clock),
    ]


@dataclass(frozen=True, slots=True)
class Settle:
    """What is not critical waits a moment for more of its kind; nothing overtakes an earlier word on its case."""

    store: NotificationStore
    clock: Clock

    async def __call__(self, notification: Notification) -> Passed:
        """See ``Stage``."""
        now = self.clock.now()
        if await self.store.has_earlier(notification.message.notification_id):
            return Held(now + _SOON)
        settled = (notification.created_at or now) + (await self.store.city()).manners.settle
        if notification.urgent or now >= settled:
            return notification
        return Held(settled)


@dataclass(frozen=True, slots=True)
class Hours:
    """People sleep: by night a person is told of major and critical things only; crews' devices hear everything."""

    store: NotificationStore
    clock: Clock

    async def __call__(self, notification: Notification) -> Passed:
        """See ``Stage``."""
        if notification.channel != PERSON or notification.message.severity > _MINOR:
            return notification
        now = self.clock.now()
        morning = morning_after(now, await self.store.city())
        return notification if morning is None else Held(morning)


@dataclass(frozen=True, slots=True)
class Throttle:
    """Nobody reads more than so many messages a minute; what is critical goes all the same."""

    store: NotificationStore
    clock: Clock

    async def __call__(self, notification: Notification) -> Passed:
        """See ``Stage``."""
        now, limit = self.clock.now(), (await self.store.city()).manners.per_minute
        if notification.urgent:
            return notification
        sent = await self.store.sent_since(notification.channel, notification.target, now - _MINUTE)
        return notification if sent < limit else Held(now + _MINUTE / 2)


@dataclass(frozen=True, slots=True)
class Group:
    """A blackout is one message: all that waits for the same target with the same event goes together."""

    store: NotificationStore

    async def __call__(self, notification: Notification) -> Passed:
        """See ``Stage``."""
        others = await self.store.gather(notification.message.notification_id)
        return Dropped("") if others is None else replace(notification, others=others)


@dataclass(frozen=True, slots=True)
class Dedup:
    """The same is not said twice of the same case within minutes."""

    store: NotificationStore
    clock: Clock

    async def __call__(self, notification: Notification) -> Passed:
        """See ``Stage``."""
        since = self.clock.now() - (await self.store.city()).manners.repeat_after
        told = not notification.others and await self.store.was_told(notification.message.notification_id, since)
        return Dropped("the same was said a few minutes ago") if told else notification


@dataclass(frozen=True, slots=True)
class Link:
    """Say where something can be done about it; nowhere, where the console has no address."""

    store: NotificationStore
    links: Links | None

    async def __call__(self, notification: Notification) -> Passed:
        """See ``Stage``."""
        if self.links is None or notification.created_at is None:
            return notification
        place = place_of(notification, await self.store.city())
        return replace(notification, link=await self.links.to(place, notification.created_at))


@dataclass(frozen=True, slots=True)
class Send:
    """Hand it to its channel."""

    channels: Mapping[str, Channel]

    async def __call__(self, notification: Notification) -> Passed:
        """See ``Stage``; raises what the channel raises."""
        if notification.channel not in self.channels:
            raise UndeliverableError(f"the channel {notification.channel!r} is not set up")
        await self.channels[notification.channel].send(notification)
        return notification


@dataclass(frozen=True, slots=True)
class Record:
    """Remember that it has arrived."""

    store: NotificationStore
    clock: Clock

    async def __call__(self, notification: Notification) -> Passed:
        """See ``Stage``."""
        await self.store.delivered(notification.message.notification_id, self.clock.now())
        return notification


def morning_after(now: datetime, city: City) -> datetime | None:
    """When the night ends in which ``now`` falls; None by day."""
    local = now.astimezone(city.calendar.timezone)
    starts, ends = city.night
    in_night = starts <= local.time() or local.time() < ends if starts > ends else starts <= local.time() < ends
    if not in_night:
        return None
    day = local.date() if local.time() < ends else local.date() + timedelta(days=1)
    return datetime.combine(day, ends, city.calendar.timezone).astimezone(now.tzinfo)
