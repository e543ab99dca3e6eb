"""Where the MQTT broker is, and who we are to it: what every side that speaks MQTT must know."""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, unquote, urlsplit

DEFAULT_PORT = 1883
_WRONG = (
    "the URL of a broker is mqtt://[user[:password]@]host[:port], "
    "special characters of user and password percent-encoded"
)


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
            ValueError: saying what the URL should look like, without repeating its password.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or DEFAULT_PORT
        except ValueError:  # brackets or a port that make no sense; its message may hold a piece of the password
            raise ValueError(_WRONG) from None
        if parts.scheme != "mqtt" or not host:
            raise ValueError(_WRONG)
        return cls(host, port, unquote(parts.username or ""), unquote(parts.password or ""))

    @property
    def url(self) -> str:
        """What ``parse`` reads, password included."""
        login = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}@" if self.username else ""
        return f"mqtt://{login}{self}"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host  # an IPv6 address
        return f"{host}:{self.port}"
