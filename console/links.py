"""The links in messages: signed for a unit, plain for the desk."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.signing import CrewLink, Signing
from notify.linking import Place
from storage.outbox import NotificationStore


@dataclass(frozen=True, slots=True)
class ConsoleLinks:
    """Implements ``notify.linking.Links`` for the console at ``url``."""

    url: str
    life: timedelta
    store: NotificationStore

    async def to(self, place: Place, since: datetime) -> str:
        """See ``Links``."""
        if not place.unit:
            return console_page(self.url, f"cases/{place.case}" if place.case else "")
        key, generation = await self.store.link_key(place.unit, since)
        return crew_page(self.url, Signing(key), place, generation, since + self.life)


def crew_page(url: str, signing: Signing, place: Place, generation: int, until: datetime) -> str:
    """A unit's page, for whoever has the link, until then."""
    link = CrewLink(place.unit, place.case, generation, int(until.timestamp()))
    return console_page(url, f"c/{signing.link(link)}")


def console_page(url: str, path: str) -> str:
    """A page of the console."""
    return f"{url.rstrip('/')}/{path}"
