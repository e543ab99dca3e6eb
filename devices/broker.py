"""Where the MQTT broker is, and who we are to it: what every side that speaks MQTT must know."""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, unquote, urlsplit

DEFAULT_PORT = 1883


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker's address and our credentials, both empty where it asks for none."""

    host: str
    port: int = DEFAULT_PORT
    username: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """From ``mqtt://[user[:password]@]host[:port]``.

        Raises:
            ValueError: saying what the URL should look like.
        """
        parts = urlsplit(url)
        if parts.scheme != "mqtt" or not parts.hostname:
            raise ValueError(f"{url!r} is not a broker: write mqtt://[user:password@]host[:port]")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, parts.port or DEFAULT_PORT, user, password)

    @property
    def url(self) -> str:
        """What ``parse`` reads, password included."""
        login = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}@" if self.username else ""
        return f"mqtt://{login}{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
