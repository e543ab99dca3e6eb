"""A notification on its way, and what delivery needs from others: a store, channels, a clock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from notify.message import Message


@dataclass(frozen=True, slots=True)
class Notification:
    """A message for one channel and one target there: a unit's id for MQTT, a URL for a webhook.

    ``delivered_at`` is None until the channel has taken it.
    """

    channel: str
    target: str
    message: Message
    delivered_at: datetime | None = None


class Channel(Protocol):
    """A way to reach a unit."""

    async def send(self, notification: Notification) -> None:
        """Send, and return only when the receiver has confirmed.

        Raises:
            Retryable: it may work later.
            Permanent: it will never work.
        """


class NotificationStore(Protocol):
    """Where notifications are kept. Times are aware, in UTC."""

    async def load(self, notification_id: int) -> Notification | None:
        """The notification; None where it does not exist (any more)."""

    async def delivered(self, notification_id: int, at: datetime) -> None:
        """Record that the channel has taken it."""

    async def failed(self, notification_id: int, at: datetime, error: str, *, final: bool) -> None:
        """Record a failed attempt; after a final one there is no other."""


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Now, aware, in UTC."""
