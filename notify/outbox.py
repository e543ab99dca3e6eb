"""A notification on its way, and what delivery needs from others: a store, channels, a clock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cases.city import City
from notify.message import Message

_CRITICAL = 4


@dataclass(frozen=True, slots=True)
class Notification:
    """A message for one channel and one target there: a unit's id for MQTT, a URL for a webhook, a contact's id.

    ``delivered_at`` is None until the channel has taken it. ``others`` are further messages that go with it;
    ``link`` leads to the page where something can be done about it.
    """

    channel: str
    target: str
    message: Message
    delivered_at: datetime | None = None
    created_at: datetime | None = None
    others: tuple[Message, ...] = ()
    link: str = ""

    @property
    def urgent(self) -> bool:
        """Whether life may be in danger: it waits for nothing."""
        return any(message.severity >= _CRITICAL for message in (self.message, *self.others))


class Channel(Protocol):
    """A way to reach a unit."""

    async def send(self, notification: Notification) -> None:
        """Send, and return only when the receiver has confirmed.

        Raises:
            NotReachedError: it may work later.
            UndeliverableError: it will never work.
        """


class NotificationStore(Protocol):
    """Where notifications are kept. Times are aware, in UTC."""

    async def load(self, notification_id: int) -> Notification | None:
        """The notification; None where it does not exist (any more) or needs no delivery."""

    async def city(self) -> City:
        """The city in force, a minute old at most."""

    async def has_earlier(self, notification_id: int) -> bool:
        """Whether an earlier message about the same case to the same target is on its way."""

    async def gather(self, notification_id: int) -> tuple[Message, ...] | None:
        """Take along what else waits for the same target with the same event; None where another takes this along.

        Asked again, after a crash too, it is the same answer: the message must not change under its id.
        """

    async def sent_since(self, channel: str, target: str, since: datetime) -> int:
        """How many messages a target has got since then."""

    async def was_told(self, notification_id: int, since: datetime) -> bool:
        """Whether the same was said of the same case to the same target since then."""

    async def dropped(self, notification_id: int, why: str) -> None:
        """Record that it need not be sent."""

    async def delivered(self, notification_id: int, at: datetime) -> None:
        """Record that the channel has taken it, and what went with it."""

    async def failed(self, notification_id: int, error: str, *, final: bool) -> None:
        """Record a failed attempt; after a final one there is no other."""


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Now, aware, in UTC."""
