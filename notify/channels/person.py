"""Notifications to people by whatever they read: WeCom, DingTalk, Feishu, mail, SMS gateways (apprise's services)."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping

from cases.city import City
from notify.errors import NotReachedError, UndeliverableError
from notify.message import render_all
from notify.outbox import Notification

TIMEOUT_S = 20.0
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class PersonChannel:
    """Sends the text in the contact's language to the contact's URL, of the city in force when it is sent.

    Apprise says only that it did not work, not why: a URL that it cannot read is final, all else is tried again.
    """

    def __init__(self, city: Callable[[], Awaitable[City]], environment: Mapping[str, str]) -> None:
        self._city = city
        self._environment = environment

    async def send(self, notification: Notification) -> None:
        """Send once; see ``Channel.send``."""
        import apprise  # noqa: PLC0415 - a second and its hundred services, for those who have contacts

        contact = (await self._city()).contacts.get(notification.target)
        if contact is None:
            raise UndeliverableError(f"the contact {notification.target!r} is not in the city's file any more")
        to = apprise.Apprise()
        if not to.add(self._filled_in(notification.target, contact.url)):
            raise UndeliverableError(f"the URL of the contact {notification.target!r} is none that apprise can read")
        text = render_all(notification.message, notification.others, contact.language, notification.link)
        title, _, body = text.partition("\n")
        try:
            async with asyncio.timeout(TIMEOUT_S):
                sent = await to.async_notify(body=body or title, title=title)
        except TimeoutError as error:
            raise NotReachedError(f"no answer within {TIMEOUT_S:g} s") from error
        if not sent:
            raise NotReachedError(f"the service of the contact {notification.target!r} did not take it")

    def _filled_in(self, contact: str, url: str) -> str:
        missing = [name for name in _VARIABLE.findall(url) if name not in self._environment]
        if missing:
            raise UndeliverableError(
                f"the URL of the contact {contact!r} needs {', '.join(missing)} in the environment"
            )
        return _VARIABLE.sub(lambda found: self._environment[found[1]], url)
